"""Notes in time: melodies and speech as events, rendering by virtual instruments, levels and panning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from helpers.demo.instruments import Instrument
from helpers.demo.kinds import draw
from helpers.demo.sound import Notes

SCALES = {  # semitones above the tonic
    "major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10), "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10), "pentatonic": (0, 2, 4, 7, 9), "blues": (0, 3, 5, 6, 7, 10),
}  # fmt: skip
LENGTHS = (0.4, 0.8, 1.6, 3.2, 6.4)  # s, lengths in which notes are rendered together
TAIL = 0.3  # s that a note may ring after it is released
BATCH = 12  # notes rendered together


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
    return instrument.room.record(dry(instrument, events, seconds, sample_rate, rng)[None], sample_rate, rng)[0]


def dry(
    instrument: Instrument, events: Sequence[Event], seconds: float, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """The same without a room."""
    out = np.zeros(round((seconds + LENGTHS[-1]) * sample_rate), np.float32)
    fade = np.linspace(1, 0, round(0.05 * sample_rate), dtype=np.float32)
    different: dict[tuple, list[float]] = {}
    for event in events:
        if event.start < seconds:
            length = next((length for length in LENGTHS if length >= event.held + TAIL), LENGTHS[-1])
            different.setdefault((length, *event[1:]), []).append(event.start)
    ordered = sorted(different)
    while ordered:
        batch = [key for key in ordered[:BATCH] if key[0] == ordered[0][0]]
        ordered = ordered[len(batch) :]
        pitch, velocity, held = np.array(batch).T[1:]
        waves = instrument.dry(Notes(pitch, velocity, held, batch[0][0], sample_rate, rng))
        waves[:, -len(fade) :] *= fade
        for key, wave in zip(batch, waves, strict=True):
            for start in different[key]:
                begin = round(start * sample_rate)
                out[begin : begin + len(wave)] += wave
    return out[: round(seconds * sample_rate)]


def melody(
    instrument: Instrument, begin: float, end: float, rng: np.random.Generator, *, beat: float, key: int, scale: str,
    rests: float = 0.15, tremolo: float = 0.0,
) -> list[Event]:  # fmt: skip
    """A random walk on a scale (a key of SCALES, from the pitch class `key`) between two times in seconds.

    It stays in the instrument's range, no note is held beyond the end, a beat has `beat` seconds; `rests` is the
    probability of a rest in the place of a note, `tremolo` that a note is repeated quickly (pipa, liuqin, yangqin).
    """
    steps = [p for p in range(instrument.low, instrument.high + 1) if (p - key) % 12 in SCALES[scale]]
    place, time, events = int(rng.integers(len(steps) // 4, max(3 * len(steps) // 4, 1) + 1)), begin, []
    while time < end - 0.08:
        duration = min(beat * rng.choice([0.25, 0.5, 0.5, 1, 1, 1.5, 2]), end - time)
        place = int(np.clip(place + rng.integers(-3, 4), 0, len(steps) - 1))
        velocity = round(float(rng.uniform(0.5, 1.0)), 2)
        if time == begin or rng.random() >= rests:
            repeats = int(duration * rng.uniform(9, 13)) if rng.random() < tremolo and duration > 0.3 else 1
            held = duration / repeats
            events += [Event(time + i * held, steps[place], velocity, 0.92 * held) for i in range(repeats)]
        time += duration
    return events


def chord(key: int, scale: str, degree: int, size: int, low: int) -> list[int]:
    """A chord of stacked thirds on a degree of the scale (0 the tonic), from the first pitch at or above `low`."""
    steps = SCALES[scale]
    places = [divmod(degree + 2 * voice, len(steps)) for voice in range(size)]
    pitches = [key + 12 * octave + steps[step] for octave, step in places]
    shift = -(-(low - min(pitches)) // 12) * 12
    return [pitch + shift for pitch in pitches]


def speech(seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Speech-like noise [samples]: syllables of four vowels with fricatives around one pitch, with pauses."""
    speaker = draw("speaker", rng)
    vowels = [replace(speaker, vowel=a, target=b) for a, b in rng.uniform(0, 4.9, (4, 2))]
    syllables: list[list[Event]] = [[] for _ in vowels]
    pitch, time = rng.integers(speaker.low, speaker.high), 0.0
    while time < seconds:
        held = round(rng.uniform(0.06, 0.2), 2)
        event = Event(time, pitch + rng.integers(-3, 4) / 2, round(rng.uniform(0.5, 1), 1), held)
        syllables[rng.integers(len(vowels))].append(event)
        time += held + rng.choice([0.02, 0.06, 0.1, 0.5])
    return sum(dry(vowel, part, seconds, sample_rate, rng) for vowel, part in zip(vowels, syllables, strict=True))


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
