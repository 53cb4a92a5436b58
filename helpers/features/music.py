"""Statistics of timbre, harmony and rhythm, and wavelet scattering: one vector a waveform, in torch; notebook 06.

What a linear classifier needs to tell genres where there are too few tracks to learn a front end from. The blocks:
cepstrum (mel-frequency cepstral coefficients: mean, spread, speed, log-covariance), contrast (peaks and valleys in
octave bands; Jiang et al., ICME 2002), shape (brightness, width, flatness, level, flux), harmony (pitch classes,
independent of the key), modulation (energy of each band's loudness fluctuations by their rate; McKinney and
Breebaart, ISMIR 2003).
Axis letters: B batch, T samples, N frames, F frequency bins, M mel bands, K cepstral coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn
from torchaudio.functional import compute_deltas, melscale_fbanks

from helpers.features.mel import power_spectrogram
from helpers.features.notes import cosines

N_FFT = 2048  # samples
HOP = 512  # samples
FINE_N_FFT = 1024  # samples: the fine cepstrum follows quick changes, in twice as many bands and coefficients
FINE_FLOOR = 1e-6  # power
N_MELS = 64  # bands of the cepstrum and the modulation spectrum
N_CEPSTRUM = 20  # coefficients
N_COVARIANCE = 13  # of them enter the log-covariance
FLOOR = 1e-8  # power that counts as silence
OCTAVES = 8  # bands of the contrast, each twice as wide as the one below
EXTREME = 0.1  # share of a band's bins that count as its peak and as its valley
ROLLOFF = 0.85  # of a frame's power lies below the roll-off frequency
CHROMA_N_FFT = 4096  # samples; resolves semitones from about 200 Hz
CHROMA_RANGE = (100.0, 4000.0)  # Hz
MODULATION_EDGES = (0.4, 0.8, 1.2, 1.7, 2.4, 3.4, 4.8, 6.8, 9.6, 14.0, 21.0)  # Hz: of slow phrases to roughness
MODULATION_BANDS = 32
MODULATION_N_FFT = 1024  # frames, padded


class Statistics(nn.Module):
    """Waveform [B, T] -> statistics [B, D] in named blocks, computed with the help of `tables`."""

    blocks: Callable[[torch.Tensor], dict[str, torch.Tensor]]  # waveform [B, T] -> each block by name, [B, its width]

    def __init__(self, sample_rate: int, **tables: torch.Tensor) -> None:
        super().__init__()
        self.sample_rate = sample_rate  # Hz
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)

    @property
    def widths(self) -> dict[str, int]:
        """Number of values of each block, in their order."""
        with torch.no_grad():
            silence = torch.zeros(1, 2 * self.sample_rate, device=self.window.device)
            return {name: block.shape[1] for name, block in self.blocks(silence).items()}

    def columns(self, *beginnings: str) -> list[int]:
        """Indices of the columns of all blocks whose names begin so."""
        names = [name for name, width in self.widths.items() for _ in range(width)]
        return [number for number, name in enumerate(names) if name.startswith(beginnings)]

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, D], the blocks one after the other."""
        return torch.cat(list(self.blocks(waveform).values()), dim=1)


