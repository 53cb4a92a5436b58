"""Augmentations of one waveform in NumPy: (waveform [samples], generator) -> waveform [samples], for training clips.

All keep the length and draw from the generator they are given and from nothing else, so that a clip of an epoch sounds
the same in every run and worker. Where a range is given, the value is drawn from it each time. Explained in notebook
03, the seven of the document "Music genre classification (PyTorch)" in 06: time and pitch by librosa's phase vocoder,
harmonic-percussive separation by D. Fitzgerald (DAFx 2010).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr
from scipy import fft, signal

from helpers.audio import fit_length

Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]
SAMPLE_RATE = 16_000  # Hz, of notes, solos and films, to which times in seconds belong
N_FFT = 1024  # samples; the shortest analysis window that still resolves bass notes at 22,050 Hz


@dataclass(frozen=True)
class Compose:
    """One augmentation after the other."""

    steps: tuple[Augmentation, ...]

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for step in self.steps:
            waveform = step(waveform, rng)
        return waveform.astype(np.float32, copy=False)


@dataclass(frozen=True)
class Sometimes:
    """An augmentation with a probability."""

    probability: float
    step: Augmentation

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.step(waveform, rng) if rng.random() < self.probability else waveform


@dataclass(frozen=True)
class OneOf:
    """One augmentation, drawn anew for every clip."""

    choices: tuple[Augmentation, ...]

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.choices[rng.integers(len(self.choices))](waveform, rng)


@dataclass(frozen=True)
class Resample:
    """Pitch and speed together, as a tape played faster or slower; formants move along."""

    semitones: float = 4.0  # largest shift up or down
    repeat: bool = False  # a faster clip begins again at its end; otherwise silence follows

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        ratio = 2.0 ** (rng.uniform(-self.semitones, self.semitones) / 12)
        changed = soxr.resample(waveform, ratio, 1.0, quality="LQ")
        return (np.resize if self.repeat else fit_length)(changed, len(waveform))


@dataclass(frozen=True)
class Equalise:
    """A smooth random frequency response: another body, room or microphone."""

    decibels: float = 10.0  # standard deviation of the gain at seven points, evenly over the nine octaves below Nyquist

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = fft.rfft(waveform)
        octave = np.log2(np.maximum(np.linspace(0, 1, len(spectrum)), 2.0**-9))
        response = np.interp(octave, np.linspace(-9, 0, 7), rng.normal(0, self.decibels, 7))
        return fft.irfft(spectrum * 10 ** (response / 20).astype(np.float32), len(waveform))


@dataclass(frozen=True)
class Noise:
    """Noise whose power falls with frequency; silence stays silent."""

    snr_db: tuple[float, float] = (15.0, 50.0)
    colour: tuple[float, float] = (0.0, 2.0)  # exponent of the fall: 0 is white, 2 is brown

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        white = fft.rfft(rng.standard_normal(len(waveform), dtype=np.float32))
        slope = np.arange(1, len(white) + 1, dtype=np.float32) ** (-rng.uniform(*self.colour) / 2)
        noise = fft.irfft(white * slope, len(waveform))
        level = np.sqrt(np.mean(waveform**2) / max(np.mean(noise**2), 1e-12))
        return waveform + noise * level * 10 ** (-rng.uniform(*self.snr_db) / 20)


@dataclass(frozen=True)
class Shift:
    """The note starts later; what is shifted in is silence."""

    seconds: float = 0.25

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        delay = int(rng.integers(0, round(self.seconds * SAMPLE_RATE) + 1))
        return np.pad(waveform, (delay, 0))[: len(waveform)]


@dataclass(frozen=True)
class Roll:
    """Turn the clip round in time by any share of its length: what leaves at the end comes in at the beginning."""

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.roll(waveform, rng.integers(1, len(waveform)))


@dataclass(frozen=True)
class Distort:
    """Soft clipping (tanh): the overtones of an amplifier or of harder playing."""

    drive: tuple[float, float] = (0.5, 8.0)  # gain in front of the clipping of a signal of peak 1

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        peak = max(float(np.abs(waveform).max()), 1e-6)
        drive = np.exp(rng.uniform(*np.log(self.drive)))
        return np.tanh(waveform * (drive / peak)) * (peak / np.tanh(drive))


@dataclass(frozen=True)
class Envelope:
    """Another attack and decay: a fade-in and an exponential fall over the note."""

    attack_s: float = 0.15  # longest fade-in

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        time = np.arange(len(waveform), dtype=np.float32) / SAMPLE_RATE
        attack = rng.uniform(0, self.attack_s) ** 2 / max(self.attack_s, 1e-6)
        rise = np.minimum(1.0, (time + 1e-4) / (attack + 1e-4))
        return waveform * rise * 10 ** (-rng.uniform(0, 10.0) * time / 20)  # at most 10 dB a second


@dataclass(frozen=True)
class Chorus:
    """A copy with a slowly moving delay on top: ensembles, Leslie cabinets, synthesiser detune."""

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        position = np.arange(len(waveform), dtype=np.float32)
        rate, phase = rng.uniform(0.2, 6.0), rng.uniform(0, 2 * np.pi)  # Hz
        depth = rng.uniform(0.1, 3.0) * SAMPLE_RATE / 1000  # 0.1 to 3 ms, in samples
        sweep = np.sin(2 * np.pi * rate / SAMPLE_RATE * position + phase)
        copy = np.interp(position - depth * (1 + sweep), position, waveform, left=0.0)
        return waveform + rng.uniform(0.3, 1.0) * copy.astype(np.float32)


@dataclass(frozen=True)
class Reverberate:
    """A room: convolution with exponentially decaying noise behind the direct sound."""

    decay_s: tuple[float, float] = (0.1, 1.0)  # time to fall by 60 dB
    wet_db: tuple[float, float] = (-25.0, -5.0)  # energy of the room relative to the direct sound

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        decay = rng.uniform(*self.decay_s)
        time = np.arange(round(decay * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
        room = rng.standard_normal(len(time), dtype=np.float32) * 10 ** (-3 * time / decay)
        room *= 10 ** (rng.uniform(*self.wet_db) / 20) / np.sqrt(np.sum(room**2))
        return waveform + signal.oaconvolve(waveform, room)[: len(waveform)]


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

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        import librosa

        # median filters over 17 frames and bins: 0.4 s and 370 Hz at 22,050 Hz
        separated = librosa.effects.hpss(waveform, kernel_size=17, n_fft=N_FFT, hop_length=N_FFT // 2)
        return separated[1] + np.float32(rng.uniform(0, self.harmonic)) * separated[0]


def note_augmentation() -> Compose:
    """The chain for NSynth notes: pitch a little, timbre a lot, but what lies between the partials stays quiet.

    The level of the valleys between partials tells breath, bow and hammer apart; loud noise, long rooms and mixing of
    notes fill them and cost several points of validation accuracy.
    """
    room, noise = Reverberate((0.1, 0.6), (-35.0, -12.0)), Noise((45.0, 80.0))
    chain = ((0.8, Resample(4.0)), (0.25, Distort()), (0.2, Chorus()), (0.2, Envelope(attack_s=0.03)),
             (0.8, Equalise()), (0.15, room), (0.5, Shift(0.03)), (0.2, noise))  # fmt: skip
    return Compose(tuple(Sometimes(*step) for step in chain))


WHITE, TAPE = Noise((10.0, 30.0), colour=(0.0, 0.0)), Resample(2.8, repeat=True)
SEVEN: dict[str, Augmentation] = {  # name in the document -> over its whole range
    "noise": WHITE, "shift": Roll(), "speed": Speed(), "pitch": Pitch(), "pitch and speed": TAPE,
    "multiply value": MultiplyValue(), "percussive": Percussive(),
}  # fmt: skip
ON_THE_FLY = Sometimes(0.9, OneOf(tuple(SEVEN.values())))  # for every clip of every epoch
TENFOLD: dict[str, Augmentation | None] = {  # suffix of the ten versions on disk; empty: the clip as it is
    "": None, "noise": WHITE, "shift": Roll(), "slower": Speed(0.85, 0.95), "faster": Speed(1.05, 1.18),
    "lower": Pitch(-2.0, -0.5), "higher": Pitch(0.5, 2.0), "tape": TAPE, "value": MultiplyValue(),
    "percussive": Percussive(),
}  # fmt: skip
