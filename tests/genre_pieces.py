"""A corpus in GTZAN's layout whose three genres differ audibly, for tests that need something learnable."""

from pathlib import Path

import numpy as np

from helpers import audio

RATE = 22_050
GENRES = ("blues", "jazz", "metal")
NUMBERS = {"blues": (0, 1, 12, 13, 29, 30), "jazz": (2, 3, 73, 74, 0, 1), "metal": (0, 1, 12, 13, 2, 3)}  # two a list
SECONDS = 7.6


def piece(genre: str, number: int, seconds: float = SECONDS) -> np.ndarray:
    """A slow hum (blues), fast high tones (jazz) or noise (metal); each track has a pitch of its own."""
    rng = np.random.default_rng((GENRES.index(genre), number))
    time = np.arange(round(seconds * RATE)) / RATE
    if genre == "metal":
        return 0.3 * rng.standard_normal(len(time))
    pitch, rate = {"blues": (100, 1), "jazz": (800, 6)}[genre]
    tones = sum(np.sin(2 * np.pi * pitch * k * (1 + 0.05 * number) * time) for k in (1, 2))
    return 0.1 * tones * (1 + np.sin(2 * np.pi * rate * time)) + 0.002 * rng.standard_normal(len(time))


def write(root: Path) -> Path:
    """Six tracks of each genre, two in each part of the fault-filtered lists."""
    for genre, numbers in NUMBERS.items():
        for number in numbers:
            audio.write(root / "genres" / genre / f"{genre}.{number:05d}.wav", piece(genre, number), RATE)
    return root
