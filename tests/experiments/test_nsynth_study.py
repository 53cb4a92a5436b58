"""The NSynth experiments: scores are counted and weighted right, notes are chosen, archives are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from note_folders import write_notes, write_split
from torch import nn

from helpers.config import InputError, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, groups
from helpers.experiments import hybrid
from helpers.experiments import nsynth as study
from helpers.experiments.common import Trained
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier


def notes(per_instrument: int = 3) -> list[Clip]:
    """Eight instruments of two families."""
    return [
        Clip(Path(f"{family}_acoustic_{number:03d}-{pitch:03d}-100.wav"), (label,), f"{family}_acoustic_{number:03d}")
        for label, family in ((0, "bass"), (3, "guitar"))
        for number in range(4)
        for pitch in range(40, 40 + per_instrument)
    ]


def test_hardest_and_accuracies_count_mistakes() -> None:
    clips = notes(per_instrument=1)
    logits = np.zeros((8, 11), np.float32)
    logits[:, 0] = 1.0  # bass, always
    assert study.hardest(logits, clips) == [("guitar", "bass", 4)]
    found = study.accuracies(logits, clips, groups(clips))
    assert found["bass_acoustic_000"] == {"top1": 1.0, "n": 1} and found["guitar_acoustic_003"] == {"top1": 0.0, "n": 1}
    assert list(found) == sorted(clip.group for clip in clips)


def test_a_complete_split_stays_official_without_its_twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = nsynth.TWINS
    write_split(tmp_path, "train", (f"{first}-060-100", f"{first}-061-100", "bass_acoustic_001-060-100"))
    write_split(tmp_path, "valid", ("reed_acoustic_001-060-100",))
    write_split(tmp_path, "test", (f"{second}-060-100", f"{second}-061-100"))
    write_notes(tmp_path / "nsynth-test" / "audio", (f"{second}-060-100",))  # the first is that of the training notes
    write_notes(tmp_path / "nsynth-test" / "audio", (f"{second}-061-100",), seconds=0.2)
    monkeypatch.setitem(nsynth.OFFICIAL, "train", 3)
    notes = study.load_notes(tmp_path)
    assert (len(notes.train), notes.twins, notes.label("train"), notes.label("test")) == (2, 1, "official", "subset")
    assert study.load_notes(tmp_path, most=1).label("train") == "subset"


def test_out_of_fold_scores_stand_at_their_notes_and_come_from_other_instruments() -> None:
    clips, seen = notes(), []

    def predict(fold: int, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        seen.append(set(groups(clips)[inside]) & set(groups(clips)[outside]))
        return np.stack([np.flatnonzero(outside), np.full(outside.sum(), fold)], axis=1)

    found = study.out_of_fold(clips, 3, 0, predict)
    assert found[:, 0].tolist() == list(range(len(clips))) and set(found[:, 1]) == {0, 1, 2}
    assert seen == [set()] * 3


def test_archives_are_refused_for_training(tmp_path: Path) -> None:
    archive = tmp_path / "nsynth-train.tar.gz"
    archive.write_bytes(b"")
    with pytest.raises(InputError, match="unpack it"):
        study.dataset([Clip(archive, (0,), "bass_acoustic_000", member="a.wav")])


def test_weighted_accuracy_counts_kinds_and_not_notes() -> None:
    clips = notes(per_instrument=1)  # four basses, four guitars
    logits = np.zeros((8, 11), np.float32)
    logits[:, 0] = 1.0  # bass, always
    bass, guitar = (nsynth.KIND_COUNTS[kind] for kind in ("bass_acoustic", "guitar_acoustic"))
    assert study.weighted_scores(logits, clips)["top1"]["value"] == pytest.approx(bass / (bass + guitar))


def test_one_member_is_no_ensemble() -> None:
    network = nn.Linear(1, 1)
    trained = Trained(network, "compact_cnn", {}, [], TrainConfig(), [])
    assert study.ensemble([trained]) is trained
    assert study.members_of(network) == [network]


def test_the_fewer_notes_the_more_epochs() -> None:
    epochs = {n: study.recipe(None, 0, n).epochs for n in (40, 2_004, 10_000, 289_205)}
    assert epochs == {40: 26, 2_004: 26, 10_000: 6, 289_205: 2}
    assert study.recipe(5, 0, 40).epochs == 5


def test_family_shares_are_official_where_names_are() -> None:
    shares = study.family_shares(notes())
    assert shares.sum() == pytest.approx(1) and shares[0] == pytest.approx(68_955 / 305_979)
    other = [Clip(Path(f"{n}.wav"), (n % 3,), str(n)) for n in range(6)]
    assert study.family_shares(other)[:3].tolist() == [2 / 14] * 3


def test_the_average_is_that_of_the_shipped_network() -> None:
    rng = np.random.default_rng(0)
    parts = np.log(rng.dirichlet(np.ones(11), (2, 5)))  # of CNN and statistics

    class Constant(nn.Module):
        def __init__(self, logits: np.ndarray) -> None:
            super().__init__()
            self.logits = torch.from_numpy(logits)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self.logits + 3.0  # logits are up to a constant

    def network(logits: np.ndarray) -> AudioClassifier:
        return AudioClassifier(MelFrontend(study.MEL), nn.Identity(), Constant(logits)).eval()

    cnn, other = (Trained(network(parts[n]), "", {}, [], TrainConfig(), []) for n in range(2))
    whole = hybrid.combine([cnn, cnn], other)
    assert whole.arguments["weights"] == pytest.approx([0.2, 0.2, 0.6])
    np.testing.assert_allclose(whole.network(torch.zeros(5, 4096)), hybrid.average(*parts), rtol=1e-6)
    assert np.allclose(np.exp(hybrid.average(*parts)).sum(axis=1), 1)


def test_bulk_notes_are_those_of_instruments_at_one_velocity_and_families_count_alike() -> None:
    def clips(group: str, label: int, velocity: int, n: int) -> list[Clip]:
        return [Clip(Path(f"{group}-{pitch:03d}-{velocity:03d}.wav"), (label,), group) for pitch in range(n)]

    some = [*clips("bass_electronic_000", 0, 100, 30), *clips("guitar_acoustic_000", 3, 100, 20),
            *clips("organ_electronic_000", 6, 100, 5), *clips("reed_acoustic_000", 7, 25, 30)]  # fmt: skip
    logits = np.zeros((len(some), 11))
    logits[:, 0] = 1.0
    assert hybrid.bulk_accuracy(logits, some) == {"top1": 0.5, "n": 50, "families": {"bass": 1.0, "guitar": 0.0}}
