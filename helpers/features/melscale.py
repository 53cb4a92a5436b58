"""Mel spectrograms as the two common libraries make them by default, to see that only conventions differ.

torchaudio: the mel scale of HTK (Young et al., The HTK Book), triangles with a peak of 1. librosa: the scale of
Slaney's Auditory Toolbox (1998), linear below 1 kHz, triangles with equal area. Each offers the other's convention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torchaudio

from helpers.config import MelConfig


@dataclass(frozen=True)
class Convention:
    """A mel scale and how its triangles are normalised."""

    scale: Literal["htk", "slaney"]
    equal_area: bool

    @property
    def norm(self) -> str | None:
        """What both libraries call the normalisation."""
        return "slaney" if self.equal_area else None


TORCHAUDIO = Convention("htk", equal_area=False)
LIBROSA = Convention("slaney", equal_area=True)


def torchaudio_filters(config: MelConfig, convention: Convention = TORCHAUDIO) -> np.ndarray:
    """Filter bank [n_mels, n_fft // 2 + 1] of torchaudio."""
    filters = torchaudio.functional.melscale_fbanks(
        config.n_fft // 2 + 1, config.f_min, config.f_max, config.n_mels, config.sample_rate,
        norm=convention.norm, mel_scale=convention.scale,
    )  # fmt: skip
    return filters.T.numpy()


def librosa_filters(config: MelConfig, convention: Convention = LIBROSA) -> np.ndarray:
    """Filter bank [n_mels, n_fft // 2 + 1] of librosa."""
    import librosa

    return librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.f_min, fmax=config.f_max,
        htk=convention.scale == "htk", norm=convention.norm,
    )  # fmt: skip


def mel_power(waveforms: np.ndarray, config: MelConfig, filters: np.ndarray) -> np.ndarray:
    """Mel power [notes, n_mels, frames] of waveforms [notes, samples]: Hann window, centred frames, then the bank."""
    spectrogram = torchaudio.transforms.Spectrogram(config.n_fft, hop_length=config.hop_length, power=2.0)
    power = spectrogram(torch.from_numpy(waveforms))  # [notes, bins, frames]
    return (torch.from_numpy(filters) @ power).numpy()


def decibels(power: np.ndarray, reference: float, floor: float) -> np.ndarray:
    """Power in dB relative to a reference power, cut at `floor` dB."""
    return np.maximum(10 * np.log10(np.maximum(power, 1e-20) / reference), floor)


def centres(filters: np.ndarray, config: MelConfig) -> np.ndarray:
    """Frequency in Hz [n_mels] at the centre of gravity of every band."""
    frequencies = np.linspace(0, config.nyquist, filters.shape[1])
    return filters @ frequencies / filters.sum(axis=1)
