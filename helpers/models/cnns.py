"""Plain networks for pieces of music: CNNVarTime (IRMAS, Chinese instruments; notebooks 04 and 05); 5L-1D CNN, 4L-2D
CNN, 4L-2D CNN + GRU, SampleCNN and a network after the auditory pathway (genres; notebook 06).

All pool over time in the end, so that any length above the stated minimum works. Axis letters: B batch, C channels,
M mel bands, F frames, T samples, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier, conv_block, linear_head, mel_classifier, normalisation

DROPOUT = 0.5  # of the genre networks
SILENCE = 1e-4  # root mean square, full scale; keeps the level of a silent clip finite
FOUR = (32, 64, 128, 256)  # channels of the 2-D networks
POOLS = ((2, 2), (2, 2), (4, 2), (4, 2))  # of their blocks
AREAS = {"A1": 32, "belt": 64, "parabelt": 128, "T2/T3": 256}  # channels
TIMES = {"belt": 2, "parabelt": 4, "T2/T3": 2}  # how often an area goes round, as V2, V4 and IT of CORnet-S


class CNNVarTime(nn.Module):
    """Blocks of conv 3x3 - BN - ReLU - max-pool 2, then mean plus maximum over whatever time is left.

    Frequency is kept apart: where along the spectrum something happens is what tells instruments from one another.
    Clips shorter than one frame behind the blocks are padded with silence, the mean of the standardised input.
    """

    def __init__(self, mel: MelConfig, channels: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(conv_block(i, o) for i, o in pairwise([1, *channels])))
        self.shortest = 2 ** len(channels)  # frames
        self.width = channels[-1] * (mel.n_mels // self.shortest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D], for any F."""
        x = self.blocks(nn.functional.pad(x, (0, max(0, self.shortest - x.shape[-1]))))  # [B, C, M/2^k, F/2^k]
        x = x.flatten(1, 2)  # [B, D, F']
        return x.mean(dim=2) + x.amax(dim=2)


class CNN1D(nn.Module):
    """Five convolutions over time with the mel bands as channels (after Dieleman and Schrauwen, ICASSP 2014)."""

    def __init__(self, mel: MelConfig, normalisation: str = "batch") -> None:
        super().__init__()
        widths = [mel.n_mels, 128, 128, 256, 256, 512]
        self.blocks = nn.Sequential(*(conv_block(i, o, 2, normalisation, dimensions=1) for i, o in pairwise(widths)))
        self.width = 2 * widths[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]; needs 32 frames."""
        x = self.blocks(x.squeeze(1))  # [B, M, F] -> [B, 512, F/32]
        return torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)


def _four_blocks(kind: str, channels: Sequence[int]) -> nn.Sequential:
    """Four 2-D convolutions, or the first of them: [B, 1, M, F] -> [B, C, M/64, F/16]; needs 64 bands, 16 frames."""
    widths = pairwise([1, *channels])
    return nn.Sequential(*(conv_block(i, o, pool, kind) for (i, o), pool in zip(widths, POOLS, strict=False)))


class CNN2D(nn.Module):
    """2-D convolutions with a mean over what is left of bands and frames."""

    def __init__(self, mel: MelConfig, normalisation: str = "batch", channels: Sequence[int] = FOUR) -> None:
        super().__init__()
        self.blocks, self.width = _four_blocks(normalisation, channels), channels[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]."""
        return self.blocks(x).mean(dim=(2, 3))


