"""Several STFT spectrograms of one clip, each seen by its own branch of a network: notebook 05.

Model 1.0 looks at three frequency bands with three FFT sizes each: nine branches, each a full extractor. Model 2.x
looks at each band with the one FFT size that suits it: long windows where partials lie close, short ones where
attacks are sharp; model 2.3 starts its branches from PANNs weights (Kong et al., PANNs, TASLP 2020). One branch that
sees one bank of filters is what they are compared with.
Axis letters: B batch, T samples, S spectrograms, K bins, F frames, C channels, D embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torchaudio.functional import melscale_fbanks

from helpers.features.mel import power_spectrogram
from helpers.models.base import AudioClassifier, conv_block
from helpers.models.panns import first_convolutions

SAMPLE_RATE = 22_050  # Hz
SIZE = (128, 100)  # rows, columns of every spectrogram
DYNAMIC_RANGE = 8.0  # powers of ten below the loudest point of a clip, where silence begins
CHANNELS = (64, 128, 256, 512)
SHORT, LONG = 2_048, 8_192  # samples of spectra behind which a bank of filters stands
LOWEST = 80.0  # Hz, of these banks


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


def picture(power: torch.Tensor, rows: slice = slice(None)) -> torch.Tensor:
    """Some rows of power [B, K, F], as logarithms relative to the clip's peak, scaled to [B, 1, 128, 100]."""
    power = power / power.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    level = torch.log10(power[:, rows] + 10**-DYNAMIC_RANGE)
    return F.interpolate(level.unsqueeze(1), SIZE, mode="bilinear", antialias=True, align_corners=False)


def normalised(views: torch.Tensor) -> torch.Tensor:
    """Every spectrogram of [B, S, rows, columns] with mean 0 and deviation 1."""
    mean, deviation = views.mean(dim=(2, 3), keepdim=True), views.std(dim=(2, 3), keepdim=True)
    return (views - mean) / deviation.clamp_min(1e-3)


