"""Ten genres as rules: tempo, swing, metre, drum patterns, bass and chord figures, harmony, timbres, balance.

Patterns have sixteen steps a bar: "X" loud, "x" normal, "." nothing; a bar of three beats takes the first twelve.

A band that plays by the rules of a genre: drums, bass and chords from patterns on a grid of sixteenths.
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
    progressions: tuple[tuple[int, ...], ...]  # degree of the scale in each bar
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
        (65, 125), ("blues", "mixolydian"), ((0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 3, 0, 4)),
        ({"kick": "X.......x.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.......", "snare": "....X.......X..x", "open": "x...x.x.x...x.x."}, {}),
        ("r.r.f.f.r.r.f.f.", "r...f...o...f...", "w...w...w...w..."),
        ("x..xx..xx..xx..x", "....x.......x...", "x.x.x.x.x.x.x.x."),
        ("electric_bass", "acoustic_bass"), ("electric_guitar", "piano", "acoustic_guitar"),
        ("electric_guitar", "harmonica", "voice", "acoustic_guitar", "saxophone"), (-24, -23, -25, -19),
        swing=(0.6, 1.0), chord_size=(3, 4), rests=0.3,
    ),
    "classical": Genre(
        (55, 130), ("major", "minor"), ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 0, 3), (0, 1, 4, 0)), ({},),
        ("r...............", "r.......f.......", "r...f...o...f..."),
        ("x...............", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
        ("cello", "string_section"), ("string_section", "piano", "pipe_organ", "harpsichord"),
        ("violin", "flute", "clarinet", "oboe", "piano", "cello", "choir"), (-90, -25, -23, -21),
        metres=(4, 4, 3), chord_size=(3, 4), chord_held=(0.9, 1.1), rests=0.05,
    ),
    "country": Genre(
        (85, 135), ("major", "pentatonic", "mixolydian"), ((0, 3, 4, 0), (0, 0, 3, 4), (0, 4, 3, 0)),
        ({"kick": "X.......X.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.......", "rim": "..x.x.x...x.x.xx"}, {}),
        ("r.......f.......", "r...f...r...f..."),
        ("....x.x.....x.x.", "x.xxx.xxx.xxx.xx", "..x...x...x...x."),
        ("acoustic_bass", "electric_bass"), ("acoustic_guitar",),
        ("violin", "voice", "electric_guitar", "harmonica", "acoustic_guitar"), (-27, -24, -22, -19),
        swing=(0.0, 0.4), metres=(4, 4, 4, 3), rests=0.25,
    ),
    "disco": Genre(
        (108, 130), ("minor", "dorian", "major"), ((0, 3, 0, 4), (0, 5, 3, 4), (0, 0, 3, 3)),
        ({"kick": "X...X...X...X...", "snare": "....x.......x...", "open": "..X...X...X...X.",
          "hat": "x...x...x...x..."},
         {"kick": "X...X...X...X...", "clap": "....X.......X...", "open": "..X...X...X...X."}),
        ("r.o.r.o.r.o.r.o.", "r..or..or..or.oo"),
        ("..x...x...x...x.", "x..x..x...x.x...", "x.xxx.xxx.xxx.xx"),
        ("electric_bass", "synth_bass"), ("electric_guitar", "electric_piano", "string_section", "synth_brass"),
        ("string_section", "voice", "synth_brass", "choir"), (-20, -22, -25, -21), electronic=0.3, rests=0.3,
    ),
    "hiphop": Genre(
        (75, 105), ("minor", "dorian", "blues"), ((0, 0, 0, 0), (0, 0, 3, 0), (0, 5, 0, 5)),
        ({"kick": "X..x......X.....", "snare": "....X.......X...", "hat": "x.x.x.xxx.x.x.xx"},
         {"kick": "X.....x...X..x..", "clap": "....X.......X...", "hat": "xxx.x.x.x.x.xxx."}),
        ("r.....r...r.....", "r..r......f....."),
        ("x...............", "x.......x.......", "......x.......x."),
        ("synth_bass", "fm_bass", "electric_bass"), ("electric_piano", "piano", "synth_keys", "string_section", "bell"),
        ("voice",), (-18, -20, -28, -20), swing=(0.0, 0.5), electronic=0.9, rap=0.8,
    ),
    "jazz": Genre(
        (90, 210), ("dorian", "mixolydian", "major"), ((1, 4, 0, 0), (0, 5, 1, 4), (1, 4, 0, 5)),
        ({"open": "x...x.x.x...x.x.", "hat": "....x.......x...", "kick": "x.........x....."},
         {"open": "x...x.x.x...x.x.", "rim": "......x........x"}, {}),
        ("w...w...w...w...",),
        ("....x......x....", "x.....x.........", "..x.......x....."),
        ("acoustic_bass",), ("piano", "electric_guitar", "mallet"),
        ("saxophone", "trumpet", "brass", "clarinet", "piano", "electric_guitar", "flute"), (-28, -23, -25, -19),
        swing=(0.6, 1.0), chord_size=(4,), chord_held=(0.3, 0.7), rests=0.25, lead_beat=0.8,
    ),
    "metal": Genre(
        (95, 190), ("minor", "blues"), ((0, 0, 5, 6), (0, 0, 0, 1), (0, 5, 3, 4), (0, 6, 5, 6)),
        ({"kick": "xxxxxxxxxxxxxxxx", "snare": "....X.......X...", "crash": "X..............."},
         {"kick": "X.xxX.xxX.xxX.xx", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.x.X.x.X.x.X.x.", "snare": "..X...X...X...X.", "open": "x...x...x...x..."}),
        ("r.r.r.r.r.r.r.r.", "rrrrrrrrrrrrrrrr"),
        ("xxxxxxxxxxxxxxxx", "x.xxx.xxx.xxx.xx", "X...x.x.X.x.x.x."),
        ("electric_bass",), ("electric_guitar",), ("electric_guitar", "voice"), (-21, -24, -17, -22),
        chord_size=(2, 3), chord_held=(0.6, 1.0), drive=(8, 30), rests=0.3, lead_beat=0.7,
    ),
    "pop": Genre(
        (90, 132), ("major", "minor", "pentatonic"), ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4)),
        ({"kick": "X...X...X...X...", "clap": "....X.......X...", "hat": "..x...x...x...x."},
         {"kick": "X.....x.X.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."}),
        ("r.r.r.r.r.r.r.r.", "r.......r.....f."),
        ("x...............", "x.x.x.x.x.x.x.x.", "x..x..x.x..x..x."),
        ("synth_bass", "electric_bass"), ("synth_keys", "piano", "synth_lead", "acoustic_guitar"),
        ("voice", "synth_lead", "choir"), (-20, -23, -25, -18), electronic=0.7, rests=0.2,
    ),
    "reggae": Genre(
        (66, 98), ("minor", "major", "dorian"), ((0, 3, 0, 3), (0, 4, 3, 0), (0, 0, 4, 4)),
        ({"kick": "........X.......", "rim": "........X.......", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.......", "snare": "........X.......", "hat": "..x...x...x...x."}),
        ("r..r..f.....o.f.", "....r.r.f...r...", "r.....f.r..f...."),
        ("....x.......x...", "..x...x...x...x.", "....x.x.....x.x."),
        ("electric_bass",), ("electric_guitar", "drawbar_organ", "piano"),
        ("voice", "brass", "drawbar_organ", "harmonica"), (-22, -18, -22, -21),
        swing=(0.2, 0.8), chord_held=(0.15, 0.4), rests=0.35,
    ),
    "rock": Genre(
        (90, 165), ("mixolydian", "major", "minor", "blues"), ((0, 3, 4, 3), (0, 6, 3, 0), (0, 4, 5, 3)),
        ({"kick": "X.....x.X.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.x.....", "snare": "....X.......X...", "crash": "X...............",
          "open": "x...x...x...x..."}),
        ("r.r.r.r.r.r.r.r.", "r...r.r.r...f.r."),
        ("x...x.x.x...x.x.", "x.x.x.x.x.x.x.x.", "X.....x.X......."),
        ("electric_bass",), ("electric_guitar", "electric_guitar", "drawbar_organ"), ("voice", "electric_guitar"),
        (-21, -23, -20, -19), drive=(2, 12), chord_size=(2, 3), rests=0.25,
    ),
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
