"""A convolutional network and fixed statistics of timbre side by side, for linear layers solved on few clips.

Axis letters: B batch, T samples, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.features.timbre import TimbreStatistics
from helpers.models.base import Recogniser, linear_head
from helpers.models.multilabel import CNNVarTime

LEVEL = 0.1  # root mean square that every clip is brought to, because the statistics depend on it
QUIET = 1e-6  # root mean square of silence


class TimbreCNN(nn.Module):
    """Embedding of CNNVarTime and TimbreStatistics of the same waveform, one after the other.

    `widths` are the sizes of the two.
    """

    def __init__(self, mel: MelConfig, channels: Sequence[int]) -> None:
        super().__init__()
        self.mel, self.cnn = MelFrontend(mel), CNNVarTime(mel.n_mels, channels)
        self.timbre = TimbreStatistics(mel.sample_rate)
        self.widths = [self.cnn.width, sum(self.timbre.widths.values())]
        self.width = sum(self.widths)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, D]; T must hold at least two seconds."""
        level = waveform.square().mean(dim=1, keepdim=True).sqrt().clamp_min(QUIET)
        return torch.cat([self.cnn(self.mel(waveform)), self.timbre(waveform * (LEVEL / level))], dim=1)


def _timbre_cnn(n_classes: int, mel: dict, channels: Sequence[int] = (16, 32, 64, 128)) -> Recogniser:
    encoder = TimbreCNN(MelConfig(**mel), channels)
    return Recogniser(nn.Identity(), encoder, linear_head(encoder.width, n_classes))


MODELS = {"timbre_cnn": _timbre_cnn}
