"""Mel spectrograms, explained in notebook 01: the front end of all networks, and the two libraries' conventions.

The front end is a torch module, so that a checkpoint carries it and inference needs only audio.
Axis letters: B batch, T samples, K bins of the spectrum, M mel bands, F frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torchaudio.functional import melscale_fbanks
from torchaudio.transforms import MelSpectrogram

from helpers.config import MelConfig

LOG_FLOOR = 1e-10  # relative to the loudest bin; 100 dB, because the noise between the partials tells families apart
SILENCE = 1e-6  # power of the loudest bin; keeps the level of a silent clip finite
AT_ONCE = 2  # clips whose spectra fit into a processor's cache
TOGETHER = 16  # filters: enough for a product at full speed, and few enough to reach few bins


def power_spectrogram(
    waveform: torch.Tensor, window: torch.Tensor, hop_length: int, pad_mode: str = "reflect"
) -> torch.Tensor:
    """Power of frames, [B, T] -> [B, K, F]: real² + imaginary², without the root and copies of a magnitude.

    Frames are centred on multiples of the hop, the waveform mirrored at its ends (or, "constant", silence).
    """
    spectrum = torch.stft(waveform, len(window), hop_length, window=window, pad_mode=pad_mode, return_complex=True)
    return spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)


def relative(power: torch.Tensor) -> torch.Tensor:
    """Power [B, …, F] divided by each clip's largest value."""
    return power / power.amax(dim=(1, 2), keepdim=True).clamp_min(SILENCE)