class TimbreStatistics(Statistics):
    """Waveform [B, T] -> statistics [B, width]; T must hold at least two seconds."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(
            sample_rate,
            window=torch.hann_window(N_FFT), mel=slaney_bank(N_MELS, N_FFT, 0.0, sample_rate),
            dct=cosines(N_CEPSTRUM, N_MELS), fine_window=torch.hann_window(FINE_N_FFT),
            fine_mel=slaney_bank(2 * N_MELS, FINE_N_FFT, 30.0, sample_rate),
            fine_dct=cosines(2 * N_CEPSTRUM, 2 * N_MELS), chroma_window=torch.hann_window(CHROMA_N_FFT),
            pitch_classes=pitch_classes(sample_rate),
        )  # fmt: skip

    def blocks(self, waveform: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each block by name, [B, its width]."""
        power = power_spectrogram(waveform, self.window, HOP)  # [B, F, N]
        log_mel = torch.log(self.mel @ power + FLOOR)  # [B, M, N]
        cepstrum = self.dct @ log_mel  # [B, K, N]
        slope = compute_deltas(cepstrum, 9)
        fine_mel = self.fine_mel @ power_spectrogram(waveform, self.fine_window, HOP)
        fine = self.fine_dct @ torch.log(fine_mel + FINE_FLOOR)
        speed = fine[:, :, 2:] - fine[:, :, :-2]
        chroma = self.pitch_classes @ power_spectrogram(waveform, self.chroma_window, CHROMA_N_FFT // 4)  # [B, 12, N]
        last = power.shape[1] - 1
        edges = [0, *(round(last / 2**octave) for octave in range(OCTAVES - 1, 0, -1)), last + 1]
        height, valley = contrast(torch.log(power + 1e-10), edges)
        return {
            "cepstrum mean": cepstrum.mean(dim=2),
            "cepstrum spread": cepstrum.std(dim=2),
            "cepstrum slope": slope.std(dim=2),
            "cepstrum curvature": compute_deltas(slope, 9).std(dim=2),
            "cepstrum covariance": log_covariance(cepstrum[:, :N_COVARIANCE]),
            "shape": shape(waveform, power),
            "contrast": mean_and_spread(height),
            "valleys": mean_and_spread(valley),
            "harmony": harmony(chroma),
            "modulation": modulation(log_mel, MODULATION_BANDS, self.sample_rate / HOP, MODULATION_EDGES),
            "fine cepstrum": torch.cat([mean_and_spread(fine), speed.std(dim=2)], dim=1),
        }


def shape(waveform: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
    """Mean and spread of seven descriptors of each frame of power [B, F, N]."""
    power = power + FLOOR
    total = power.sum(dim=1)
    frequency = torch.linspace(0, 1, power.shape[1], device=power.device)[:, None]  # of the Nyquist frequency
    centroid = (power * frequency).sum(dim=1) / total
    width = ((power * (frequency - centroid[:, None]).square()).sum(dim=1) / total).sqrt()
    rolloff = (power.cumsum(dim=1) < ROLLOFF * total[:, None]).float().mean(dim=1)
    level = torch.log(power.mean(dim=1))
    flatness = torch.log(power).mean(dim=1) - level
    flux = torch.log(power).diff(dim=2).clamp_min(0).mean(dim=1)
    crossings = (waveform[:, 1:] * waveform[:, :-1] < 0).float().unfold(1, N_FFT, HOP).mean(dim=2)
    tracks = [torch.log(centroid), torch.log(width), rolloff, flatness, level, flux, crossings]
    return torch.stack([pooled for x in tracks for pooled in (x.mean(dim=1), x.std(dim=1))], dim=1)


def harmony(chroma: torch.Tensor) -> torch.Tensor:
    """How pitch classes [B, 12, N] are used, whatever the key: magnitudes of their circular Fourier transform."""
    chroma = chroma / (chroma.sum(dim=1, keepdim=True) + FLOOR)
    entropy = -(chroma * torch.log(chroma + FLOOR)).sum(dim=1)
    change = chroma.diff(dim=2).abs().sum(dim=1)
    overall = torch.fft.rfft(chroma.mean(dim=2), dim=1).abs()[:, 1:]
    by_frame = torch.fft.rfft(chroma, dim=1).abs()[:, 1:]
    scalars = [entropy.mean(dim=1), entropy.std(dim=1), change.mean(dim=1), change.std(dim=1)]
    return torch.cat([overall, mean_and_spread(by_frame), torch.stack(scalars, dim=1)], dim=1)


def slaney_bank(n_mels: int, n_fft: int, lowest: float, sample_rate: int) -> torch.Tensor:
    """Triangles of equal area on Slaney's mel scale from `lowest` Hz on, [M, F]."""
    bins, highest = n_fft // 2 + 1, sample_rate / 2
    return melscale_fbanks(bins, lowest, highest, n_mels, sample_rate, norm="slaney", mel_scale="slaney").T


def mean_and_spread(tracks: torch.Tensor) -> torch.Tensor:
    """Means and standard deviations over time: [B, K, N] -> [B, 2 K]."""
    return torch.cat([tracks.mean(dim=2), tracks.std(dim=2)], dim=1)


def contrast(log_power: torch.Tensor, edges: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """How far the peaks of a band stand above its valleys, and the valleys, between edges in bins: [B, O, N] each."""
    heights, valleys = [], []
    for low, high in pairwise(edges):
        band = log_power[:, low:high].sort(dim=1).values
        count = max(1, round(EXTREME * (high - low)))
        valleys.append(band[:, :count].mean(dim=1))
        heights.append(band[:, -count:].mean(dim=1) - valleys[-1])
    return torch.stack(heights, dim=1), torch.stack(valleys, dim=1)


def modulation(
    log_mel: torch.Tensor, n_bands: int, frame_rate: float, edges: Sequence[float], n_fft: int = MODULATION_N_FFT
) -> torch.Tensor:
    """Log energy of the fluctuations of log mel power [B, M, N], by band and rate between edges in Hz: [B, D]."""
    batch, _, frames = log_mel.shape
    bands = log_mel.reshape(batch, n_bands, -1, frames).mean(dim=2)
    taper = torch.hann_window(frames, device=log_mel.device)
    spectrum = torch.fft.rfft((bands - bands.mean(dim=2, keepdim=True)) * taper, n=max(frames, n_fft))
    energy = spectrum.abs().square() / taper.square().sum()
    rate = torch.linspace(0, frame_rate / 2, energy.shape[2], device=log_mel.device)  # Hz
    means = [energy[:, :, (rate >= low) & (rate < high)].mean(dim=2) for low, high in pairwise(edges)]
    return torch.log(torch.stack(means, dim=2) + 1e-3).flatten(1)


def log_covariance(x: torch.Tensor, ridge: float = 0.01) -> torch.Tensor:
    """Matrix logarithm of the covariance over time plus a ridge, upper triangle: [B, K, N] -> [B, K * (K + 1) / 2].

    The logarithm takes covariance matrices to a flat space where Euclidean distances make sense (Arsigny et al.,
    Log-Euclidean metrics, 2006).
    """
    centred = x - x.mean(dim=2, keepdim=True)
    covariance = centred @ centred.transpose(1, 2) / x.shape[2] + ridge * torch.eye(x.shape[1], device=x.device)
    values, vectors = torch.linalg.eigh(covariance)
    logarithm = vectors @ torch.diag_embed(torch.log(values)) @ vectors.transpose(1, 2)
    rows, columns = torch.triu_indices(x.shape[1], x.shape[1])
    return logarithm[:, rows, columns]


def pitch_classes(sample_rate: int) -> torch.Tensor:
    """Weights [12, F] that fold the spectrum's bins to pitch classes, a Gaussian of one semitone around each."""
    frequency = torch.linspace(0, sample_rate / 2, CHROMA_N_FFT // 2 + 1)
    pitch = 12 * torch.log2(frequency.clamp_min(1.0) / 440.0)  # semitones above A4
    distance = (pitch[None, :] - torch.arange(12)[:, None] + 6) % 12 - 6
    weights = torch.exp(-0.5 * (distance / 0.5) ** 2) / math.sqrt(2 * math.pi)
    return weights * ((frequency >= CHROMA_RANGE[0]) & (frequency <= CHROMA_RANGE[1]))


SCATTERING_OCTAVES = 12  # J: coefficients are averaged over 2**12 samples, 0.19 s at 22,050 Hz
PER_OCTAVE = 8  # Q: wavelets an octave in the first order
SCATTERING_FLOOR = 1e-5  # scattering of a full-scale signal is about one
QUIET = 1e-4


class Scattering(nn.Module):
    """Wavelet scattering: waveform [B, samples] -> [B, width] (Andén and Mallat, IEEE TSP 2014).

    Mean log coefficients of first order, which are a mel-like spectrum, and of second order, which say how fast each
    band's envelope fluctuates, and the spread of the first; by kymatio (Andreux et al., JMLR 2020), whose filters are
    made for one length of signal.
    """

    def __init__(self, samples: int) -> None:
        super().__init__()
        from kymatio.torch import Scattering1D

        self.samples = samples
        octaves = min(SCATTERING_OCTAVES, samples.bit_length() - 2)
        self.transform = Scattering1D(J=octaves, Q=PER_OCTAVE, shape=(samples,))
        order = torch.tensor(self.transform.meta()["order"])
        self.first, self.second = torch.nonzero(order == 1)[:, 0], torch.nonzero(order == 2)[:, 0]
        self.widths = {"first": len(self.first), "second": len(self.second), "spread": len(self.first)}

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, width]; T is fitted to the length that the wavelets were made for."""
        missing = self.samples - waveform.shape[1]
        waveform = nn.functional.pad(waveform, (0, missing)) if missing > 0 else waveform[:, : self.samples]
        level = waveform.square().mean(dim=1, keepdim=True).sqrt().clamp_min(QUIET)
        coefficients = torch.log(self.transform(waveform / level) + SCATTERING_FLOOR)  # [B, paths, frames]
        first = coefficients[:, self.first]
        blocks = [first.mean(dim=2), coefficients[:, self.second].mean(dim=2), first.std(dim=2, correction=0)]
        return torch.cat(blocks, dim=1)
