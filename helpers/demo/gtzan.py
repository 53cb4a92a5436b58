"""A generated corpus in the layout of GTZAN (Tzanetakis & Cook 2002, "Musical Genre Classification of Audio Signals"),
and the band that plays it by the rules of ten genres: tempo, swing, metre, patterns, harmony, instruments, balance.

Patterns stand on a grid of sixteenths, "X" loud, "x" normal, "." nothing, and are repeated until the bar is full; a bar
of three beats takes the first twelve steps. Every track has its own choices: two segments of a track are more alike
than two tracks of a genre, and a split by segment leaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import audio
from helpers.demo.build import Job
from helpers.demo.kinds import draw
from helpers.demo.music import Event, chord, dry, limited, loudness_to, melody, render, speech
from helpers.demo.sound import Room

RATE = 22_050
SIZES = {"tiny": (3, 6.0), "small": (12, 10.0), "large": (100, 30.0)}  # tracks of each genre, seconds


class Genre(NamedTuple):
    """What the tracks of a genre have in common; where there are several words, every track chooses one."""

    tempo: tuple[float, float]  # beats a minute
    swing: tuple[float, float]  # 0 straight … 1 triplets
    scales: str
    progressions: str  # a digit a bar: degree of the scale
    drums: tuple[str, ...]  # alternatives, each of drums and their patterns
    bass: str  # patterns: "r" root, "f" fifth, "o" octave, "w" walking note
    chords: str  # patterns
    bass_kinds: str
    chord_kinds: str
    lead_kinds: str
    balance: tuple[float, float, float, float]  # dB: drums, bass, chords, lead
    beats: int = 4  # in a bar
    electronic: float = 0.0  # probability of an electronic kick
    chord_size: int = 3  # 2: power chords
    chord_held: float = 0.7  # of the time to the next stroke
    drive: tuple[float, float] | None = None  # of the guitar that plays chords
    rap: float = 0.0  # probability that speech takes the place of the lead


GENRES: dict[str, Genre] = {
    "blues": Genre(
        (65, 125), (0.6, 1.0), "blues mixolydian", "000033004304 0304",
        ("kick X.......x.x..... snare ....X... hat x.", "kick X....... open x...x.x."), "r.r.f.f. w...",
        "x..x ....x... x.", "electric_bass acoustic_bass", "electric_guitar piano acoustic_guitar",
        "electric_guitar harmonica voice saxophone", (-24, -23, -25, -19)),
    "classical": Genre(
        (55, 130), (0.0, 0.1), "major minor", "0340 0534 0140", ("",), "r............... r...f...o...f...",
        "x............... x... x.", "cello string_section", "string_section piano pipe_organ harpsichord",
        "violin flute clarinet oboe piano cello choir", (-90, -25, -23, -21), beats=3, chord_held=1.0),
    "country": Genre(
        (85, 135), (0.0, 0.4), "major pentatonic mixolydian", "0340 0034 0430",
        ("kick X....... snare ....x... hat x.", "kick X....... rim ..x.x.x...x.x.xx", ""), "r.......f....... r...f...",
        "....x.x. x.xx ..x.", "acoustic_bass electric_bass", "acoustic_guitar",
        "violin voice electric_guitar harmonica acoustic_guitar", (-27, -24, -22, -19)),
    "disco": Genre(
        (108, 130), (0.0, 0.1), "minor dorian major", "0304 0534 0033",
        ("kick X... snare ....x... open ..X. hat x...", "kick X... clap ....X... open ..X."), "r.o. r..or..or..or.oo",
        "..x. x..x..x...x.x...", "electric_bass synth_bass", "electric_guitar electric_piano string_section",
        "string_section voice synth_brass choir", (-20, -22, -25, -21), electronic=0.3),
    "hiphop": Genre(
        (75, 105), (0.0, 0.5), "minor dorian blues", "0000 0030 0505",
        ("kick X..x......X..... snare ....X... hat x.x.x.xx", "kick X.....x...X..x.. clap ....X... hat xxx.x.x."),
        "r.....r...r..... r..r......f.....", "x............... ......x.", "synth_bass fm_bass electric_bass",
        "electric_piano piano synth_keys bell", "voice", (-18, -20, -28, -20), electronic=0.9, rap=0.8),
    "jazz": Genre(
        (90, 210), (0.6, 1.0), "dorian mixolydian major", "1400 0514 1405",
        ("open x...x.x. hat ....x... kick x.........x.....", "open x...x.x. rim ......x........x"), "w...",
        "....x......x.... ..x.....", "acoustic_bass", "piano electric_guitar mallet",
        "saxophone trumpet brass clarinet piano flute", (-28, -23, -25, -19), chord_size=4, chord_held=0.5),
    "metal": Genre(
        (95, 190), (0.0, 0.1), "minor blues", "0056 0001 0534",
        ("kick x snare ....X... crash X...............", "kick X.x. snare ..X. open x..."), "r. r",
        "x x.xx X...x.x.X.x.x.x.", "electric_bass", "electric_guitar", "electric_guitar voice", (-21, -24, -17, -22),
        chord_size=2, drive=(8, 30)),
    "pop": Genre(
        (90, 132), (0.0, 0.1), "major minor pentatonic", "0453 5304 0534",
        ("kick X... clap ....X... hat ..x.", "kick X.....x.X....... snare ....X... hat x."), "r. r.......r.....f.",
        "x............... x..x..x.", "synth_bass electric_bass", "synth_keys piano synth_lead acoustic_guitar",
        "voice synth_lead choir", (-20, -23, -25, -18), electronic=0.7),
    "reggae": Genre(
        (66, 98), (0.2, 0.8), "minor major dorian", "0303 0430 0044",
        ("kick ........X....... rim ........X....... hat x.", "kick X....... snare ........X....... hat ..x."),
        "r..r..f.....o.f. ....r.r.f...r...", "....x... ..x.", "electric_bass", "electric_guitar drawbar_organ piano",
        "voice brass drawbar_organ", (-22, -18, -22, -21), chord_held=0.25),
    "rock": Genre(
        (90, 165), (0.0, 0.1), "mixolydian major minor blues", "0343 0630 0453",
        ("kick X.....x.X.x..... snare ....X... hat x.", "kick X.......X.x..... snare ....X... open x."),
        "r. r...r.r.r...f.r.", "x...x.x. x.", "electric_bass", "electric_guitar electric_guitar drawbar_organ",
        "voice electric_guitar", (-21, -23, -20, -19), chord_size=2, drive=(2, 12)),
}  # fmt: skip

LOUD = {"X": 1.0, "x": 0.7}
LEVELS = {"kick": 1.0, "snare": 0.8, "hat": 0.3, "open": 0.35, "crash": 0.5, "clap": 0.6, "rim": 0.4}


class Song(NamedTuple):
    """The choices of one track within its genre."""

    genre: Genre
    beat: float  # s
    swing: float
    key: int  # pitch class
    scale: str
    progression: str
    drums: str
    bass: str
    chords: str

    def grid(self, pattern: str, seconds: float) -> Iterator[tuple[int, float, str]]:
        """Every sounding step of a repeated pattern as (degree of the scale in its bar, start in s, character)."""
        for number in range(int(4 * seconds / self.beat) + 1):
            bar, step = divmod(number, 4 * self.genre.beats)
            start = (number / 4 + (self.swing / 6 if step % 4 == 2 else 0)) * self.beat
            if (character := pattern[step % len(pattern)]) != "." and start < seconds:
                yield int(self.progression[bar % len(self.progression)]), start, character

    def strokes(self, pattern: str, seconds: float) -> Iterator[tuple[int, float, str, float]]:
        """The same with the time to the next one, or to the end."""
        steps = list(self.grid(pattern, seconds))
        return ((*step, end - step[1]) for step, (_, end, _) in zip(steps, [*steps[1:], (0, seconds, "")], strict=True))


def compose(genre: Genre, rng: np.random.Generator) -> Song:
    """Choose a song of a genre."""
    beat, swing, key = 60 / rng.uniform(*genre.tempo), rng.uniform(*genre.swing), int(rng.integers(12))
    scale, progression, bass, chords = (
        choose(words, rng) for words in (genre.scales, genre.progressions, genre.bass, genre.chords))
    return Song(genre, beat, swing, key, scale, progression, str(rng.choice(genre.drums)), bass, chords)


def choose(words: str, rng: np.random.Generator) -> str:
    """One of some words."""
    return str(rng.choice(words.split()))


def drums(song: Song, seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The drums [samples], with a human unevenness of a few milliseconds; silence where the song has none."""
    out, electronic = np.zeros(round(seconds * sample_rate), np.float32), rng.random() < song.genre.electronic
    words = song.drums.split()
    for drum, pattern in zip(words[::2], words[1::2], strict=True):
        player = draw("electronic_kick" if electronic and drum == "kick" else drum, rng)
        hits = [Event(start + abs(rng.normal(0, 0.004)), player.low, LOUD[character], 0.3)
                for _, start, character in song.grid(pattern, seconds)]
        out += LEVELS[drum] * dry(player, hits, seconds, sample_rate, rng)
    return out


