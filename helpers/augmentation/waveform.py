"""Augmentations of one waveform in NumPy: (waveform [samples], generator) -> waveform [samples].

All are pure functions of their arguments, keep the length, and preserve the label of a note's family. Where a range
is given, the value is drawn from it each time. Explained in notebook 03.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr
from scipy import fft, signal

from helpers.audio import fit_length

Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


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

    decibels: float = 10.0  # standard deviation of the gain at each control point
    points: int = 7  # control points, evenly spaced in octaves over the nine octaves below Nyquist

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = fft.rfft(waveform)
        octave = np.log2(np.maximum(np.linspace(0, 1, len(spectrum)), 2.0**-9))
        gains = rng.normal(0, self.decibels, self.points)
        response = np.interp(octave, np.linspace(-9, 0, self.points), gains)
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
    sample_rate: int = 16_000  # Hz

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        delay = int(rng.integers(0, round(self.seconds * self.sample_rate) + 1))
        return np.pad(waveform, (delay, 0))[: len(waveform)]


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
    decay_db_per_s: float = 10.0  # steepest fall
    sample_rate: int = 16_000  # Hz

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        time = np.arange(len(waveform), dtype=np.float32) / self.sample_rate
        attack = rng.uniform(0, self.attack_s) ** 2 / max(self.attack_s, 1e-6)
        rise = np.minimum(1.0, (time + 1e-4) / (attack + 1e-4))
        return waveform * rise * 10 ** (-rng.uniform(0, self.decay_db_per_s) * time / 20)


@dataclass(frozen=True)
class Chorus:
    """A copy with a slowly moving delay on top: ensembles, Leslie cabinets, synthesiser detune."""

    depth_ms: float = 3.0
    sample_rate: int = 16_000  # Hz

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        position = np.arange(len(waveform), dtype=np.float32)
        rate, phase = rng.uniform(0.2, 6.0), rng.uniform(0, 2 * np.pi)
        depth = rng.uniform(0.1, self.depth_ms) * self.sample_rate / 1000
        sweep = np.sin(2 * np.pi * rate / self.sample_rate * position + phase)
        copy = np.interp(position - depth * (1 + sweep), position, waveform, left=0.0)
        return waveform + rng.uniform(0.3, 1.0) * copy.astype(np.float32)


@dataclass(frozen=True)
class Reverberate:
    """A room: convolution with exponentially decaying noise behind the direct sound."""

    decay_s: tuple[float, float] = (0.1, 1.0)  # time to fall by 60 dB
    wet_db: tuple[float, float] = (-25.0, -5.0)  # energy of the room relative to the direct sound
    sample_rate: int = 16_000  # Hz

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        decay = rng.uniform(*self.decay_s)
        time = np.arange(round(decay * self.sample_rate), dtype=np.float32) / self.sample_rate
        room = rng.standard_normal(len(time), dtype=np.float32) * 10 ** (-3 * time / decay)
        room *= 10 ** (rng.uniform(*self.wet_db) / 20) / np.sqrt(np.sum(room**2))
        return waveform + signal.oaconvolve(waveform, room)[: len(waveform)]


def note_augmentation() -> Compose:
    """The chain for NSynth notes: pitch a little, timbre a lot, but what lies between the partials stays quiet.

    The level of the valleys between partials tells breath, bow and hammer apart; loud noise, long rooms and mixing of
    notes fill them and cost several points of validation accuracy.
    """
    return Compose(
        (
            Sometimes(0.8, Resample(4.0)),
            Sometimes(0.25, Distort()),
            Sometimes(0.2, Chorus()),
            Sometimes(0.2, Envelope(attack_s=0.03)),
            Sometimes(0.8, Equalise()),
            Sometimes(0.15, Reverberate((0.1, 0.6), (-35.0, -12.0))),
            Sometimes(0.5, Shift(0.03)),
            Sometimes(0.2, Noise((45.0, 80.0))),
        )
    )
