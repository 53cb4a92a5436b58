"""Linear classifiers of statistics, of notes (notebook 02) or of music (04, 05): scikit-learn fits, torch applies.

Axis letters: B notes, D columns, C classes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from helpers.features.pooled import NoteStatistics
from helpers.features.timbre import InstrumentStatistics
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


def _classifier(frontend: nn.Module, width: int, n_classes: int) -> AudioClassifier:
    return AudioClassifier(frontend, nn.Identity(), WhitenedLinear(width, n_classes)).eval()


def _note_statistics(n_classes: int) -> AudioClassifier:
    frontend = NoteStatistics()
    return _classifier(frontend, len(frontend.columns), n_classes)


def _instrument_statistics(n_classes: int) -> AudioClassifier:
    frontend = InstrumentStatistics()
    return _classifier(frontend, sum(frontend.widths.values()), n_classes)


MODELS = {"note_statistics": _note_statistics, "instrument_statistics": _instrument_statistics}
