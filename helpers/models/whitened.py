"""Linear classifiers of statistics, of notes (notebook 02) or of music (04, 05): scikit-learn fits, torch applies.

Axis letters: B notes, D columns, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from helpers.features.pooled import WIDTH, NoteStatistics
from helpers.features.timbre import InstrumentStatistics
from helpers.models.base import AudioClassifier

LIMIT = 4.0  # standard deviations at which statistics are cut


class WhitenedLinear(nn.Module):
    """Standardised, cut, whitened and weighted in one: logits = clip((x - mean) / std, ±LIMIT) @ A + b.

    Whitening and regression are both linear, so that A holds their product and b the priors as well.
    """

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))
        self.register_buffer("A", torch.zeros(width, n_classes))
        self.register_buffer("b", torch.zeros(n_classes))

    def fill(self, mean: np.ndarray, std: np.ndarray, A: np.ndarray, b: np.ndarray) -> WhitenedLinear:
        """Take what `models.classic.fold` gives; a ValueError if the shapes do not fit."""
        for name, values in (("mean", mean), ("std", std), ("A", A), ("b", b)):
            buffer = getattr(self, name)
            if buffer.shape != values.shape:
                raise ValueError(f"{name} is {list(values.shape)}, needed is {list(buffer.shape)}")
            buffer.copy_(torch.as_tensor(values))
        return self

    def forward(self, statistics: torch.Tensor) -> torch.Tensor:
        """[B, D] -> logits [B, C]."""
        return ((statistics - self.mean) / self.std).clamp(-LIMIT, LIMIT) @ self.A + self.b


def class_columns(regression, n_classes: int, absent: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [D, C] and offsets [C] of a fitted linear classifier of scikit-learn, `absent` for unknown classes.

    Of two classes scikit-learn has but one row, for the second.
    """
    rows, starts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:
        rows, starts = np.concatenate([-rows, rows]) / 2, np.concatenate([-starts, starts]) / 2
    matrix, offset = np.zeros((rows.shape[1], n_classes)), np.full(n_classes, absent)
    matrix[:, regression.classes_], offset[regression.classes_] = rows.T, starts
    return matrix, offset


class Layer(NamedTuple):
    """What `WhitenedLinear` holds, in NumPy, for statistics [..., D]."""

    mean: np.ndarray  # [D]
    std: np.ndarray  # [D]
    A: np.ndarray  # [D, C]
    b: np.ndarray  # [C]

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """[..., D] -> logits [..., C]."""
        return np.clip((statistics - self.mean) / self.std, -LIMIT, LIMIT) @ self.A + self.b

    def plus(self, other: Layer, share: float) -> Layer:
        """With the weights of another layer added, but not its mean and deviation, which tell how it was recorded."""
        return Layer(self.mean, self.std, self.A + share * other.A, self.b + share * other.b)


def logistic(
    x: np.ndarray, labels: np.ndarray, n_classes: int, C: float, columns: Sequence[int] | slice = slice(None),
    weight: np.ndarray | None = None,
) -> Layer:  # fmt: skip
    """Multinomial logistic regression on some columns of statistics [n, D]; `C` and `weight` [n] as scikit-learn's.

    A class without rows gets zeros, the mean of all scores.
    """
    from sklearn.linear_model import LogisticRegression

    mean, std = x.mean(axis=0, dtype=float), x.std(axis=0, dtype=float) + 1e-6
    chosen = np.clip((x - mean) / std, -LIMIT, LIMIT)[:, columns]
    regression = LogisticRegression(C=C, max_iter=200, tol=1e-3).fit(chosen, labels, weight)
    matrix = np.zeros((x.shape[1], n_classes))
    matrix[columns], offset = class_columns(regression, n_classes, 0.0)
    return Layer(mean, std, matrix, offset)


def _classifier(frontend: nn.Module, width: int, n_classes: int) -> AudioClassifier:
    return AudioClassifier(frontend, nn.Identity(), WhitenedLinear(width, n_classes)).eval()


def _note_statistics(n_classes: int) -> AudioClassifier:
    return _classifier(NoteStatistics(), WIDTH, n_classes)


def _instrument_statistics(n_classes: int) -> AudioClassifier:
    frontend = InstrumentStatistics()
    return _classifier(frontend, sum(frontend.widths.values()), n_classes)


MODELS = {"note_statistics": _note_statistics, "instrument_statistics": _instrument_statistics}
