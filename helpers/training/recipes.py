"""What the names and numbers of a `TrainConfig` stand for: losses, optimiser, schedule, and the order of the clips.

Losses have the signature (logits, targets) -> scalar. Targets are floats in 0..1 of the logits' shape [..., classes];
in the binary losses NaN marks what is not known and does not count. Order and augmentation of the clips depend on
(seed, epoch) alone, on one process or several.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Sampler

from helpers.config import TrainConfig
from helpers.datasets.base import AugmentedDataset

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Softmax cross entropy with soft targets (label smoothing and mixing are in them), all of which must be known."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(0, -2))


def bce(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy of each decision."""
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def focal(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Focal loss of each decision, gamma = 2 (Lin et al., Focal loss for dense object detection, ICCV 2017)."""
    probability = torch.sigmoid(logits)
    wrongness = probability * (1 - targets) + (1 - probability) * targets
    return bce(logits, targets) * wrongness**2


def asymmetric(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Asymmetric loss of each decision, gamma+ = 0, gamma- = 4, margin 0.05 (Ben-Baruch et al., ICCV 2021)."""
    shifted = (torch.sigmoid(logits) - 0.05).clamp_min(0)
    negative = shifted**4 * torch.log((1 - shifted).clamp_min(1e-8))
    return -(targets * F.logsigmoid(logits) + (1 - targets) * negative)


def _mean_of_known(decisions: Loss, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    known = ~torch.isnan(targets)
    return (decisions(logits, targets.nan_to_num()) * known).sum() / known.sum().clamp_min(1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    **{decisions.__name__: partial(_mean_of_known, decisions) for decisions in (bce, focal, asymmetric)},
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
WARM_UP = 0.1  # of all steps


def optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser of a recipe; weight decay is for matrices and kernels, not for biases and normalisations."""
    matrices = {"params": [p for p in model.parameters() if p.ndim > 1]}
    vectors = {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0}
    groups = [group for group in (matrices, vectors) if group["params"]]
    return OPTIMIZERS[config.optimizer](groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def schedule(optimizer: torch.optim.Optimizer, name: str, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Factor on all learning rates, step by step: constant, or linear warm-up and half a cosine down to zero."""
    warm = max(1, round(WARM_UP * steps))

    def cosine(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, {"constant": lambda step: 1.0, "cosine": cosine}[name])


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


def train_loader(data: Labelled, augment: Callable | None, config: TrainConfig, rank: int, world: int) -> DataLoader:
    """Shuffled or class-balanced batches of augmented waveforms."""
    weights = balanced_weights(data.targets) if config.balanced else None
    sampler = EpochSampler(len(data), weights, config.seed, rank, world)
    size = min(config.batch_size, len(sampler))
    return loader(AugmentedDataset(data, augment, config.seed), config, size, sampler=sampler, drop_last=True)


def loader(data: Labelled, config: TrainConfig, batch_size: int, **settings: object) -> DataLoader:
    """All clips in their order, as for validation: every process validates all of them, so that all agree on the best.

    It has a generator of its own: else opening a loader would shift the random numbers of the training steps.
    """
    return DataLoader(data, batch_size, num_workers=config.workers, persistent_workers=config.workers > 0,
                      generator=torch.Generator(), **settings)  # fmt: skip
