"""CNNVarTime: a convolutional network for clips of any length, one score a class (IRMAS, Chinese instruments).

Axis letters: B batch, C channels, M mel bands, F frames, D embedding.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.models.base import Recogniser, linear_head


class CNNVarTime(nn.Module):
    """Blocks of conv 3x3 - BN - ReLU - max-pool 2, then mean plus maximum over whatever time is left.

    Frequency is kept apart: where along the spectrum something happens is what tells instruments from one another.
    Clips shorter than one frame behind the blocks are padded with silence, the mean of the standardised input.
    """

    def __init__(self, n_mels: int, channels: Sequence[int]) -> None:
        super().__init__()
        widths = [1, *channels]
        self.blocks = nn.ModuleList(_block(i, o) for i, o in itertools.pairwise(widths))
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


def _cnn_var_time(n_classes: int, mel: dict, channels: Sequence[int] = (16, 32, 64, 128)) -> Recogniser:
    config = MelConfig(**mel)
    encoder = CNNVarTime(config.n_mels, channels)
    return Recogniser(MelFrontend(config), encoder, linear_head(encoder.width, n_classes))


MODELS = {"cnn_var_time": _cnn_var_time}
