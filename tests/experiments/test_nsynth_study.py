"""The NSynth experiments: scores are counted and weighted right, notes are chosen, archives are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from helpers.config import InputError, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip
from helpers.experiments import generalisation
from helpers.experiments import nsynth as study
from helpers.experiments.common import Trained, labels_of


def notes(per_instrument: int = 3) -> list[Clip]:
    """Eight instruments of two families."""
    return [
        Clip(Path(f"{family}_acoustic_{number:03d}-{pitch:03d}-100.wav"), (label,), f"{family}_acoustic_{number:03d}")
        for label, family in ((0, "bass"), (3, "guitar"))
        for number in range(4)
        for pitch in range(40, 40 + per_instrument)
    ]


def test_hardest_and_by_instrument_count_mistakes() -> None:
    clips = notes(per_instrument=1)
    logits = np.zeros((8, 11), np.float32)
    logits[:, 0] = 1.0  # bass, always
    assert study.hardest(logits, clips) == [("guitar", "bass", 4)]
    accuracies, counts, overall = study.by_instrument(logits, clips)
    assert overall == 0.5
    assert accuracies["bass_acoustic_000"] == 1.0 and accuracies["guitar_acoustic_003"] == 0.0
    assert set(counts.values()) == {1}


def test_archives_are_refused_for_training(tmp_path: Path) -> None:
    archive = tmp_path / "nsynth-train.tar.gz"
    archive.write_bytes(b"")
    with pytest.raises(InputError, match="unpack it"):
        study.dataset([Clip(archive, (0,), "bass_acoustic_000", member="a.wav")])


def test_robustness_counts_every_change(demo_root: Path) -> None:
    class AlwaysBass(nn.Module):
        def forward(self, waveform):
            return nn.functional.one_hot(waveform.new_zeros(len(waveform)).long(), 11).float()

    clips = nsynth.clips(demo_root, "valid")[:12]
    share = float(np.mean(labels_of(clips) == 0))
    assert generalisation.robustness(AlwaysBass(), clips) == dict.fromkeys(generalisation.CHANGES, share)


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
