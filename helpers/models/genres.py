"""The genre study's own networks: 5L-1D CNN, SampleCNN, 4L-2D CNN, 4L-2D CNN + GRU (notebook 06).

The 2-D and 1-D networks see a log-mel spectrogram, SampleCNN the waveform. All end in a global pool, so that any
length above the stated minimum works. Axis letters: B batch, C channels, M mel bands, F frames, T samples,
D embedding.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier, linear_head, normalisation

DROPOUT = 0.5
SILENCE = 1e-4  # full scale; keeps the level of a silent clip finite


def block_1d(inputs: int, outputs: int, kind: str, pool: int) -> nn.Sequential:
    """conv 3 - normalisation - ReLU - max-pool over time."""
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, 3, padding=1, bias=False),
        normalisation(kind, outputs, dimensions=1),
        nn.ReLU(),
        nn.MaxPool1d(pool),
    )


def block_2d(inputs: int, outputs: int, kind: str, pool: tuple[int, int]) -> nn.Sequential:
    """conv 3x3 - normalisation - ReLU - max-pool over bands and frames."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        normalisation(kind, outputs),
        nn.ReLU(),
        nn.MaxPool2d(pool),
    )


class CNN1D(nn.Module):
    """Five convolutions over time with the mel bands as channels (after Dieleman and Schrauwen, ICASSP 2014)."""

    def __init__(self, n_mels: int, kind: str) -> None:
        super().__init__()
        widths = [n_mels, 128, 128, 256, 256, 512]
        self.blocks = nn.ModuleList(block_1d(i, o, kind, pool=2) for i, o in pairwise(widths))
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

    def __init__(self, kind: str, channels: tuple[int, ...]) -> None:
        super().__init__()
        widths = [1, *channels]
        self.blocks = nn.ModuleList(
            block_2d(i, o, kind, pool) for (i, o), pool in zip(pairwise(widths), self.POOLS, strict=False)
        )
        self.width = widths[-1]

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

    def __init__(self, kind: str, channels: tuple[int, ...], n_mels: int) -> None:
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
        self.blocks = nn.ModuleList(block_1d(i, o, kind, pool=3) for i, o in pairwise(widths))
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


def _classifier(frontend: nn.Module, encoder: nn.Module, n_classes: int) -> AudioClassifier:
    return AudioClassifier(frontend, encoder, linear_head(encoder.width, n_classes, DROPOUT))


def _cnn_1d(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
    config = MelConfig(**mel)
    return _classifier(MelFrontend(config), CNN1D(config.n_mels, normalisation), n_classes)


def _cnn_2d(
    n_classes: int,
    mel: dict,
    normalisation: str = "batch",
    channels: tuple[int, ...] = (32, 64, 128, 256),
    hidden: int = 0,
) -> AudioClassifier:
    """`hidden` units of a fully connected layer before the last one, 0: none."""
    encoder = CNN2D(normalisation, tuple(channels))
    head = linear_head(hidden or encoder.width, n_classes, DROPOUT)
    if hidden:
        head = nn.Sequential(nn.Linear(encoder.width, hidden), nn.ReLU(), *head)
    return AudioClassifier(MelFrontend(MelConfig(**mel)), encoder, head)


def _cnn_2d_gru(
    n_classes: int, mel: dict, normalisation: str = "batch", channels: tuple[int, ...] = (32, 64, 128, 256)
) -> AudioClassifier:
    config = MelConfig(**mel)
    return _classifier(MelFrontend(config), CNN2DGRU(normalisation, tuple(channels), config.n_mels), n_classes)


def _sample_cnn(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
    """`mel` is taken so that one recipe fits every model, and not used: the network sees the waveform."""
    return _classifier(WaveformFrontend(), SampleCNN(normalisation), n_classes)


MODELS = {
    "cnn_1d_5l": _cnn_1d,
    "cnn_2d_4l": _cnn_2d,
    "cnn_2d_4l_gru": _cnn_2d_gru,
    "sample_cnn": _sample_cnn,
}
