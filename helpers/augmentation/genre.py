"""The seven waveform augmentations of the genre document, for training clips only and only after splitting.

Each is a frozen dataclass that prints its parameters and maps `(waveform [samples], generator)` to a new float32
waveform of the same length. Time stretching is librosa's phase vocoder, harmonic-percussive separation that of
D. Fitzgerald (DAFx 2010). All draw from the generator they are given and from nothing else, so that a clip of an
epoch sounds the same in every run and worker (libraries of ready-made chains draw from global generators).
Explained in notebook 06. Source: "Music genre classification (PyTorch)", section "Data augmentation".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from helpers.audio import fit_length
from helpers.augmentation.waveform import Augmentation

N_FFT = 1024  # samples; the shortest analysis window that still resolves bass notes at 22,050 Hz


@dataclass(frozen=True)
class Noise:
    """White noise at a signal-to-noise ratio drawn between two; silence stays silent."""

    low: float = 10.0  # dB
    high: float = 30.0  # dB

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        level = np.sqrt(np.mean(np.square(waveform))) * 10 ** (-rng.uniform(self.low, self.high) / 20)
        return waveform + np.float32(level) * rng.standard_normal(len(waveform), np.float32)


@dataclass(frozen=True)
class Shift:
    """Turn the clip round in time: what leaves at the end comes in at the beginning."""

    share: float = 1.0  # largest shift as a share of the length

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.roll(waveform, int(rng.uniform(0, self.share) * len(waveform)))


@dataclass(frozen=True)
class Speed:
    """Faster or slower at the same pitch; a faster clip begins again at its end."""

    low: float = 0.85
    high: float = 1.18

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _same_length(_stretch(waveform, rng.uniform(self.low, self.high)), waveform)


@dataclass(frozen=True)
class Pitch:
    """Higher or lower at the same speed."""

    low: float = -2.0  # semitones
    high: float = 2.0  # semitones

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factor = 2 ** (rng.uniform(self.low, self.high) / 12)
        return _same_length(_resample(_stretch(waveform, 1 / factor), factor), waveform)


@dataclass(frozen=True)
class PitchAndSpeed:
    """Pitch and speed together, as a tape does; a faster clip begins again at its end."""

    low: float = 0.85
    high: float = 1.18

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _same_length(_resample(waveform, rng.uniform(self.low, self.high)), waveform)


@dataclass(frozen=True)
class MultiplyValue:
    """Every sample times one factor, clipped at full scale as an overdriven recording is."""

    low: float = 0.5
    high: float = 3.0

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.clip(waveform * np.float32(rng.uniform(self.low, self.high)), -1.0, 1.0)


@dataclass(frozen=True)
class Percussive:
    """The percussive part of a harmonic-percussive separation, with a share of the harmonic one."""

    harmonic: float = 0.2  # largest share of the harmonic part that stays
    kernel: int = 17  # frames and bins of the median filters; 0.4 s and 370 Hz at 22,050 Hz

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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
        if rng.random() >= self.probability:
            return waveform
        return self.choices[rng.integers(len(self.choices))](waveform, rng)


SEVEN: dict[str, Augmentation] = {  # name in the document -> over its whole range
    "noise": Noise(),
    "shift": Shift(),
    "speed": Speed(),
    "pitch": Pitch(),
    "pitch and speed": PitchAndSpeed(),
    "multiply value": MultiplyValue(),
    "percussive": Percussive(),
}
ON_THE_FLY = OneOf(tuple(SEVEN.values()))  # one of the seven for every clip of every epoch
TENFOLD: dict[str, Augmentation | None] = {  # suffix of the ten versions on disk; empty: the clip as it is
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


def _stretch(waveform: np.ndarray, rate: float) -> np.ndarray:
    """[n] -> about [n / rate] at the same pitch; what is shorter than an analysis window stays as it is."""
    import librosa

    return waveform.copy() if len(waveform) < N_FFT else librosa.effects.time_stretch(waveform, rate=rate, n_fft=N_FFT)


def _resample(waveform: np.ndarray, factor: float) -> np.ndarray:
    """[n] -> [n / factor], read faster by the factor."""
    return soxr.resample(waveform, factor, 1.0, quality="HQ")


def _same_length(changed: np.ndarray, waveform: np.ndarray) -> np.ndarray:
    """Cut to the length of the waveform it was made from, or repeated up to there."""
    longer = len(changed) >= len(waveform)
    return fit_length(changed, len(waveform)) if longer else np.resize(changed, len(waveform))