class CNN2DGRU(nn.Module):
    """The four 2-D convolutions, then a recurrent layer over time (Choi et al., Convolutional recurrent neural
    networks for music classification, ICASSP 2017)."""

    def __init__(self, mel: MelConfig, normalisation: str = "batch", channels: Sequence[int] = FOUR) -> None:
        super().__init__()
        self.blocks, self.width = _four_blocks(normalisation, channels), channels[-1]
        self.gru = nn.GRU(channels[-1] * (mel.n_mels // 64), channels[-1], batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]."""
        x = self.blocks(x).flatten(1, 2).transpose(1, 2)  # [B, F/16, C*M/64]
        self.gru.flatten_parameters()  # copied weights lie apart in memory, which cuDNN warns about at every call
        return self.gru(x)[0].mean(dim=1)


class SampleCNN(nn.Module):
    """A strided convolution, eight basic blocks that pool by three, and a last convolution, all on the waveform (Kim,
    Lee and Nam: Sample-level CNN architectures for music auto-tagging, ICASSP 2018)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        widths = [128, 128, 128, 256, 256, 256, 256, 256, 512]
        self.strided = nn.Sequential(nn.Conv1d(1, 128, 3, stride=3, bias=False), normalisation(kind, 128, 1), nn.ReLU())
        self.blocks = nn.Sequential(*(conv_block(i, o, 3, kind, dimensions=1) for i, o in pairwise(widths)))
        self.last = nn.Sequential(nn.Conv1d(512, 512, 1), nn.ReLU())
        self.width = 512

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, T] -> [B, D]; needs 3**9 samples (0.9 s at 22,050 Hz)."""
        return self.last(self.blocks(self.strided(x))).mean(dim=2)  # blocks give [B, 512, T / 3**9]


class WaveformFrontend(nn.Module):
    """The waveform at unit level, for networks that learn their own front end."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, 1, T] with a root mean square of 1."""
        level = waveform.square().mean(dim=1, keepdim=True).sqrt()
        return (waveform / level.clamp_min(SILENCE)).unsqueeze(1)


class A1(nn.Module):
    """The core: spectro-temporal receptive fields long in time and tall in frequency, side by side."""

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.tall = nn.Conv2d(1, channels // 2, (15, 3), stride=2, padding=(7, 1), bias=False)
        self.long = nn.Conv2d(1, channels // 2, (3, 15), stride=2, padding=(1, 7), bias=False)
        self.norm = normalisation(kind, channels)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, C, M/4, F/4]."""
        return self.pool(torch.relu(self.norm(torch.cat([self.tall(x), self.long(x)], dim=1))))


class Area(nn.Module):
    """A recurrent area: a bottleneck whose output is its input again; the first round halves bands and frames.

    It applies the same convolutions several times, with a normalisation of its own at each time.
    """

    def __init__(self, inputs: int, outputs: int, times: int, kind: str) -> None:
        super().__init__()
        inner = 2 * outputs
        self.enter = nn.Conv2d(inputs, outputs, 1, bias=False)
        skip = nn.Conv2d(outputs, outputs, 1, stride=2, bias=False)
        self.skip = nn.Sequential(skip, normalisation(kind, outputs))
        self.widen = nn.Conv2d(outputs, inner, 1, bias=False)
        self.first = nn.Conv2d(inner, inner, 3, stride=2, padding=1, bias=False)
        self.again = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.narrow = nn.Conv2d(inner, outputs, 1, bias=False)
        self.norms = nn.ModuleList(
            nn.ModuleList(normalisation(kind, width) for width in (inner, inner, outputs)) for _ in range(times)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, inputs, M, F] -> [B, outputs, M/2, F/2]."""
        x = self.enter(x)
        for time, (widened, convolved, narrowed) in enumerate(self.norms):
            carried = x if time else self.skip(x)
            x = torch.relu(widened(self.widen(x)))
            x = torch.relu(convolved(self.again(x) if time else self.first(x)))
            x = torch.relu(narrowed(self.narrow(x)) + carried)
        return x


class AuditoryPathway(nn.Module):
    """A1 -> belt -> parabelt -> T2/T3, then a mean over bands and frames.

    Built like CORnet-S (Kubilius et al., Brain-like object recognition with high-performing shallow recurrent ANNs,
    NeurIPS 2019), whose areas V1, V2, V4 and IT have their counterparts in the areas of the auditory cortex (Kaas and
    Hackett, PNAS 2000): the core A1 answers to spectro-temporal patterns, belt and parabelt combine them over more
    and more bands and time, the temporal areas T2/T3 hold what the sound is.
    """

    def __init__(self, mel: MelConfig, normalisation: str = "batch") -> None:
        super().__init__()
        areas = (Area(AREAS[before], AREAS[name], TIMES[name], normalisation) for before, name in pairwise(AREAS))
        self.blocks = nn.Sequential(A1(AREAS["A1"], normalisation), *areas)
        self.width = AREAS["T2/T3"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, C]; needs 4 bands and 4 frames."""
        return self.blocks(x).mean(dim=(2, 3))


def _cnn_2d(n_classes: int, mel: dict, hidden: int = 0, **options: Any) -> AudioClassifier:
    """`hidden` units of a fully connected layer before the last one, 0: none."""
    config = MelConfig(**mel)
    encoder = CNN2D(config, **options)
    head = linear_head(hidden or encoder.width, n_classes, DROPOUT)
    if hidden:
        head = nn.Sequential(nn.Linear(encoder.width, hidden), nn.ReLU(), *head)
    return AudioClassifier(MelFrontend(config), encoder, head)


def _sample_cnn(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
    """`mel` is taken so that one recipe fits every model, and not used: the network sees the waveform."""
    return AudioClassifier(WaveformFrontend(), SampleCNN(normalisation), linear_head(512, n_classes, DROPOUT))


MODELS = {
    "cnn_var_time": partial(mel_classifier, CNNVarTime),
    "cnn_1d_5l": partial(mel_classifier, CNN1D, dropout=DROPOUT),
    "cnn_2d_4l": _cnn_2d,
    "cnn_2d_4l_gru": partial(mel_classifier, CNN2DGRU, dropout=DROPOUT),
    "sample_cnn": _sample_cnn,
    "auditory_pathway": partial(mel_classifier, AuditoryPathway),
}
