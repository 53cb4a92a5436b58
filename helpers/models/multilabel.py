"""CNNVarTime: a network for clips of any length, one score a class (IRMAS, Chinese instruments): notebook 04.

TimbreCNN sets fixed statistics of timbre beside it, for linear layers solved on few clips: notebook 05.

Axis letters: B batch, T samples, C channels, M mel bands, F frames, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.features.music import TimbreStatistics
from helpers.models.base import AudioClassifier, linear_head


class CNNVarTime(nn.Module):
    """Blocks of conv 3x3 - BN - ReLU - max-pool 2, then mean plus maximum over whatever time is left.

    Frequency is kept apart: where along the spectrum something happens is what tells instruments from one another.
    Clips shorter than one frame behind the blocks are padded with silence, the mean of the standardised input.
    """

    def __init__(self, n_mels: int, channels: Sequence[int]) -> None:
        super().__init__()
        widths = [1, *channels]
        self.blocks = nn.ModuleList(_block(i, o) for i, o in pairwise(widths))
        self.shortest = 2 ** len(channels)  # frames
        self.width = channels[-1] * (n_mels // self.shortest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D], for any F."""
        x = nn.functional.pad(x, (0, max(0, self.shortest - x.shape[-1])))
        for block in self.blocks:
            x = block(x)  # [B, C, M/2^k, F/2^k]
        x = x.flatten(1, 2)  # [B, D, F']
        return x.mean(dim=2) + x.amax(dim=2)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)
    )


def _cnn_var_time(n_classes: int, mel: dict, channels: Sequence[int] = (16, 32, 64, 128)) -> AudioClassifier:
    config = MelConfig(**mel)
    encoder = CNNVarTime(config.n_mels, channels)
    return AudioClassifier(MelFrontend(config), encoder, linear_head(encoder.width, n_classes))


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


def _timbre_cnn(n_classes: int, mel: dict, channels: Sequence[int] = (16, 32, 64, 128)) -> AudioClassifier:
    encoder = TimbreCNN(MelConfig(**mel), channels)
    return AudioClassifier(nn.Identity(), encoder, linear_head(encoder.width, n_classes))


MODELS = {"cnn_var_time": _cnn_var_time, "timbre_cnn": _timbre_cnn}
