"""A band that plays by the rules of a genre: drums, bass and chords from patterns on a grid of sixteenths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from helpers.demo.drums import Hit
from helpers.demo.genres import Genre
from helpers.demo.music import Event, chord

LOUD = {"X": 1.0, "x": 0.7}


@dataclass(frozen=True)
class Song:
    """The choices of one track within its genre."""

    beat: float  # s
    swing: float
    metre: int  # beats in a bar
    key: int  # pitch class
    scale: str
    progression: tuple[int, ...]
    drums: dict[str, str]
    bass: str
    chords: str
    chord_size: int
    chord_held: float
    shift: float  # s, where in the bar the recording begins

    @property
    def bar(self) -> float:
        """Seconds of a bar."""
        return self.beat * self.metre

    def degree(self, number: int) -> int:
        """Degree of the scale in a bar."""
        return self.progression[number % len(self.progression)]

    def grid(self, pattern: str, seconds: float) -> Iterator[tuple[int, float, str]]:
        """Every sounding step of a repeated pattern as (bar, start in s, character)."""
        for number in range(int((seconds + self.shift) / self.bar) + 1):
            for step, character in enumerate(pattern[: 4 * self.metre]):
                if character != ".":
                    late = self.swing * self.beat / 6 if step % 4 == 2 else 0.0
                    start = number * self.bar + step * self.beat / 4 + late - self.shift
                    if 0 <= start < seconds:
                        yield number, start, character


def compose(genre: Genre, rng: np.random.Generator) -> Song:
    """Choose a song of a genre."""

    def choose(options):
        return options[int(rng.integers(len(options)))]

    beat, metre = 60 / rng.uniform(*genre.tempo), choose(genre.metres)
    return Song(
        beat=beat,
        swing=rng.uniform(*genre.swing),
        metre=metre,
        key=int(rng.integers(12)),
        scale=choose(genre.scales),
        progression=choose(genre.progressions),
        drums=choose(genre.drums),
        bass=choose(genre.bass),
        chords=choose(genre.chords),
        chord_size=choose(genre.chord_size),
        chord_held=rng.uniform(*genre.chord_held),
        shift=rng.uniform(0, beat * metre),
    )


def drum_hits(song: Song, seconds: float, rng: np.random.Generator) -> list[Hit]:
    """The drums, with a human unevenness of a few milliseconds."""
    return [
        Hit(start + abs(rng.normal(0, 0.004)), drum, LOUD[character] * rng.uniform(0.85, 1))
        for drum, pattern in song.drums.items()
        for _, start, character in song.grid(pattern, seconds)
    ]


def bass_line(song: Song, seconds: float, low: int, rng: np.random.Generator) -> list[Event]:
    """The bass: roots, fifths and octaves of the chord, or a walk through its scale."""
    steps = list(song.grid(song.bass, seconds))
    events = []
    for (number, start, character), until in zip(steps, _next_starts(steps, seconds), strict=True):
        tones = chord(song.key, song.scale, song.degree(number), 4, low)
        root = tones[0]
        pitch = {"r": root, "f": tones[2], "o": root + 12}.get(character)
        if pitch is None:
            pitch = tones[int(rng.integers(4))] + int(rng.choice([-1, 0, 0, 0, 1]))
        events.append(Event(start, pitch, 0.8, _held(0.9 * (until - start))))
    return events


def chord_strokes(song: Song, seconds: float, low: int) -> list[Event]:
    """The chords; power chords where the song has two notes a chord."""
    steps = list(song.grid(song.chords, seconds))
    events = []
    for (number, start, character), until in zip(steps, _next_starts(steps, seconds), strict=True):
        tones = chord(song.key, song.scale, song.degree(number), max(song.chord_size, 3), low)
        tones = [tones[0], tones[2], tones[0] + 12] if song.chord_size == 2 else tones
        held = _held(song.chord_held * min(until - start, song.bar))
        events += [Event(start, pitch, LOUD[character], held) for pitch in tones]
    return events


def _next_starts(steps: list[tuple[int, float, str]], seconds: float) -> list[float]:
    return [start for _, start, _ in steps[1:]] + [seconds]


def _held(seconds: float) -> float:
    """Lengths on a grid of 50 ms, so that equal notes are rendered once."""
    return max(0.05, round(20 * seconds) / 20)
