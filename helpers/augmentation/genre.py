"""The seven waveform augmentations of the genre document, for training clips only and only after splitting.

Each maps `(waveform [samples], generator)` to a new waveform of the same length and prints its parameters. Those that
`waveform` does not have stand here: time and pitch by librosa's phase vocoder, harmonic-percussive separation by
D. Fitzgerald (DAFx 2010). All draw from the generator they are given and from nothing else, so that a clip of an
epoch sounds the same in every run and worker (libraries of ready-made chains draw from global generators).
Explained in notebook 06. Source: "Music genre classification (PyTorch)", section "Data augmentation".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.augmentation.waveform import Augmentation, Noise, Resample, Sometimes

N_FFT = 1024  # samples; the shortest analysis window that still resolves bass notes at 22,050 Hz


@dataclass(frozen=True)
class Shift:
    """Turn the clip round in time by any share of its length: what leaves at the end comes in at the beginning."""

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.roll(waveform, rng.integers(1, len(waveform)))


@dataclass(frozen=True)
class Speed:
    """Faster or slower at the same pitch; a faster clip begins again at its end."""

    low: float = 0.85
    high: float = 1.18

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        import librosa

        changed = librosa.effects.time_stretch(waveform, rate=rng.uniform(self.low, self.high), n_fft=N_FFT)
        return np.resize(changed, len(waveform))


@dataclass(frozen=True)
class Pitch:
    """Higher or lower at the same speed."""

    low: float = -2.0  # semitones
    high: float = 2.0  # semitones

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        import librosa

        steps = rng.uniform(self.low, self.high)
        return librosa.effects.pitch_shift(waveform, sr=1, n_steps=steps, n_fft=N_FFT)  # of any rate


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

        harmonic, percussive = librosa.effects.hpss(
            waveform, kernel_size=self.kernel, n_fft=N_FFT, hop_length=N_FFT // 2
        )
        return percussive + np.float32(rng.uniform(0, self.harmonic)) * harmonic


@dataclass(frozen=True)
class OneOf:
    """One augmentation, drawn anew for every clip."""

    choices: tuple[Augmentation, ...]

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.choices[rng.integers(len(self.choices))](waveform, rng)


WHITE = Noise((10.0, 30.0), colour=(0.0, 0.0))
TAPE = Resample(2.8, repeat=True)
SEVEN: dict[str, Augmentation] = {  # name in the document -> over its whole range
    "noise": WHITE,
    "shift": Shift(),
    "speed": Speed(),
    "pitch": Pitch(),
    "pitch and speed": TAPE,
    "multiply value": MultiplyValue(),
    "percussive": Percussive(),
}
ON_THE_FLY = Sometimes(0.9, OneOf(tuple(SEVEN.values())))  # for every clip of every epoch
TENFOLD: dict[str, Augmentation | None] = {  # suffix of the ten versions on disk; empty: the clip as it is
    "": None,
    "noise": WHITE,
    "shift": Shift(),
    "slower": Speed(0.85, 0.95),
    "faster": Speed(1.05, 1.18),
    "lower": Pitch(-2.0, -0.5),
    "higher": Pitch(0.5, 2.0),
    "tape": TAPE,
    "value": MultiplyValue(),
    "percussive": Percussive(),
}
