"""A corpus and a model from outside of the package go through training, prediction, checkpoint and result file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from helpers import audio, models
from helpers.config import TrainConfig
from helpers.datasets import CORPORA, corpus
from helpers.datasets.base import Clip, ClipDataset, Corpus, Report, split_by_group
from helpers.evaluation import results
from helpers.experiments.common import Trained, checkpoint, command_line, curves, single_label_result
from helpers.models import build, register
from helpers.models.base import AudioClassifier, linear_head
from helpers.models.checkpoint import load_checkpoint, save_checkpoint
from helpers.prediction.clips import predict_clips
from helpers.training.fit import fit

RATE, SECONDS = 4_000, 0.25


def clips(root: Path, split: str) -> list[Clip]:
    """`<class>/<instrument>-<number>.wav`, instruments 0 to 3 for training, 4 and 5 for testing."""
    paths = sorted((root / "toy").glob("*/*.wav"))
    wanted = {"train": "0123", "test": "45"}[split]
    return [
        Clip(path, (CORPUS.classes.index(path.parent.name),), f"{path.parent.name}{path.stem[0]}")
        for path in paths if path.stem[0] in wanted
    ]  # fmt: skip


def validate(root: Path) -> Report:
    """Counts of both splits."""
    return Report("toy", CORPUS.label(root, "test", 8), {split: len(clips(root, split)) for split in ("train", "test")})


CORPUS = Corpus(
    name="toy", title="Toy tones", classes=("low", "high"), group="instrument", places=("toy",),
    official={"train": 16, "test": 8}, licence="public domain", citation="this test", clips=clips, validate=validate,
)  # fmt: skip


class Spectrum(nn.Module):
    """Log magnitudes of the whole clip, in 16 bands."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, 16]."""
        magnitude = torch.fft.rfft(waveform).abs()[:, :496]
        return torch.log(magnitude.unflatten(1, (16, 31)).mean(dim=2) + 1e-3)


def tiny_mlp(n_classes: int, hidden: int = 8) -> AudioClassifier:
    """A model as a new file of `helpers/models` would declare it."""
    encoder = nn.Sequential(nn.Linear(16, hidden), nn.ReLU())
    return AudioClassifier(Spectrum(), encoder, linear_head(hidden, n_classes, 0.0))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the toy corpus; corpus and model are known by name."""
    rng, time = np.random.default_rng(0), np.arange(round(RATE * SECONDS)) / RATE
    for name, hertz in (("low", 200), ("high", 1_200)):
        for instrument in range(6):
            for number in range(2):
                tone = 0.3 * np.sin(2 * np.pi * (hertz + 30 * instrument + 5 * number) * time)
                noise = 0.01 * rng.standard_normal(len(time))
                audio.write(tmp_path / "toy" / name / f"{instrument}-{number}.wav", tone + noise, RATE)
    monkeypatch.setitem(CORPORA, "toy", __name__)
    monkeypatch.setattr(models, "MODELS", dict(models.MODELS))
    register("tiny_mlp", tiny_mlp)
    return tmp_path


def test_a_new_corpus_and_a_new_model_go_all_the_way(root: Path) -> None:
    toy = corpus("toy")
    assert toy.found(root) and "16" in str(toy.validate(root))
    train, valid = split_by_group(toy.clips(root, "train"), (0.5, 0.5))
    test = toy.clips(root, "test")
    config = TrainConfig(epochs=8, batch_size=4, learning_rate=0.02, workers=0)
    network = build("tiny_mlp", len(toy.classes), seed=config.seed, hidden=12)
    sets = (ClipDataset(part, len(toy.classes), RATE, SECONDS) for part in (train, valid))
    history = fit(network, *sets, config, run_dir=root / "run")

    command = command_line("toy", "train", data_root=root, seed=config.seed)
    trained = Trained(network, "tiny_mlp", {"hidden": 12}, [curves(history)], config, train)
    label = toy.label(root, "test", len(test))
    made = checkpoint("toy", trained, toy.classes, RATE, SECONDS, corpus="toy", label=label, scores={}, command=command)
    save_checkpoint(root / "toy.pt", made)
    logits = predict_clips(load_checkpoint(root / "toy.pt", "toy").network(), test, RATE, SECONDS)
    np.testing.assert_allclose(logits, predict_clips(network, test, RATE, SECONDS), rtol=1e-4, atol=1e-5)

    result = single_label_result(
        toy.title, "toy", label, test, {"tiny MLP": logits}, toy.classes, train,
        group_kind=toy.group, command=command, seed=config.seed, budget="smoke",
    )  # fmt: skip
    results.write(root / "toy.json", result)
    read = results.read(root / "toy.json")
    assert read.scores["tiny MLP"]["top1"].value == 1.0
    assert (read.n, read.groups, read.data) == (8, 4, "official")
    assert read.baselines["majority class"]["top1"] == 0.5