def bass_line(song: Song, seconds: float, low: int, rng: np.random.Generator) -> list[Event]:
    """The bass: roots, fifths and octaves of the chord, or a walk through its scale."""
    events = []
    for degree, start, character, length in song.strokes(song.bass, seconds):
        tones = chord(song.key, song.scale, degree, 4, low)
        walk = tones[int(rng.integers(4))] + int(rng.choice([-1, 0, 0, 0, 1]))
        pitch = {"r": tones[0], "f": tones[2], "o": tones[0] + 12}.get(character, walk)
        events.append(Event(start, pitch, 0.8, _held(0.9 * length)))
    return events


def bass(song: Song, kinds: str, seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The bass [samples], played by one of some kinds of instruments."""
    player = draw(choose(kinds, rng), rng)
    return render(player, bass_line(song, seconds, max(player.low, 28), rng), seconds, sample_rate, rng)


def chord_strokes(song: Song, seconds: float, low: int) -> list[Event]:
    """The chords; power chords where the genre has two notes a chord."""
    events = []
    for degree, start, character, length in song.strokes(song.chords, seconds):
        tones = chord(song.key, song.scale, degree, max(song.genre.chord_size, 3), low)
        tones = [tones[0], tones[2], tones[0] + 12] if song.genre.chord_size == 2 else tones
        held = _held(song.genre.chord_held * min(length, song.beat * song.genre.beats))
        events += [Event(start, pitch, LOUD[character], held) for pitch in tones]
    return events


def _held(seconds: float) -> float:
    """Lengths on a grid of 50 ms, so that equal notes are rendered once."""
    return max(0.05, round(20 * seconds) / 20)


def jobs(size: str) -> list[Job]:
    """One job for each track."""
    tracks, seconds = SIZES[size]
    names = [(genre, f"{genre}.{number:05d}") for genre in GENRES for number in range(tracks)]
    return [Job(name, write_track, (genre, name, seconds)) for genre, name in names]


def write_track(folder: Path, rng: np.random.Generator, genre_name: str, name: str, seconds: float) -> None:
    """Compose, play, mix and write one track."""
    genre = GENRES[genre_name]
    song = compose(genre, rng)
    parts = [drums(song, seconds, RATE, rng), bass(song, genre.bass_kinds, seconds, RATE, rng)]
    parts += [chords(song, seconds, rng), lead(song, seconds, rng)]
    levels = np.array(genre.balance) + rng.normal(0, 2, 4)
    mix = sum(loudness_to(part, level) for part, level in zip(parts, levels, strict=True) if np.any(part))
    studio = Room(
        drive=rng.uniform(0, 0.8), balance=rng.normal(0, 0.5), top=rng.uniform(4500, 10500), bottom=rng.uniform(20, 80),
        reverb=rng.uniform(0.3, 1.0), wet=max(0.0, rng.normal(0.03, 0.05)), floor=rng.uniform(-75, -50),
        echo=float(rng.integers(10**6)),
    )  # fmt: skip
    wave = studio.record(mix[None], RATE, rng)[0]
    audio.write(folder / "genres" / genre_name / f"{name}.wav", limited(wave), RATE)


def chords(song: Song, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """The chord part [samples]."""
    player = draw(choose(song.genre.chord_kinds, rng), rng)
    if song.genre.drive and player.kind == "electric_guitar":
        player = replace(player, room=replace(player.room, drive=rng.uniform(*song.genre.drive)))
    low = 40 if song.genre.chord_size == 2 else max(player.low, int(rng.integers(48, 58)))
    return render(player, chord_strokes(song, seconds, low), seconds, RATE, rng)


def lead(song: Song, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """The solo part [samples], or rapped speech."""
    if rng.random() < song.genre.rap:
        return speech(seconds, RATE, rng)
    player = draw(choose(song.genre.lead_kinds, rng), rng)
    events = melody(player, 0, seconds, rng, beat=song.beat, key=song.key, scale=song.scale, rests=0.2)
    return render(player, events, seconds, RATE, rng)
