"""A generated corpus in the layout of GTZAN (Tzanetakis & Cook 2002, "Musical Genre Classification of Audio Signals").

Tracks are composed by the rules of `band`. Every track has its own tempo, key, patterns, instruments, room and
balance: two segments of a track are more alike than two tracks of a genre, and a split by segment leaks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from helpers import audio
from helpers.demo.band import GENRES, Song, bass_line, choose, chord_strokes, compose, drums
from helpers.demo.build import Job
from helpers.demo.kinds import draw
from helpers.demo.music import limited, loudness_to, melody, render, speech
from helpers.demo.sound import Room

RATE = 22_050
SIZES = {"tiny": (3, 6.0), "small": (12, 10.0), "large": (100, 30.0)}  # tracks of each genre, seconds


def jobs(size: str) -> list[Job]:
    """One job for each track."""
    tracks, seconds = SIZES[size]
    names = [(genre, f"{genre}.{number:05d}") for genre in GENRES for number in range(tracks)]
    return [Job(name, write_track, (genre, name, seconds)) for genre, name in names]


def write_track(folder: Path, rng: np.random.Generator, genre_name: str, name: str, seconds: float) -> None:
    """Compose, play, mix and write one track."""
    genre = GENRES[genre_name]
    song = compose(genre, rng)
    parts = [
        drums(song, seconds, RATE, rng),
        bass(song, seconds, rng),
        chords(song, seconds, rng),
        lead(song, seconds, rng),
    ]
    levels = np.array(genre.balance) + rng.normal(0, 2, 4)
    mix = sum(loudness_to(part, level) for part, level in zip(parts, levels, strict=True) if np.any(part))
    wave = master(rng).record(mix[None], RATE, rng)[0]
    audio.write(folder / "genres" / genre_name / f"{name}.wav", limited(wave), RATE)


def bass(song: Song, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """The bass part [samples]."""
    player = draw(choose(song.genre.bass_kinds, rng), rng)
    return render(player, bass_line(song, seconds, max(player.low, 28), rng), seconds, RATE, rng)


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


def master(rng: np.random.Generator) -> Room:
    """The studio, tape and microphone of a track."""
    return Room(
        drive=rng.uniform(0, 0.8), balance=rng.normal(0, 0.5), top=rng.uniform(4500, 10500), bottom=rng.uniform(20, 80),
        reverb=rng.uniform(0.3, 1.0), wet=max(0.0, rng.normal(0.03, 0.05)), floor=rng.uniform(-75, -50),
        echo=float(rng.integers(10**6)),
    )  # fmt: skip
