"""A problem that a very small model learns in seconds: low tones against high ones.

As a program (`torchrun … toy_training.py FOLDER`) it trains data-parallel and writes what each process ended with.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch

from helpers.config import TrainConfig
from helpers.models import build
from helpers.models.base import AudioClassifier

RATE, SAMPLES = 4_000, 1_024
MEL = {"sample_rate": RATE, "n_fft": 128, "hop_length": 64, "n_mels": 16, "f_max": 2_000.0}


class Tones:
    """Noisy tones below (class 0) and above (class 1) 600 Hz in turn."""

    def __init__(self, n: int, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        labels = np.arange(n) % 2
        frequency = np.where(labels, generator.uniform(700, 1_500, n), generator.uniform(100, 500, n))
        waves = np.sin(2 * np.pi * frequency[:, None] * np.arange(SAMPLES) / RATE)
        self.waves = (waves + generator.normal(0, 0.1, waves.shape)).astype(np.float32)
        self.targets = np.eye(2, dtype=np.float32)[labels]

    def __len__(self) -> int:
        return len(self.waves)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.waves[index], self.targets[index]


def toy_model(seed: int = 0) -> AudioClassifier:
    """The compact CNN in its smallest size, always with the same random weights."""
    return build("compact_cnn", 2, seed=seed, mel=MEL, channels=[4, 4])


def config(**changes: object) -> TrainConfig:
    """A recipe for it, in one process."""
    recipe = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01, "schedule": "constant", "monitor": "loss"}
    return TrainConfig(**{**recipe, "workers": 0, **changes})


def main(folder: Path) -> None:
    """Train for four epochs; write weights and history of this process."""
    from helpers.training.fit import fit

    batches = []

    def counted(waveforms: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        batches.append(len(targets))
        return waveforms, targets

    model = toy_model(seed=int(os.environ["RANK"]))  # processes start from other weights: the first one's must win
    history = fit(model, Tones(32), Tones(12, seed=1), config(epochs=4), batch_augment=counted)
    result = {"weights": model.state_dict(), "valid_loss": history.curve("valid_loss"), "batches": len(batches)}
    torch.save(result, folder / f"rank{os.environ['RANK']}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
