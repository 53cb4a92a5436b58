"""Frame-wise spectral features of a batch of notes, all from one shared short-time Fourier transform.

Axes: B notes of a batch, T frames, F frequency bins, K values of a feature. Every feature is float32 [B, T, K].
Values equal those of librosa's function of the same name for the same n_fft and hop (McFee et al., "librosa: Audio
and music signal analysis in Python", SciPy 2015), which computes the transform anew for each feature and each note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import scipy.fft
import scipy.signal

SILENCE = 1e-10  # power below which librosa's decibels stop
DYNAMIC_RANGE = 80.0  # dB below the loudest value of a note where they are cut
CONTRAST_BANDS = 6  # octaves above CONTRAST_FLOOR, and one band below
CONTRAST_FLOOR = 200.0  # Hz
CONTRAST_QUANTILE = 0.02  # of a band's bins that count as its peak and as its valley
ROLLOFF = 0.85  # of a frame's magnitude lies below the roll-off frequency
DELTA_WIDTH = 9  # frames
SHORTEST_S = 3.7  # s: three of a held key and what follows are looked at


@dataclass(frozen=True)
class SpectralConfig:
    """How notes are cut to frames; features cached under one configuration are never read under another."""

    sample_rate: int = 16_000  # Hz
    seconds: float = 4.0  # every note is cut or padded to this length
    normalise: bool = True  # scale every note to a peak of 1, so that its level says nothing about it
    n_fft: int = 2_048  # samples, also the length of the frames in the time domain
    hop_length: int = 512  # samples
    n_mels: int = 128  # bands
    n_mfcc: int = 20  # coefficients

    def __post_init__(self) -> None:
        if self.n_fft % self.hop_length:
            raise ValueError(f"n_fft must be a multiple of hop_length, got {self.n_fft} and {self.hop_length}")
        if self.seconds < SHORTEST_S:
            raise ValueError(f"notes are at least {SHORTEST_S} s long, got {self.seconds} s; pad them")

    @property
    def samples(self) -> int:
        """Samples of a note."""
        return round(self.seconds * self.sample_rate)


class Frames:
    """The shared short-time Fourier transform of a batch of waveforms, float32 [B, samples]."""

    def __init__(self, waveforms: np.ndarray, config: SpectralConfig) -> None:
        self.waveforms = np.ascontiguousarray(waveforms, np.float32)
        self.config = config

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Magnitudes [B, T, F] of centred frames under a periodic Hann window.

        The transform is taken in double precision: single leaves rounding noise in valleys 70 dB below a peak, which
        the spectral contrast would report.
        """
        size, hop = self.config.n_fft, self.config.hop_length
        padded = self.centred(self.waveforms)
        framed = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop]  # [B, T, n_fft]
        window, buffer = scipy.signal.get_window("hann", size), np.empty(framed.shape[1:])
        magnitude = np.empty((*framed.shape[:2], size // 2 + 1), np.float32)
        for note, cut in enumerate(framed):  # one at a time, so that the double-precision frames stay in the cache
            spectrum = scipy.fft.rfft(np.multiply(cut, window, out=buffer), axis=-1)
            np.abs(spectrum.astype(np.complex64), out=magnitude[note])
        return magnitude

    @cached_property
    def power(self) -> np.ndarray:
        """Squared magnitudes [B, T, F]."""
        return np.square(self.magnitude)

    @cached_property
    def moments(self) -> np.ndarray:
        """Sums over frequency of magnitude × (1, f, f²), float64 [B, T, 3]: bandwidth needs the precision."""
        return self.magnitude.astype(np.float64) @ np.vander(self.frequencies, 3, increasing=True)

    @cached_property
    def mfcc(self) -> np.ndarray:
        """Mel-frequency cepstral coefficients [B, T, n_mfcc]."""
        mel = self.power @ _mel_filters(self.config)  # [B, T, n_mels]
        return scipy.fft.dct(decibels(mel), axis=-1, norm="ortho")[..., : self.config.n_mfcc]

    def centred(self, signal: np.ndarray, mode: str = "constant") -> np.ndarray:
        """Signal [B, n] padded by half a frame on both sides, so that frame t is centred on sample t × hop."""
        return np.pad(signal, ((0, 0), (self.config.n_fft // 2, self.config.n_fft // 2)), mode=mode)

    def sums(self, padded: np.ndarray) -> np.ndarray:
        """Sum over each frame [B, T] of a centred signal, from sums over blocks of one hop."""
        hop = self.config.hop_length
        whole = padded[:, : padded.shape[1] // hop * hop]
        blocks = whole.reshape(len(padded), -1, hop).sum(axis=-1)
        return np.lib.stride_tricks.sliding_window_view(blocks, self.config.n_fft // hop, axis=1).sum(axis=-1)

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of every bin in Hz, float64 [F]."""
        return scipy.fft.rfftfreq(self.config.n_fft, 1 / self.config.sample_rate)


def decibels(power: np.ndarray) -> np.ndarray:
    """Power [B, ...] in dB re 1, cut DYNAMIC_RANGE below the loudest value of each note."""
    level = 10 * np.log10(np.maximum(power, SILENCE))
    loudest = level.max(axis=tuple(range(1, level.ndim)), keepdims=True)
    return np.maximum(level, loudest - DYNAMIC_RANGE)


def mfcc(frames: Frames) -> np.ndarray:
    """Mel-frequency cepstral coefficients: the shape of the spectrum, coarse to fine (Davis and Mermelstein, 1980)."""
    return frames.mfcc


def mfcc_delta(frames: Frames) -> np.ndarray:
    """Slope of every coefficient over nine frames (Savitzky and Golay's filter)."""
    return _savgol(frames.mfcc, 1)


def mfcc_delta2(frames: Frames) -> np.ndarray:
    """Curvature of every coefficient over nine frames."""
    return _savgol(frames.mfcc, 2)


def centroid(frames: Frames) -> np.ndarray:
    """Centre of gravity of the spectrum in Hz: brightness."""
    total, first, _ = np.moveaxis(frames.moments, -1, 0)
    return _column(first / _positive(total))


def bandwidth(frames: Frames) -> np.ndarray:
    """Standard deviation of the spectrum about its centroid in Hz."""
    total, first, second = np.moveaxis(frames.moments, -1, 0)
    total = _positive(total)
    return _column(np.sqrt(np.maximum(second / total - np.square(first / total), 0)))


def rolloff(frames: Frames) -> np.ndarray:
    """Frequency in Hz below which 85 % of the magnitude lie."""
    cumulative = np.cumsum(frames.magnitude, axis=-1)
    reached = cumulative >= ROLLOFF * cumulative[..., -1:]
    return _column(frames.frequencies[reached.argmax(axis=-1)])


def flatness(frames: Frames) -> np.ndarray:
    """Geometric over arithmetic mean of the power: 1 for white noise, near 0 for a tone."""
    power = np.maximum(frames.power, SILENCE)
    return _column(np.exp(np.log(power).mean(axis=-1)) / power.mean(axis=-1))


def contrast(frames: Frames) -> np.ndarray:
    """Peaks over valleys in dB in seven octave bands: harmonic or noisy (Jiang et al., ICME 2002)."""
    peaks, valleys = [], []
    for low, high, count in _contrast_bands(frames.config):
        band = np.sort(frames.magnitude[..., low:high], axis=-1)
        valleys.append(band[..., :count].mean(axis=-1))
        peaks.append(band[..., -count:].mean(axis=-1))
    return decibels(np.stack(peaks, axis=-1)) - decibels(np.stack(valleys, axis=-1))


def zero_crossing_rate(frames: Frames) -> np.ndarray:
    """Share of neighbouring samples between which the sign changes."""
    negative = frames.centred(frames.waveforms, mode="edge") < -SILENCE
    changes = np.zeros(negative.shape, bool)
    np.not_equal(negative[:, 1:], negative[:, :-1], out=changes[:, 1:])
    size, hop = frames.config.n_fft, frames.config.hop_length
    first = changes[:, : changes.shape[1] - size + 1 : hop]  # a frame's first sample has no neighbour in it
    return _column((frames.sums(changes) - first) / size)


def rms(frames: Frames) -> np.ndarray:
    """Root mean square of the frame's samples."""
    return _column(np.sqrt(frames.sums(np.square(frames.centred(frames.waveforms))) / frames.config.n_fft))


def chroma(frames: Frames) -> np.ndarray:
    """Power folded to the twelve pitch classes, the strongest set to 1 (tuning fixed at A4 = 440 Hz)."""
    folded = frames.power @ _chroma_filters(frames.config)  # [B, T, 12]
    strongest = folded.max(axis=-1, keepdims=True)
    return folded / np.where(strongest < np.finfo(np.float32).tiny, 1, strongest)


FEATURES: dict[str, Callable[[Frames], np.ndarray]] = {
    "mfcc": mfcc,
    "mfcc_delta": mfcc_delta,
    "mfcc_delta2": mfcc_delta2,
    "centroid": centroid,
    "bandwidth": bandwidth,
    "rolloff": rolloff,
    "flatness": flatness,
    "contrast": contrast,
    "zero_crossing_rate": zero_crossing_rate,
    "rms": rms,
    "chroma": chroma,
}


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[..., None]  # [B, T, 1]


def _positive(total: np.ndarray) -> np.ndarray:
    """The sums, with 1 in place of the zeros of silent frames."""
    return np.where(total < np.finfo(np.float32).tiny, 1, total)


def _savgol(track: np.ndarray, order: int) -> np.ndarray:
    return scipy.signal.savgol_filter(track, DELTA_WIDTH, polyorder=order, deriv=order, axis=1, mode="interp")


@lru_cache
def _mel_filters(config: SpectralConfig) -> np.ndarray:
    import librosa

    return np.ascontiguousarray(librosa.filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels).T)


@lru_cache
def _chroma_filters(config: SpectralConfig) -> np.ndarray:
    import librosa

    return np.ascontiguousarray(librosa.filters.chroma(sr=config.sample_rate, n_fft=config.n_fft).T)


@lru_cache
def _contrast_bands(config: SpectralConfig) -> list[tuple[int, int, int]]:
    """For every band: first bin, bin after the last, and how many bins count as peak and as valley."""
    frequencies = scipy.fft.rfftfreq(config.n_fft, 1 / config.sample_rate)
    edges = np.concatenate([[0.0], CONTRAST_FLOOR * 2.0 ** np.arange(CONTRAST_BANDS + 1)])
    bands = []
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((frequencies >= low) & (frequencies <= high))
        first, last = inside[0] - (number > 0), inside[-1] + 1
        if number == CONTRAST_BANDS:
            last = len(frequencies)
        count = max(1, round(CONTRAST_QUANTILE * (last - first)))
        bands.append((int(first), int(last - (number < CONTRAST_BANDS)), count))
    return bands
