"""Frame-wise spectral features of notes by librosa, all from one shared transform of each: notebook 02.

Axes: B notes of a batch, T frames, F frequency bins, K values of a feature (McFee et al., "librosa: Audio and music
signal analysis in Python", SciPy 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import librosa
import numpy as np

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
        if self.seconds < SHORTEST_S:
            raise ValueError(f"notes are at least {SHORTEST_S} s long, got {self.seconds} s; pad them")

    @property
    def samples(self) -> int:
        """Samples of a note."""
        return round(self.seconds * self.sample_rate)


class Frames:
    """The shared short-time Fourier transform of a batch of waveforms, float32 [B, samples], and what it gives."""

    def __init__(self, waveforms: np.ndarray, config: SpectralConfig) -> None:
        self.waveforms = np.ascontiguousarray(waveforms, np.float32)
        self.config = config

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Magnitudes [B, T, F] of centred frames under a Hann window."""
        spectrum = librosa.stft(self.waveforms, n_fft=self.config.n_fft, hop_length=self.config.hop_length)
        return np.abs(spectrum).swapaxes(1, 2)

    @cached_property
    def mfcc(self) -> np.ndarray:
        """Mel-frequency cepstral coefficients [B, T, n_mfcc] (Davis and Mermelstein, 1980)."""
        mel, _ = _filters(self.config)
        levels = (librosa.power_to_db(mel @ np.square(note.T)) for note in self.magnitude)  # cut 80 dB below its top
        return np.stack([librosa.feature.mfcc(S=level, n_mfcc=self.config.n_mfcc).T for level in levels])

    @cached_property
    def tracks(self) -> dict[str, np.ndarray]:
        """Every feature by its name, float32 [B, T, K]."""
        notes = [self._note(*note) for note in zip(self.magnitude, self.waveforms, self.mfcc, strict=True)]
        return {name: np.stack([note[name].T for note in notes]).astype(np.float32) for name in notes[0]}

    def _note(self, magnitude: np.ndarray, waveform: np.ndarray, mfcc: np.ndarray) -> dict[str, np.ndarray]:
        """Features [K, T] of one note."""
        spectrum = {"S": magnitude.T, "sr": self.config.sample_rate}
        frame = {"frame_length": self.config.n_fft, "hop_length": self.config.hop_length}
        centroid = librosa.feature.spectral_centroid(**spectrum)
        _, pitch_classes = _filters(self.config)
        return {
            "mfcc": mfcc.T,
            "mfcc_delta": librosa.feature.delta(mfcc.T),
            "mfcc_delta2": librosa.feature.delta(mfcc.T, order=2),
            "centroid": centroid,
            "bandwidth": librosa.feature.spectral_bandwidth(**spectrum, centroid=centroid),
            "rolloff": librosa.feature.spectral_rolloff(**spectrum),
            "flatness": librosa.feature.spectral_flatness(S=magnitude.T),
            "contrast": librosa.feature.spectral_contrast(**spectrum),  # Jiang et al., ICME 2002
            "zero_crossing_rate": librosa.feature.zero_crossing_rate(waveform, **frame),
            "rms": librosa.feature.rms(y=waveform, **frame),
            "chroma": librosa.util.normalize(pitch_classes @ np.square(magnitude.T), norm=np.inf, axis=0),
        }


@lru_cache
def _filters(config: SpectralConfig) -> tuple[np.ndarray, np.ndarray]:
    """Banks [n_mels, F] of the mel bands and [12, F] of the pitch classes, which librosa would make for every note."""
    settings = {"sr": config.sample_rate, "n_fft": config.n_fft}
    return librosa.filters.mel(**settings, n_mels=config.n_mels), librosa.filters.chroma(**settings)
