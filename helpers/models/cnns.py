"""Plain convolutional networks for pieces of music: CNNVarTime (IRMAS, Chinese instruments; notebooks 04 and 05),
5L-1D CNN, 4L-2D CNN, 4L-2D CNN + GRU and SampleCNN (genres; notebook 06).

All end in a pool over time, so that any length above the stated minimum works. Axis letters: B batch, C channels,
M mel bands, F frames, T samples, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier, conv_block, linear_head, mel_classifier, normalisation

DROPOUT = 0.5  # of the genre networks
SILENCE = 1e-4  # root mean square, full scale; keeps the level of a silent clip finite


class CNNVarTime(nn.Module):
    """Blocks of conv 3x3 - BN - ReLU - max-pool 2, then mean plus maximum over whatever time is left.

    Frequency is kept apart: where along the spectrum something happens is what tells instruments from one another.
    Clips shorter than one frame behind the blocks are padded with silence, the mean of the standardised input.
    """

    def __init__(self, n_mels: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(conv_block(i, o) for i, o in pairwise([1, *channels]))
        self.shortest = 2 ** len(channels)  # frames
        self.width = channels[-1] * (n_mels // self.shortest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D], for any F."""
        x = nn.functional.pad(x, (0, max(0, self.shortest - x.shape[-1])))
        for block in self.blocks:
            x = block(x)  # [B, C, M/2^k, F/2^k]
        x = x.flatten(1, 2)  # [B, D, F']
        return x.mean(dim=2) + x.amax(dim=2)


class CNN1D(nn.Module):
    """Five convolutions over time with the mel bands as channels (after Dieleman and Schrauwen, ICASSP 2014)."""

    def __init__(self, n_mels: int, kind: str) -> None:
        super().__init__()
        widths = [n_mels, 128, 128, 256, 256, 512]
        self.blocks = nn.ModuleList(conv_block(i, o, 2, kind, dimensions=1) for i, o in pairwise(widths))
        self.width = 2 * widths[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]; needs 32 frames."""
        x = x.squeeze(1)  # [B, M, F]
        for block in self.blocks:
            x = block(x)  # in the end [B, 512, F/32]
        return torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)


class CNN2D(nn.Module):
    """Four 2-D convolutions (or the first of them) with a mean over what is left of bands and frames."""

    POOLS = ((2, 2), (2, 2), (4, 2), (4, 2))

    def __init__(self, kind: str, channels: Sequence[int]) -> None:
        super().__init__()
        widths = pairwise([1, *channels])
        self.blocks = nn.ModuleList(
            conv_block(i, o, pool, kind) for (i, o), pool in zip(widths, self.POOLS, strict=False)
        )
        self.width = channels[-1]

    def stages(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, C, M/64, F/16]; needs 64 bands and 16 frames."""
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]."""
        return self.stages(x).mean(dim=(2, 3))


class CNN2DGRU(nn.Module):
    """The four 2-D convolutions, then a recurrent layer over time (Choi et al., Convolutional recurrent neural
    networks for music classification, ICASSP 2017)."""

    def __init__(self, kind: str, channels: Sequence[int], n_mels: int) -> None:
        super().__init__()
        self.convolutions = CNN2D(kind, channels)
        self.blocks = self.convolutions.blocks
        self.gru = nn.GRU(channels[-1] * (n_mels // 64), channels[-1], batch_first=True)
        self.width = channels[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]."""
        x = self.convolutions.stages(x).flatten(1, 2).transpose(1, 2)  # [B, F/16, C*M/64]
        self.gru.flatten_parameters()  # copied weights lie apart in memory, which cuDNN warns about at every call
        return self.gru(x)[0].mean(dim=1)


class SampleCNN(nn.Module):
    """A strided convolution, eight basic blocks that pool by three, and a last convolution, all on the waveform (Kim,
    Lee and Nam: Sample-level CNN architectures for music auto-tagging, ICASSP 2018)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        widths = [128, 128, 128, 256, 256, 256, 256, 256, 512]
        self.strided = nn.Sequential(nn.Conv1d(1, 128, 3, stride=3, bias=False), normalisation(kind, 128, 1), nn.ReLU())
        self.blocks = nn.ModuleList(conv_block(i, o, 3, kind, dimensions=1) for i, o in pairwise(widths))
        self.last = nn.Sequential(nn.Conv1d(512, 512, 1), nn.ReLU())
        self.width = 512

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, T] -> [B, D]; needs 3**9 samples (0.9 s at 22,050 Hz)."""
        x = self.strided(x)
        for block in self.blocks:
            x = block(x)  # in the end [B, 512, T / 3**9]
        return self.last(x).mean(dim=2)


class WaveformFrontend(nn.Module):
    """The waveform at unit level, for networks that learn their own front end."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, 1, T] with a root mean square of 1."""
        level = waveform.square().mean(dim=1, keepdim=True).sqrt()
        return (waveform / level.clamp_min(SILENCE)).unsqueeze(1)


def _cnn_var_time(n_classes: int, mel: dict, channels: Sequence[int] = (16, 32, 64, 128)) -> AudioClassifier:
    return mel_classifier(mel, CNNVarTime(MelConfig(**mel).n_mels, channels), n_classes)


def _cnn_1d(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
    return mel_classifier(mel, CNN1D(MelConfig(**mel).n_mels, normalisation), n_classes, DROPOUT)


def _cnn_2d(
    n_classes: int, mel: dict, normalisation: str = "batch", channels: Sequence[int] = (32, 64, 128, 256),
    hidden: int = 0,
) -> AudioClassifier:  # fmt: skip
    """`hidden` units of a fully connected layer before the last one, 0: none."""
    encoder = CNN2D(normalisation, channels)
    head = linear_head(hidden or encoder.width, n_classes, DROPOUT)
    if hidden:
        head = nn.Sequential(nn.Linear(encoder.width, hidden), nn.ReLU(), *head)
    return AudioClassifier(MelFrontend(MelConfig(**mel)), encoder, head)


def _cnn_2d_gru(
    n_classes: int, mel: dict, normalisation: str = "batch", channels: Sequence[int] = (32, 64, 128, 256)
) -> AudioClassifier:
    return mel_classifier(mel, CNN2DGRU(normalisation, channels, MelConfig(**mel).n_mels), n_classes, DROPOUT)


def _sample_cnn(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
    """`mel` is taken so that one recipe fits every model, and not used: the network sees the waveform."""
    encoder = SampleCNN(normalisation)
    return AudioClassifier(WaveformFrontend(), encoder, linear_head(encoder.width, n_classes, DROPOUT))


MODELS = {
    "cnn_var_time": _cnn_var_time,
    "cnn_1d_5l": _cnn_1d,
    "cnn_2d_4l": _cnn_2d,
    "cnn_2d_4l_gru": _cnn_2d_gru,
    "sample_cnn": _sample_cnn,
}
