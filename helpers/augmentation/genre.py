"""The seven waveform augmentations of the genre study, for training data only and only after splitting.

Every one is a frozen dataclass that prints its parameters and maps `(waveform, rng)` to a new float32 waveform of the
same length; none changes the genre; equal generators give equal results. `OneOf` draws one for each clip on the fly,
`tenfold` lists the versions that `python -m helpers augment` writes to disk.

The seven are those of "Music genre classification (PyTorch)", the document this study follows; time stretching and
pitch shifting are librosa's phase vocoder, harmonic-percussive separation is D. Fitzgerald's (DAFx 2010).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr

from helpers import audio

Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]
N_FFT = 1024  # samples; the shortest analysis window that still resolves bass notes at 22,050 Hz


@dataclass(frozen=True)
class Noise:
    """Add white noise at a level drawn between two signal-to-noise ratios."""

    low: float = 10.0  # dB
    high: float = 30.0  # dB

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]; silence stays silent."""
        level = np.sqrt(np.mean(np.square(waveform))) * 10 ** (-rng.uniform(self.low, self.high) / 20)
        return waveform + np.float32(level) * rng.standard_normal(len(waveform), np.float32)


@dataclass(frozen=True)
class Shift:
    """Turn the clip round in time: what leaves at the end comes in at the beginning."""

    share: float = 1.0  # largest shift as a share of the length

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]."""
        return np.roll(waveform, int(rng.uniform(0, self.share) * len(waveform)))


@dataclass(frozen=True)
class Speed:
    """Play faster or slower at the same pitch."""

    low: float = 0.85
    high: float = 1.18

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]; a faster clip begins again at its end."""
        import librosa

        if len(waveform) < N_FFT:
            return waveform.copy()
        stretched = librosa.effects.time_stretch(waveform, rate=rng.uniform(self.low, self.high), n_fft=N_FFT)
        return _same_length(stretched, waveform)


@dataclass(frozen=True)
class Pitch:
    """Play higher or lower at the same speed."""

    low: float = -2.0  # semitones
    high: float = 2.0  # semitones

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]."""
        import librosa

        if len(waveform) < N_FFT:
            return waveform.copy()
        factor = 2 ** (rng.uniform(self.low, self.high) / 12)
        stretched = librosa.effects.time_stretch(waveform, rate=1 / factor, n_fft=N_FFT)
        return _same_length(_resample(stretched, factor), waveform)


@dataclass(frozen=True)
class PitchAndSpeed:
    """Change pitch and speed together, as a tape does."""

    low: float = 0.85
    high: float = 1.18

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]; a faster clip begins again at its end."""
        return _same_length(_resample(waveform, rng.uniform(self.low, self.high)), waveform)


@dataclass(frozen=True)
class MultiplyValue:
    """Multiply every sample with one factor and clip at full scale, as an overdriven recording does."""

    low: float = 0.5
    high: float = 3.0

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples] within ±1."""
        return np.clip(waveform * np.float32(rng.uniform(self.low, self.high)), -1.0, 1.0)


@dataclass(frozen=True)
class Percussive:
    """Keep the percussive part of a harmonic-percussive separation, with a share of the harmonic one."""

    harmonic: float = 0.2  # largest share of the harmonic part that stays
    kernel: int = 17  # frames and bins of the median filters; 0.4 s and 370 Hz at 22,050 Hz

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]."""
        import librosa

        if len(waveform) < N_FFT:
            return waveform.copy()
        spectrum = librosa.stft(waveform, n_fft=N_FFT, hop_length=N_FFT // 2)
        harmonic, percussive = librosa.decompose.hpss(spectrum, kernel_size=self.kernel)
        mixed = percussive + np.float32(rng.uniform(0, self.harmonic)) * harmonic
        return librosa.istft(mixed, n_fft=N_FFT, hop_length=N_FFT // 2, length=len(waveform))


@dataclass(frozen=True)
class OneOf:
    """One augmentation, drawn anew for every clip, or none."""

    choices: tuple[Augmentation, ...]
    probability: float = 0.9  # that any is applied

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[samples] -> [samples]."""
        if rng.random() >= self.probability:
            return waveform
        return self.choices[rng.integers(len(self.choices))](waveform, rng)


def seven() -> dict[str, Augmentation]:
    """The augmentations of the document by name, each over its whole range."""
    return {
        "noise": Noise(),
        "shift": Shift(),
        "speed": Speed(),
        "pitch": Pitch(),
        "pitch and speed": PitchAndSpeed(),
        "multiply value": MultiplyValue(),
        "percussive": Percussive(),
    }


def on_the_fly() -> OneOf:
    """What training hears: one of the seven, drawn for every clip of every epoch."""
    return OneOf(tuple(seven().values()))


def tenfold() -> dict[str, Augmentation | None]:
    """File-name suffix to augmentation of the ten versions on disk; the empty suffix is the clip as it is."""
    return {
        "": None,
        "noise": Noise(),
        "shift": Shift(),
        "slower": Speed(0.85, 0.95),
        "faster": Speed(1.05, 1.18),
        "lower": Pitch(-2.0, -0.5),
        "higher": Pitch(0.5, 2.0),
        "tape": PitchAndSpeed(),
        "value": MultiplyValue(),
        "percussive": Percussive(),
    }


def _resample(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Read [n] faster by a factor: [n / factor]."""
    return soxr.resample(waveform, factor, 1.0, quality="HQ")


def _same_length(changed: np.ndarray, waveform: np.ndarray) -> np.ndarray:
    """Cut to the length of the waveform it was made from, or repeat it up to there."""
    if len(changed) >= len(waveform):
        return audio.fit_length(changed, len(waveform))
    return np.resize(changed, len(waveform))
