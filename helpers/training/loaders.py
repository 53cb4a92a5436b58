"""Loaders whose order and augmentation depend on (seed, epoch) alone, on one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from helpers.config import TrainConfig
from helpers.datasets.base import AugmentedDataset


class Labelled(Protocol):
    """A map-style data set of (waveform [samples], target [classes]) that knows all its targets [n, classes]."""

    targets: np.ndarray

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]: ...


class EpochSampler(Sampler[int]):
    """Keys `epoch * n + index` for `AugmentedDataset`, a new order every epoch, the same on every run.

    With `weights` [n] the indices are drawn with replacement in proportion to them, otherwise every index comes
    once. Each of `world` processes gets every world-th key, all the same number.
    """

    def __init__(self, n: int, weights: np.ndarray | None, seed: int, rank: int = 0, world: int = 1) -> None:
        self.n, self.weights, self.seed, self.rank, self.world = n, weights, seed, rank, world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n // self.world

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng((self.seed, self.epoch))
        if self.weights is None:
            order = generator.permutation(self.n)
        else:
            order = generator.choice(self.n, self.n, p=self.weights / self.weights.sum())
        keys = self.epoch * self.n + order
        return iter(keys[self.rank : len(self) * self.world : self.world].tolist())


def balanced_weights(targets: np.ndarray) -> np.ndarray:
    """Sampling weights [n] that make every class of [n, classes] (frames, if any, are pooled) equally frequent."""
    present = np.nan_to_num(targets).reshape(len(targets), -1, targets.shape[-1]).max(axis=1)
    frequency = present.sum(axis=0)
    per_class = np.divide(1.0, frequency, out=np.zeros(len(frequency)), where=frequency > 0)
    weights = (present * per_class).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return np.where(weights > 0, weights, 1.0 / len(targets))


def train_loader(
    data: Labelled, augment: Callable | None, config: TrainConfig, rank: int, world: int,
    sample_weights: np.ndarray | None = None,
) -> DataLoader:  # fmt: skip
    """Batches of augmented waveforms: shuffled, class-balanced, or drawn in proportion to `sample_weights` [n]."""
    weights = balanced_weights(data.targets) if config.balanced and sample_weights is None else sample_weights
    sampler = EpochSampler(len(data), weights, config.seed, rank, world)
    size = min(config.batch_size, len(sampler))
    return DataLoader(
        AugmentedDataset(data, augment, config.seed), size, sampler=sampler, drop_last=True, **_workers(config)
    )


def valid_loader(data: Labelled, config: TrainConfig) -> DataLoader:
    """All validation clips in their order; every process validates all of them, so that all agree on the best."""
    return DataLoader(data, config.batch_size, **_workers(config))


def _workers(config: TrainConfig) -> dict:
    """A generator of its own: else opening a loader would shift the random numbers of the training steps."""
    return {
        "num_workers": config.workers,
        "persistent_workers": config.workers > 0,
        "generator": torch.Generator(),
    }
