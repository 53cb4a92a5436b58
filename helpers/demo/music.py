"""Notes in time: melodies as events, their rendering by virtual instruments, and the room that they sound in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft

from helpers.demo.sound import Notes, bins, filtered, low_pass, peak_to

if TYPE_CHECKING:
    from helpers.demo.kinds import Instrument

Range = float | tuple[float, float]
SCALES = {  # semitones above the tonic
    "major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10), "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10), "pentatonic": (0, 2, 4, 7, 9), "blues": (0, 3, 5, 6, 7, 10),
}  # fmt: skip
LENGTHS = (0.4, 0.8, 1.6, 3.2, 6.4)  # s, lengths in which notes are rendered together
TAIL = 0.3  # s that a note may ring after it is released
BATCH = 12  # notes rendered together


@dataclass(frozen=True)
class Room:
    """What lies between the instrument and the file: amplifier, equaliser, reverberation, noise."""

    drive: float  # saturation of amplifier or tape; 0: none
    balance: float  # dB an octave around 1 kHz
    top: float  # Hz, upper end of microphone or sampler
    bottom: float  # Hz, lower end
    reverb: float  # s, until it has fallen by 60 dB
    wet: float  # loudness of the reverberation
    floor: float  # dB below full scale, of the noise
    echo: float  # seed of the reverberation

    def record(self, waveforms: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Dry waveforms [n, t] to recorded ones; the peak of each is kept."""
        level = np.abs(waveforms).max(axis=-1, keepdims=True)
        if self.drive > 0.05:
            waveforms = np.tanh(self.drive * waveforms)
        samples = waveforms.shape[-1]
        frequency = bins(samples, sample_rate)
        octaves = np.log2(np.maximum(frequency, 20) / 1000)
        colour = 10 ** (self.balance * np.clip(octaves, -4, 4) / 20) * low_pass(frequency, self.top, 2.0)
        colour = colour * low_pass(self.bottom, np.maximum(frequency, 1), 1.0)
        wave = filtered(waveforms, colour)
        if self.wet > 0.01:
            wave = wave + self.wet * self._tail(wave, sample_rate)
        hum = 10 ** (self.floor / 20) * rng.standard_normal(wave.shape, dtype=np.float32)
        return peak_to(wave, level) + hum

    def _tail(self, waveforms: np.ndarray, sample_rate: int) -> np.ndarray:
        """Reverberation by convolution with decaying noise."""
        own = np.random.default_rng(int(self.echo))
        length = round(min(self.reverb, 1.5) * sample_rate)
        decay = np.exp(-6.908 * np.arange(length) / (self.reverb * sample_rate))
        response = (own.standard_normal(length) * decay / np.sqrt(decay @ decay)).astype(np.float32)
        size = fft.next_fast_len(waveforms.shape[-1] + length, real=True)  # scipy.signal takes longer to import
        return fft.irfft(fft.rfft(waveforms, size) * fft.rfft(response, size), size)[..., : waveforms.shape[-1]]


ROOM: dict[str, Range] = {
    "drive": 0.0, "balance": (-0.8, 0.8), "top": (6000, 15000), "bottom": (15, 90), "reverb": (0.15, 1.2),
    "wet": (-0.2, 0.3), "floor": (-84, -58), "echo": (0, 1e6),
}  # fmt: skip


class Event(NamedTuple):
    """One note."""

    start: float  # s
    pitch: float  # MIDI
    velocity: float  # 0..1
    held: float  # s


