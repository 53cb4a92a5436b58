"""A linear classifier of pooled note statistics, fitted by scikit-learn, applied by torch; notebook 02.

Axis letters: B notes, D columns, C classes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from helpers.features.pooled import NoteStatistics
from helpers.models.base import AudioClassifier


class WhitenedLinear(nn.Module):
    """Standardised, cut, whitened and weighted in one: logits = clip((x - mean) / std, ±limit) @ A + b.

    Whitening and regression are both linear, so that A holds their product and b the priors as well.
    """

    def __init__(self, width: int, n_classes: int, limit: float = 4.0) -> None:
        super().__init__()
        self.limit = limit
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
        return ((statistics - self.mean) / self.std).clamp(-self.limit, self.limit) @ self.A + self.b


def _note_statistics(n_classes: int) -> AudioClassifier:
    frontend = NoteStatistics()
    width = len(frontend.columns)
    return AudioClassifier(frontend, nn.Identity(), WhitenedLinear(width, n_classes)).eval()


MODELS = {"note_statistics": _note_statistics}