class BandSpectrograms(nn.Module):
    """Log-power STFT of each band, scaled to 128 x 100 and, if wanted, normalised to mean 0 and deviation 1."""

    def __init__(self, bands: Sequence[Band], normalise: bool = True) -> None:
        super().__init__()
        self.bands, self.normalise = bands, normalise
        for n_fft in {band.n_fft for band in bands}:
            self.register_buffer(f"window{n_fft}", torch.hann_window(n_fft), persistent=False)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, S, 128, 100], not normalised in powers of ten relative to the clip's peak."""
        waveform = F.pad(waveform.float(), (0, max(0, max(FFT_SIZES) - waveform.shape[1])))
        windows = (getattr(self, f"window{band.n_fft}") for band in self.bands)
        powers = (power_spectrogram(waveform, window, len(window) // 4) for window in windows)
        views = torch.cat([picture(power, band.bins) for power, band in zip(powers, self.bands, strict=True)], dim=1)
        return normalised(views) if self.normalise else views


def mel_bank() -> torch.Tensor:
    """Triangles on the mel scale, for the power of a short spectrum: [128, K]."""
    return melscale_fbanks(SHORT // 2 + 1, LOWEST, SAMPLE_RATE / 2, SIZE[0], SAMPLE_RATE).T


def gammatone_bank() -> torch.Tensor:
    """Fourth-order gammatone filters for the power of a short spectrum: [128, K].

    Evenly spaced and one equivalent rectangular bandwidth wide, as the ear's are (Glasberg and Moore, Derivation of
    auditory filter shapes from notched-noise data, Hearing Research 1990).
    """
    hertz = torch.linspace(0, SAMPLE_RATE / 2, SHORT // 2 + 1)
    ends = torch.log10(1 + 4.37e-3 * torch.tensor([LOWEST, SAMPLE_RATE / 2]))
    centres = (10 ** torch.linspace(*ends.tolist(), SIZE[0])[:, None] - 1) / 4.37e-3
    widths = 1.019 * 24.7 * (1 + 4.37e-3 * centres)  # Hz
    return (1 + ((hertz - centres) / widths) ** 2) ** -4


def constant_q_bank() -> torch.Tensor:
    """Windowed tones, 18 to the octave and all of as many periods, for a long complex spectrum: complex [128, K].

    Brown and Puckette, An efficient algorithm for the calculation of a constant Q transform, JASA 1992.
    """
    tones = torch.zeros(SIZE[0], LONG, dtype=torch.complex64)
    for row, hertz in enumerate((LOWEST * 2 ** (torch.arange(SIZE[0]) / 18)).tolist()):
        length = round(SAMPLE_RATE / (2 ** (1 / 18) - 1) / hertz)  # samples; that of the lowest tone is nearly LONG
        phase = 2 * torch.pi * hertz / SAMPLE_RATE * torch.arange(length)
        first = (LONG - length) // 2
        tones[row, first : first + length] = torch.polar(torch.hann_window(length) / length, phase)
    return torch.fft.fft(tones)[:, : LONG // 2 + 1].conj()


TRANSFORMS = {"mel": mel_bank, "gammatone": gammatone_bank, "constant-Q": constant_q_bank}


class FilterBank(nn.Module):
    """Log power behind one bank of 128 filters over the whole spectrum, scaled to 128 x 100 and normalised."""

    def __init__(self, transform: str) -> None:
        super().__init__()
        self.register_buffer("bank", TRANSFORMS[transform](), persistent=False)
        window = torch.ones(LONG) if self.bank.is_complex() else torch.hann_window(SHORT)  # tones bring their own
        self.register_buffer("window", window, persistent=False)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, 1, 128, 100]."""
        n_fft = len(self.window)
        waveform = F.pad(waveform.float(), (0, max(0, n_fft - waveform.shape[1])))
        with torch.autocast(waveform.device.type, enabled=False):  # eight powers of ten need 32 bits
            if not self.bank.is_complex():
                return normalised(picture(self.bank @ power_spectrogram(waveform, self.window, n_fft // 4)))
            spectrum = torch.stft(waveform, n_fft, n_fft // 8, window=self.window, return_complex=True)
            return normalised(picture((self.bank @ spectrum).abs().square()))


class PANNsFeatureExtractor(nn.Module):
    """Four blocks of conv 3x3 - BN - ReLU - max-pool 2 and a mean over time and frequency.

    With 64-128-256-512 channels its 1,550,784 parameters have the shapes of the first convolution of each block of
    PANNs' Cnn10 and Cnn14.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(conv_block(i, o) for i, o in pairwise([1, *channels])))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, 128, 100] -> [B, channels[-1]]."""
        return self.blocks(x).mean(dim=(2, 3))


class Branches(nn.Module):
    """One feature extractor for each spectrogram; their outputs side by side."""

    def __init__(self, count: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(PANNsFeatureExtractor(channels) for _ in range(count))
        self.width = count * channels[-1]

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """[B, S, 128, 100] -> [B, D]."""
        return torch.cat([branch(views[:, [number]]) for number, branch in enumerate(self.branches)], dim=1)

    def load_panns(self, state: dict[str, torch.Tensor]) -> None:
        """Start every branch from the convolutions of a published PANNs network (Cnn6, Cnn10 or Cnn14)."""
        weights = first_convolutions(state)
        for branch in self.branches:
            branch.load_state_dict(weights)


def decision_head(width: int, n_classes: int) -> nn.Sequential:
    """width -> width -> width/2 -> width/3 -> classes, with BN, ReLU and dropout between."""
    half, third = width // 2, width // 3
    return nn.Sequential(
        nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(width, half), nn.BatchNorm1d(half), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(half, third), nn.BatchNorm1d(third), nn.ReLU(),
        nn.Linear(third, n_classes),
    )  # fmt: skip


def _branched(
    bands: Sequence[Band], head: Callable[[int, int], nn.Module], n_classes: int, channels: Sequence[int] = CHANNELS,
    normalise: bool = True,
) -> AudioClassifier:  # fmt: skip
    encoder = Branches(len(bands), channels)
    return AudioClassifier(BandSpectrograms(bands, normalise), encoder, head(encoder.width, n_classes))


def _one_branch(n_classes: int, transform: str, channels: Sequence[int] = CHANNELS) -> AudioClassifier:
    encoder = Branches(1, channels)
    return AudioClassifier(FilterBank(transform), encoder, decision_head(encoder.width, n_classes))


MODELS = {
    "three_band": partial(_branched, THREE_BANDS, decision_head),
    "nine_branch": partial(_branched, NINE_VIEWS, nn.Linear),
    "one_branch": _one_branch,
}