def render(
    instrument: Instrument, events: Sequence[Event], seconds: float, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Play events in the instrument's room, float32 [samples]; equal notes are the same recording."""
    out = np.zeros(round(seconds * sample_rate) + round(LENGTHS[-1] * sample_rate), np.float32)
    different: dict[tuple, list[float]] = {}
    for event in events:
        if event.start < seconds:
            different.setdefault((_length(event.held), *event[1:]), []).append(event.start)
    ordered = sorted(different)
    while ordered:
        batch = [key for key in ordered[:BATCH] if key[0] == ordered[0][0]]
        ordered = ordered[len(batch) :]
        length, (pitch, velocity, held) = batch[0][0], np.array(batch).T[1:]
        waves = instrument.tone.play(Notes(pitch, velocity, held, length, sample_rate, rng))
        waves[:, -round(0.05 * sample_rate) :] *= np.linspace(1, 0, round(0.05 * sample_rate), dtype=np.float32)
        for key, wave in zip(batch, waves, strict=True):
            for start in different[key]:
                begin = round(start * sample_rate)
                out[begin : begin + len(wave)] += wave
    return instrument.room.record(out[None, : round(seconds * sample_rate)], sample_rate, rng)[0]


def _length(held: float) -> float:
    return next((length for length in LENGTHS if length >= held + TAIL), LENGTHS[-1])


def melody(
    instrument: Instrument, begin: float, end: float, rng: np.random.Generator, *, beat: float, key: int, scale: str,
    rests: float = 0.15, tremolo: float = 0.0,
) -> list[Event]:  # fmt: skip
    """A random walk on a scale (a key of SCALES, from the pitch class `key`) between two times in seconds.

    It stays in the instrument's range, no note is held beyond the end, a beat has `beat` seconds; `rests` is the
    probability of a rest in the place of a note, `tremolo` that a note is repeated quickly (pipa, liuqin, yangqin).
    """
    steps = ladder(key, scale, instrument.low, instrument.high)
    place, time, events = int(rng.integers(len(steps) // 4, max(3 * len(steps) // 4, 1) + 1)), begin, []
    while time < end - 0.08:
        duration = min(beat * rng.choice([0.25, 0.5, 0.5, 1, 1, 1.5, 2]), end - time)
        place = int(np.clip(place + rng.integers(-3, 4), 0, len(steps) - 1))
        velocity = round(float(rng.uniform(0.5, 1.0)), 2)
        if time == begin or rng.random() >= rests:
            if rng.random() < tremolo and duration > 0.3:
                count = int(duration * rng.uniform(9, 13))
                held = duration / count
                events += [Event(time + i * held, steps[place], velocity, held) for i in range(count)]
            else:
                events.append(Event(time, steps[place], velocity, 0.92 * duration))
        time += duration
    return events


def ladder(key: int, scale: str, low: int, high: int) -> list[int]:
    """All MIDI pitches of a scale between two pitches: ladder(0, "pentatonic", 60, 67) is [60, 62, 64, 67]."""
    return [pitch for pitch in range(low, high + 1) if (pitch - key) % 12 in SCALES[scale]]


def chord(key: int, scale: str, degree: int, size: int, low: int) -> list[int]:
    """A chord of stacked thirds on a degree of the scale (0 the tonic), from the first pitch at or above `low`."""
    steps = SCALES[scale]
    places = [divmod(degree + 2 * voice, len(steps)) for voice in range(size)]
    pitches = [key + 12 * octave + steps[step] for octave, step in places]
    shift = -(-(low - min(pitches)) // 12) * 12
    return [pitch + shift for pitch in pitches]


def loudness_to(waveform: np.ndarray, rms_db: float) -> np.ndarray:
    """Scale [samples] so that its active part (frames within 30 dB of the loudest) has this RMS in dB of full scale."""
    frames = waveform[: len(waveform) // 1024 * 1024].reshape(-1, 1024)
    power = np.mean(frames**2, axis=1)
    active = power[power > 1e-3 * power.max()] if len(power) and power.max() > 0 else np.ones(1)
    return waveform * np.float32(10 ** (rms_db / 20) / np.sqrt(active.mean()))


def panned(waveform: np.ndarray, position: float) -> np.ndarray:
    """Mono [samples] to stereo [samples, 2] with equal power; position -1 left … 1 right."""
    angle = (position + 1) * np.pi / 4
    return waveform[:, None] * np.array([np.cos(angle), np.sin(angle)], np.float32)


def limited(mix: np.ndarray) -> np.ndarray:
    """Keep a mix below full scale, softly."""
    peak = np.abs(mix).max()
    return mix if peak <= 0.95 else mix * np.float32(0.95 / peak)