class SpectralFrontend(nn.Module):
    """A front end that begins with power spectra: Hann window, frames centred on multiples of the hop."""

    n_fft: int  # samples
    hop_length: int  # samples
    pad_mode: str  # at the ends of a waveform: "reflect", or "constant" for silence
    window: torch.Tensor  # [n_fft]
    reduce: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]  # of power spectra [B, F, K] the little that is needed
    features: Callable[..., torch.Tensor]  # of waveforms [B, T] and the reduced spectra what the encoder sees

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> features [B, ...], in float32."""
        return front_ends([self], waveform)[0]


def front_ends(frontends: Sequence[SpectralFrontend], waveform: torch.Tensor) -> list[torch.Tensor]:
    """Features of waveforms [B, T] by each front end; spectra that several begin with are computed once.

    On a processor few clips go at a time, because their spectra stay in the cache until they are reduced.
    """
    with torch.autocast(waveform.device.type, enabled=False):
        waveform = waveform.float()
        clips = waveform.split(AT_ONCE if waveform.device.type == "cpu" else len(waveform))
        reduced = zip(*(_reduced(frontends, clip) for clip in clips), strict=True)  # by front end, then by clip
        return [frontend.features(waveform, *map(torch.cat, zip(*parts, strict=True)))
                for frontend, parts in zip(frontends, reduced, strict=True)]  # fmt: skip


def _reduced(frontends: Sequence[SpectralFrontend], waveform: torch.Tensor) -> list[tuple[torch.Tensor, ...]]:
    """The reduced spectra of each front end; frames of a short hop serve all its multiples."""
    spectra: dict[tuple[int, str, int], torch.Tensor] = {}
    found = []
    for frontend in frontends:
        n_fft, pad_mode, hop = frontend.n_fft, frontend.pad_mode, frontend.hop_length
        hops = [one.hop_length for one in frontends if (one.n_fft, one.pad_mode) == (n_fft, pad_mode)]
        kind = n_fft, pad_mode, min(shorter for shorter in hops if hop % shorter == 0)
        if kind not in spectra:
            spectra[kind] = power_spectrogram(waveform, frontend.window, kind[2], pad_mode).transpose(1, 2)  # [B, F, K]
        found.append(frontend.reduce(spectra[kind][:, :: hop // kind[2]]))
    return found


class FilterBank:
    """Neighbouring filters of a bank [K, M] in groups with the bins that they reach: most of a bank is zeros."""

    def __init__(self, bank: torch.Tensor) -> None:
        self.groups = []
        for first in range(0, bank.shape[1], TOGETHER):
            filters = slice(first, first + TOGETHER)
            bins = bank[:, filters].any(1).nonzero()[:, 0].tolist() or [0]
            self.groups.append((slice(bins[0], bins[-1] + 1), filters))

    def __call__(self, bank: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
        """Power in the bands of a bank of this form, [B, F, K] -> [B, M, F]."""
        bands = [power[..., bins] @ bank[bins, filters] for bins, filters in self.groups]
        return torch.cat(bands, -1).transpose(1, 2)


class MelFrontend(SpectralFrontend):
    """Mel power spectrogram relative to its clip's peak, logarithmic or linear, with learned input statistics.

    The power spectrogram (mel scale of HTK, triangles of torchaudio) is divided by its largest value, which makes the
    result independent of playback level. `compression="log"` takes log10(power + 1e-10), a range of 100 dB;
    `compression="linear"` keeps power as it is. Both are standardised per mel band by batch statistics that are frozen
    into the module after training: linear power is spread over six decades and very unequal between bands, so without
    its own scale per band the loudest few bands would be all a network sees.
    """

    pad_mode = "reflect"

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config, self.n_fft, self.hop_length = config, config.n_fft, config.hop_length
        self.mel = MelSpectrogram(**{name: value for name, value in vars(config).items() if name != "compression"})
        self.bank = FilterBank(self.mel.mel_scale.fb)
        self.standardise = nn.BatchNorm1d(config.n_mels, affine=False)

    @property
    def window(self) -> torch.Tensor:
        """[n_fft]."""
        return self.mel.spectrogram.window

    def extra_repr(self) -> str:
        """What its weights do not tell, but the fingerprint of a training must."""
        return f"{self.config}, pad_mode={self.pad_mode!r}"

    def reduce(self, power: torch.Tensor) -> tuple[torch.Tensor]:
        """Mel power as it comes: [B, F, K] -> [B, M, F]."""
        return (self.bank(self.mel.mel_scale.fb, power),)

    def features(self, waveform: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
        """Mel power [B, M, F] as it comes -> its logarithm (or not), standardised, [B, 1, M, F]."""
        mel = relative(power)
        mel = torch.log10(mel + LOG_FLOOR) if self.config.compression == "log" else mel
        return self.standardise(mel).unsqueeze(1)

    def power(self, waveform: torch.Tensor) -> torch.Tensor:
        """Mel power relative to the clip's peak: [B, T] -> [B, M, F], in 0..1."""
        return relative(_reduced([self], waveform)[0][0])

    def augmented(self, waveform: torch.Tensor, augment: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """The features with an augmentation, [B, K, F] -> [B, M, F], in the place of the mel filters."""
        with torch.autocast(waveform.device.type, enabled=False):
            spectrum = power_spectrogram(waveform.float(), self.window, self.hop_length, self.pad_mode)
            return self.features(waveform, augment(relative(spectrum)))


@lru_cache
def mel_filters(config: MelConfig) -> torch.Tensor:
    """torchaudio's filter bank [K, M]: the scale of HTK (Young et al., The HTK Book), triangles with a peak of 1."""
    return melscale_fbanks(config.n_fft // 2 + 1, config.f_min, config.f_max, config.n_mels, config.sample_rate)


def torchaudio_filters(config: MelConfig) -> np.ndarray:
    """The same as NumPy, [M, K]."""
    return mel_filters(config).T.numpy()


TORCHAUDIO = {"htk": True, "norm": None}  # its convention in librosa's words


def librosa_filters(config: MelConfig, convention: Mapping[str, object] | None = None) -> np.ndarray:
    """Filter bank [M, K] of librosa in another convention than its own.

    Its own is the scale of Slaney's Auditory Toolbox (1998), linear below 1 kHz, and triangles with equal area.
    """
    import librosa

    return librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.f_min, fmax=config.f_max,
        **(convention or {}),
    )  # fmt: skip


def mel_power(waveforms: np.ndarray, config: MelConfig, filters: np.ndarray) -> np.ndarray:
    """Mel power [notes, n_mels, frames] of waveforms [notes, samples]: Hann window, centred frames, then the bank."""
    power = power_spectrogram(torch.from_numpy(waveforms), torch.hann_window(config.n_fft), config.hop_length)
    return (torch.from_numpy(filters) @ power).numpy()


def decibels(power: np.ndarray, reference: float, floor: float) -> np.ndarray:
    """Power in dB relative to a reference power, cut at `floor` dB."""
    return np.maximum(10 * np.log10(np.maximum(power, 1e-20) / reference), floor)


def centres(filters: np.ndarray, config: MelConfig) -> np.ndarray:
    """Frequency in Hz [n_mels] at the centre of gravity of every band."""
    frequencies = np.linspace(0, config.nyquist, filters.shape[1])
    return filters @ frequencies / filters.sum(axis=1)


def mfcc(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    """Twenty mel-frequency cepstral coefficients of every centred frame by librosa, [samples] -> [frames, 20]."""
    import librosa

    return librosa.feature.mfcc(
        y=waveform, sr=config.sample_rate, n_mfcc=20, n_fft=config.n_fft, hop_length=config.hop_length,
        n_mels=config.n_mels, fmin=config.f_min, fmax=config.f_max,
    ).T  # fmt: skip
