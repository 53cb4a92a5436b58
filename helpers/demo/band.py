"""A band that plays by the rules of ten genres: tempo, swing, metre, patterns, harmony, timbres, balance.

Patterns stand on a grid of sixteenths, "X" loud, "x" normal, "." nothing, and are repeated until the bar is full; a bar
of three beats takes the first twelve steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from helpers.demo.music import Event, chord
from helpers.demo.struck import Hit


@dataclass(frozen=True)
class Genre:
    """What the tracks of a genre have in common; every track chooses within it."""

    tempo: tuple[float, float]  # beats a minute
    scales: tuple[str, ...]
    progressions: tuple[str, ...]  # a digit a bar: degree of the scale
    drums: tuple[dict[str, str], ...]  # alternatives: drum -> pattern
    bass: tuple[str, ...]  # patterns: "r" root, "f" fifth, "o" octave, "w" walking note
    chords: tuple[str, ...]  # patterns
    bass_kinds: tuple[str, ...]
    chord_kinds: tuple[str, ...]
    lead_kinds: tuple[str, ...]
    balance: tuple[float, float, float, float]  # dB: drums, bass, chords, lead
    swing: tuple[float, float] = (0.0, 0.1)  # 0 straight … 1 triplets
    metres: tuple[int, ...] = (4,)  # beats in a bar
    electronic: float = 0.0  # probability of an electronic kit
    chord_size: tuple[int, ...] = (3,)
    chord_held: tuple[float, float] = (0.5, 1.0)  # of the time to the next stroke
    drive: tuple[float, float] | None = None  # of the chord instrument
    rests: float = 0.2  # of the lead
    lead_beat: float = 1.0  # note lengths of the lead relative to a beat
    rap: float = 0.0  # probability that speech takes the place of the lead


GENRES: dict[str, Genre] = {
    "blues": Genre(
        (65, 125), ("blues", "mixolydian"), ("000033004304", "0304"),
        (dict(kick="X.......x.x.....", snare="....X...", hat="x."),
         dict(kick="X.......", snare="....X.......X..x", open="x...x.x."), {}),
        ("r.r.f.f.", "r...f...o...f...", "w..."), ("x..x", "....x...", "x."),
        ("electric_bass", "acoustic_bass"), ("electric_guitar", "piano", "acoustic_guitar"),
        ("electric_guitar", "harmonica", "voice", "acoustic_guitar", "saxophone"), (-24, -23, -25, -19),
        swing=(0.6, 1.0), chord_size=(3, 4), rests=0.3),
    "classical": Genre(
        (55, 130), ("major", "minor"), ("0340", "0534", "0403", "0140"),
        ({},),
        ("r...............", "r.......f.......", "r...f...o...f..."), ("x...............", "x...", "x."),
        ("cello", "string_section"), ("string_section", "piano", "pipe_organ", "harpsichord"),
        ("violin", "flute", "clarinet", "oboe", "piano", "cello", "choir"), (-90, -25, -23, -21), metres=(4, 4, 3),
        chord_size=(3, 4), chord_held=(0.9, 1.1), rests=0.05),
    "country": Genre(
        (85, 135), ("major", "pentatonic", "mixolydian"), ("0340", "0034", "0430"),
        (dict(kick="X.......", snare="....x...", hat="x."), dict(kick="X.......", rim="..x.x.x...x.x.xx"), {}),
        ("r.......f.......", "r...f..."), ("....x.x.", "x.xx", "..x."),
        ("acoustic_bass", "electric_bass"), ("acoustic_guitar",),
        ("violin", "voice", "electric_guitar", "harmonica", "acoustic_guitar"), (-27, -24, -22, -19),
        swing=(0.0, 0.4), metres=(4, 4, 4, 3), rests=0.25),
    "disco": Genre(
        (108, 130), ("minor", "dorian", "major"), ("0304", "0534", "0033"),
        (dict(kick="X...", snare="....x...", open="..X.", hat="x..."),
         dict(kick="X...", clap="....X...", open="..X.")),
        ("r.o.", "r..or..or..or.oo"), ("..x.", "x..x..x...x.x...", "x.xx"),
        ("electric_bass", "synth_bass"), ("electric_guitar", "electric_piano", "string_section", "synth_brass"),
        ("string_section", "voice", "synth_brass", "choir"), (-20, -22, -25, -21), electronic=0.3, rests=0.3),
    "hiphop": Genre(
        (75, 105), ("minor", "dorian", "blues"), ("0000", "0030", "0505"),
        (dict(kick="X..x......X.....", snare="....X...", hat="x.x.x.xx"),
         dict(kick="X.....x...X..x..", clap="....X...", hat="xxx.x.x.x.x.xxx.")),
        ("r.....r...r.....", "r..r......f....."), ("x...............", "x.......", "......x."),
        ("synth_bass", "fm_bass", "electric_bass"),
        ("electric_piano", "piano", "synth_keys", "string_section", "bell"), ("voice",), (-18, -20, -28, -20),
        swing=(0.0, 0.5), electronic=0.9, rap=0.8),
    "jazz": Genre(
        (90, 210), ("dorian", "mixolydian", "major"), ("1400", "0514", "1405"),
        (dict(open="x...x.x.", hat="....x...", kick="x.........x....."),
         dict(open="x...x.x.", rim="......x........x"), {}),
        ("w...",), ("....x......x....", "x.....x.........", "..x....."),
        ("acoustic_bass",), ("piano", "electric_guitar", "mallet"),
        ("saxophone", "trumpet", "brass", "clarinet", "piano", "electric_guitar", "flute"), (-28, -23, -25, -19),
        swing=(0.6, 1.0), chord_size=(4,), chord_held=(0.3, 0.7), rests=0.25, lead_beat=0.8),
    "metal": Genre(
        (95, 190), ("minor", "blues"), ("0056", "0001", "0534", "0656"),
        (dict(kick="x", snare="....X...", crash="X..............."), dict(kick="X.xx", snare="....X...", hat="x."),
         dict(kick="X.x.", snare="..X.", open="x...")),
        ("r.", "r"), ("x", "x.xx", "X...x.x.X.x.x.x."),
        ("electric_bass",), ("electric_guitar",), ("electric_guitar", "voice"), (-21, -24, -17, -22),
        chord_size=(2, 3), chord_held=(0.6, 1.0), drive=(8, 30), rests=0.3, lead_beat=0.7),
    "pop": Genre(
        (90, 132), ("major", "minor", "pentatonic"), ("0453", "5304", "0534"),
        (dict(kick="X...", clap="....X...", hat="..x."), dict(kick="X.....x.X.......", snare="....X...", hat="x.")),
        ("r.", "r.......r.....f."), ("x...............", "x.", "x..x..x."),
        ("synth_bass", "electric_bass"), ("synth_keys", "piano", "synth_lead", "acoustic_guitar"),
        ("voice", "synth_lead", "choir"), (-20, -23, -25, -18), electronic=0.7),
    "reggae": Genre(
        (66, 98), ("minor", "major", "dorian"), ("0303", "0430", "0044"),
        (dict(kick="........X.......", rim="........X.......", hat="x."),
         dict(kick="X.......", snare="........X.......", hat="..x.")),
        ("r..r..f.....o.f.", "....r.r.f...r...", "r.....f.r..f...."), ("....x...", "..x.", "....x.x."),
        ("electric_bass",), ("electric_guitar", "drawbar_organ", "piano"),
        ("voice", "brass", "drawbar_organ", "harmonica"), (-22, -18, -22, -21), swing=(0.2, 0.8),
        chord_held=(0.15, 0.4), rests=0.35),
    "rock": Genre(
        (90, 165), ("mixolydian", "major", "minor", "blues"), ("0343", "0630", "0453"),
        (dict(kick="X.....x.X.x.....", snare="....X...", hat="x."),
         dict(kick="X.......X.x.....", snare="....X...", crash="X...............", open="x...")),
        ("r.", "r...r.r.r...f.r."), ("x...x.x.", "x.", "X.....x.X......."),
        ("electric_bass",), ("electric_guitar", "electric_guitar", "drawbar_organ"), ("voice", "electric_guitar"),
        (-21, -23, -20, -19), chord_size=(2, 3), drive=(2, 12), rests=0.25),
}  # fmt: skip

LOUD = {"X": 1.0, "x": 0.7}


@dataclass(frozen=True)
class Song:
    """The choices of one track within its genre."""

    beat: float  # s
    swing: float
    metre: int  # beats in a bar
    key: int  # pitch class
    scale: str
    progression: str
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
        return int(self.progression[number % len(self.progression)])

    def grid(self, pattern: str, seconds: float) -> Iterator[tuple[int, float, str]]:
        """Every sounding step of a repeated pattern as (bar, start in s, character)."""
        for number in range(int((seconds + self.shift) / self.bar) + 1):
            for step in range(4 * self.metre):
                if (character := pattern[step % len(pattern)]) != ".":
                    late = self.swing * self.beat / 6 if step % 4 == 2 else 0.0
                    start = number * self.bar + step * self.beat / 4 + late - self.shift
                    if 0 <= start < seconds:
                        yield number, start, character

    def strokes(self, pattern: str, seconds: float) -> Iterator[tuple[int, float, str, float]]:
        """The same with the start of the next one, or the end."""
        steps = list(self.grid(pattern, seconds))
        return ((*step, until) for step, (_, until, _) in zip(steps, [*steps[1:], (0, seconds, "")], strict=True))


def compose(genre: Genre, rng: np.random.Generator) -> Song:
    """Choose a song of a genre."""

    def choose(options):
        return options[int(rng.integers(len(options)))]

    beat, metre = 60 / rng.uniform(*genre.tempo), choose(genre.metres)
    return Song(
        beat, rng.uniform(*genre.swing), metre, int(rng.integers(12)), choose(genre.scales),
        choose(genre.progressions), choose(genre.drums), choose(genre.bass), choose(genre.chords),
        choose(genre.chord_size), rng.uniform(*genre.chord_held), shift=rng.uniform(0, beat * metre),
    )  # fmt: skip


def drum_hits(song: Song, seconds: float, rng: np.random.Generator) -> list[Hit]:
    """The drums, with a human unevenness of a few milliseconds."""
    return [
        Hit(start + abs(rng.normal(0, 0.004)), drum, LOUD[character] * rng.uniform(0.85, 1))
        for drum, pattern in song.drums.items()
        for _, start, character in song.grid(pattern, seconds)
    ]


def bass_line(song: Song, seconds: float, low: int, rng: np.random.Generator) -> list[Event]:
    """The bass: roots, fifths and octaves of the chord, or a walk through its scale."""
    events = []
    for number, start, character, until in song.strokes(song.bass, seconds):
        tones = chord(song.key, song.scale, song.degree(number), 4, low)
        pitch = {"r": tones[0], "f": tones[2], "o": tones[0] + 12}.get(character)
        if pitch is None:
            pitch = tones[int(rng.integers(4))] + int(rng.choice([-1, 0, 0, 0, 1]))
        events.append(Event(start, pitch, 0.8, _held(0.9 * (until - start))))
    return events


def chord_strokes(song: Song, seconds: float, low: int) -> list[Event]:
    """The chords; power chords where the song has two notes a chord."""
    events = []
    for number, start, character, until in song.strokes(song.chords, seconds):
        tones = chord(song.key, song.scale, song.degree(number), max(song.chord_size, 3), low)
        tones = [tones[0], tones[2], tones[0] + 12] if song.chord_size == 2 else tones
        held = _held(song.chord_held * min(until - start, song.bar))
        events += [Event(start, pitch, LOUD[character], held) for pitch in tones]
    return events


def _held(seconds: float) -> float:
    """Lengths on a grid of 50 ms, so that equal notes are rendered once."""
    return max(0.05, round(20 * seconds) / 20)
