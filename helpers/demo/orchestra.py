"""Virtual instruments: a random draw of a model's parameters, fixed for all notes, and the room it was recorded in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from helpers.demo.kinds import CHINESE, WESTERN, Kind, Range
from helpers.demo.sound import Notes, bins, filtered, low_pass, peak_to

KINDS: dict[str, Kind] = {**WESTERN, **CHINESE}


@dataclass(frozen=True)
class Room:
    """What lies between the instrument and the file: amplifier, equaliser, reverberation, noise."""

    drive: float  # saturation of amplifier or tape; 0: none
    tilt: float  # dB an octave around 1 kHz
    top: float  # Hz, upper end of microphone or sampler
    bottom: float  # Hz, lower end
    t60: float  # s
    wet: float  # loudness of the reverberation
    floor: float  # dB below full scale, of the noise
    voicing: float  # seed of the reverberation

    def record(self, waveforms: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Dry waveforms [n, t] to recorded ones; the peak of each is kept."""
        level = np.abs(waveforms).max(axis=-1, keepdims=True)
        if self.drive > 0.05:
            waveforms = np.tanh(self.drive * waveforms)
        samples = waveforms.shape[-1]
        frequency = bins(samples, sample_rate)
        octaves = np.log2(np.maximum(frequency, 20) / 1000)
        colour = 10 ** (self.tilt * np.clip(octaves, -4, 4) / 20) * low_pass(frequency, self.top, 2.0)
        colour = colour * low_pass(self.bottom, np.maximum(frequency, 1), 1.0)
        wave = filtered(waveforms, colour)
        if self.wet > 0.01:
            wave = wave + self.wet * self._tail(wave, sample_rate)
        hum = 10 ** (self.floor / 20) * rng.standard_normal(wave.shape, dtype=np.float32)
        return peak_to(wave, level) + hum

    def _tail(self, waveforms: np.ndarray, sample_rate: int) -> np.ndarray:
        """Reverberation by convolution with decaying noise."""
        own = np.random.default_rng(int(self.voicing))
        length = round(min(self.t60, 1.5) * sample_rate)
        decay = np.exp(-6.908 * np.arange(length) / (self.t60 * sample_rate))
        response = (own.standard_normal(length) * decay / np.sqrt(decay @ decay)).astype(np.float32)
        size = fft.next_fast_len(waveforms.shape[-1] + length, real=True)
        return fft.irfft(fft.rfft(waveforms, size) * fft.rfft(response, size), size)[..., : waveforms.shape[-1]]


ROOM: dict[str, Range] = {
    "drive": 0.0,
    "tilt": (-0.8, 0.8),
    "top": (6000, 15000),
    "bottom": (15, 90),
    "t60": (0.15, 1.2),
    "wet": (-0.2, 0.3),
    "floor": (-84, -58),
    "voicing": (0, 1e6),
}


@dataclass(frozen=True)
class Instrument:
    """One virtual instrument."""

    kind: str  # a key of KINDS
    low: int  # lowest MIDI pitch
    high: int  # highest MIDI pitch
    tone: Any  # a model: play(Notes) -> [n, t]
    room: Room

    def play(self, notes: Notes) -> np.ndarray:
        """Notes as they would lie in a sample library: [n, t] with peaks in 0..1."""
        return self.room.record(self.tone.play(notes), notes.sample_rate, notes.rng)


def draw(kind: str, rng: np.random.Generator) -> Instrument:
    """A new instrument of a kind: every parameter is drawn from the kind's range."""
    recipe = KINDS[kind]
    parameters = {name: _value(span, rng) for name, span in recipe.ranges.items()}
    room = {name: _value(span, rng) for name, span in {**ROOM, **recipe.room}.items()}
    low = recipe.low + int(rng.integers(-2, 3))
    return Instrument(kind, low, recipe.high + int(rng.integers(-3, 4)), recipe.model(**parameters), Room(**room))


def _value(span: Range, rng: np.random.Generator) -> float:
    """A number from a range: even on a logarithmic axis where both ends are positive, otherwise on a linear one."""
    if not isinstance(span, tuple):
        return float(span)
    low, high = span
    if low > 0 and high > 0:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))
