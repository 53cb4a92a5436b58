"""A generated corpus in the layout of ChMusic (Gong et al. 2021, "ChMusic: A Traditional Chinese Music Dataset ...").

Every piece is played on its own virtual instrument of the kind, so that the test piece 5 is an unseen instrument.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from helpers import audio
from helpers.datasets.chmusic import CLASSES
from helpers.demo.build import Job
from helpers.demo.instruments import Instrument
from helpers.demo.kinds import draw
from helpers.demo.music import Event, limited, loudness_to, melody, panned, render

RATE = 44_100
INNER = 22_050  # Hz that the pieces are rendered at
SIZES = {"tiny": 5.0, "small": 15.0, "large": 90.0}  # seconds of a piece
TREMOLO = {"pipa": 0.35, "liuqin": 0.45, "yangqin": 0.3, "sanxian": 0.15, "zhongruan": 0.2, "guzheng": 0.1}


def jobs(size: str) -> list[Job]:
    """One job for each piece."""
    numbers = [(instrument, piece) for instrument in range(1, 12) for piece in range(1, 6)]
    return [Job(f"{i}.{p}", write_piece, (i, p, SIZES[size])) for i, p in numbers]


def write_piece(folder: Path, rng: np.random.Generator, instrument: int, piece: int, seconds: float) -> None:
    """Write one solo piece as stereo."""
    player = draw(CLASSES[instrument - 1], rng)
    played = render(player, solo(player, 0.0, seconds, rng), seconds, INNER, rng)
    stereo = panned(loudness_to(played, rng.uniform(-26, -16)), rng.uniform(-0.3, 0.3))
    audio.write(folder / f"{instrument}.{piece}.wav", soxr.resample(limited(stereo), INNER, RATE), RATE)


def solo(player: Instrument, begin: float, end: float, rng: np.random.Generator) -> list[Event]:
    """A melody as the instrument is played in Chinese music: pentatonic, with tremolo on plucked strings."""
    return melody(
        player, begin, end, rng, beat=rng.uniform(0.4, 0.9), key=int(rng.integers(12)), scale="pentatonic",
        rests=rng.uniform(0, 0.12), tremolo=TREMOLO.get(player.kind, 0.0),
    )  # fmt: skip
