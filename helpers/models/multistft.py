"""Several STFT spectrograms of one clip, each seen by its own branch of a network: notebook 05.

Model 1.0 looks at three frequency bands with three FFT sizes each: nine branches, each a full extractor. Model 2.x
looks at each band with the one FFT size that suits it: long windows where partials lie close, short ones where
attacks are sharp; model 2.3 starts its branches from PANNs weights (Kong et al., PANNs, TASLP 2020).

Axis letters: B batch, T samples, S spectrograms, C channels, D embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from helpers.features.mel import power_spectrogram
from helpers.models.base import AudioClassifier, conv_block
from helpers.models.panns import first_convolutions

SAMPLE_RATE = 22_050  # Hz
SIZE = (128, 100)  # rows, columns of every spectrogram
DYNAMIC_RANGE = 8.0  # powers of ten below the loudest point of a clip, where silence begins
CHANNELS = (64, 128, 256, 512)


@dataclass(frozen=True)
class Band:
    """A stretch of the spectrum and the FFT that looks at it."""

    low: float  # Hz
    high: float  # Hz
    n_fft: int  # samples

    @property
    def bins(self) -> slice:
        """Rows of the STFT that belong to the band."""
        width = SAMPLE_RATE / self.n_fft  # Hz
        return slice(round(self.low / width), round(self.high / width) + 1)


EDGES = ((0.0, 1_000.0), (1_000.0, 4_000.0), (4_000.0, 11_025.0))  # Hz
FFT_SIZES = (1024, 512, 256)
THREE_BANDS = tuple(Band(*edges, n_fft) for edges, n_fft in zip(EDGES, FFT_SIZES, strict=True))
NINE_VIEWS = tuple(Band(*edges, n_fft) for edges in EDGES for n_fft in FFT_SIZES)


class BandSpectrograms(nn.Module):
    """Log-power STFT of each band, scaled to 128 x 100 and, if wanted, normalised to mean 0 and deviation 1."""

    def __init__(self, bands: Sequence[Band], normalise: bool) -> None:
        super().__init__()
        self.bands, self.normalise = bands, normalise
        for n_fft in {band.n_fft for band in bands}:
            self.register_buffer(f"window{n_fft}", torch.hann_window(n_fft), persistent=False)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, S, 128, 100]."""
        waveform = F.pad(waveform.float(), (0, max(0, max(FFT_SIZES) - waveform.shape[1])))
        views = torch.cat([self._view(waveform, band) for band in self.bands], dim=1)
        if not self.normalise:
            return views
        mean, deviation = views.mean(dim=(2, 3), keepdim=True), views.std(dim=(2, 3), keepdim=True)
        return (views - mean) / deviation.clamp_min(1e-3)

    def _view(self, waveform: torch.Tensor, band: Band) -> torch.Tensor:
        """[B, T] -> [B, 1, 128, 100]."""
        window = getattr(self, f"window{band.n_fft}")
        power = power_spectrogram(waveform, window, band.n_fft // 4)  # [B, bins, frames]
        power = power / power.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
        level = torch.log10(power[:, band.bins] + 10**-DYNAMIC_RANGE)
        return F.interpolate(level.unsqueeze(1), SIZE, mode="bilinear", antialias=True, align_corners=False)


class PANNsFeatureExtractor(nn.Module):
    """Four blocks of conv 3x3 - BN - ReLU - max-pool 2 and a mean over time and frequency.

    With 64-128-256-512 channels its 1,550,784 parameters have the shapes of the first convolution of each block of
    PANNs' Cnn10 and Cnn14.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(conv_block(i, o) for i, o in pairwise([1, *channels]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, 128, 100] -> [B, channels[-1]]."""
        for block in self.blocks:
            x = block(x)
        return x.mean(dim=(2, 3))


class Branches(nn.Module):
    """One feature extractor for each spectrogram; their outputs side by side."""

    def __init__(self, count: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(PANNsFeatureExtractor(channels) for _ in range(count))
        self.width = count * channels[-1]

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """[B, S, 128, 100] -> [B, D]."""
        parts = [branch(views[:, [number]]) for number, branch in enumerate(self.branches)]
        return torch.cat(parts, dim=1)

    def load_panns(self, state: dict[str, torch.Tensor]) -> None:
        """Start every branch from the convolutions of a published PANNs network (Cnn6, Cnn10 or Cnn14).

        Raises:
            InputError: the weights are of another network.
        """
        weights = first_convolutions(state)
        for branch in self.branches:
            branch.load_state_dict(weights)


def decision_head(width: int, n_classes: int, dropout: float = 0.3) -> nn.Sequential:
    """width -> width -> width/2 -> width/3 -> classes, with BN, ReLU and dropout between."""
    half, third = width // 2, width // 3
    return nn.Sequential(
        nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, half), nn.BatchNorm1d(half), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(half, third), nn.BatchNorm1d(third), nn.ReLU(),
        nn.Linear(third, n_classes),
    )  # fmt: skip


def _branched(
    bands: Sequence[Band], head: Callable[[int, int], nn.Module],
    n_classes: int, channels: Sequence[int] = CHANNELS, normalise: bool = True,
) -> AudioClassifier:  # fmt: skip
    encoder = Branches(len(bands), channels)
    return AudioClassifier(BandSpectrograms(bands, normalise), encoder, head(encoder.width, n_classes))


MODELS = {
    "three_band": partial(_branched, THREE_BANDS, decision_head),
    "nine_branch": partial(_branched, NINE_VIEWS, nn.Linear),
}
