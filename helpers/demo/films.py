"""Six generated films as MP4 files, with a sources file in the format of data/sources/FORMAT.md.

A film is a row of scenes. In every scene none to three of the labelled instruments play, each time another virtual
instrument; there may be speech-like noise, another Chinese instrument that is not labelled, and there is ambience.
The labels are measured on each instrument's own track before mixing, so they are right to about 10 ms.
The pictures are a small animation in H.264, the sound is AAC. Four of the films are for testing, so that an interval
over films can be given.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import soxr

from helpers.datasets.films import INSTRUMENTS
from helpers.demo.build import Job
from helpers.demo.chmusic import solo
from helpers.demo.kinds import draw
from helpers.demo.music import Event, limited, loudness_to, panned, render, speech
from helpers.demo.sound import Notes, bins, noise
from helpers.files import atomic, write_json

RATE = 24_000  # Hz that the parts are rendered at
SOUND_RATE = 48_000  # Hz, of the files
OTHERS = ("guzheng", "suona", "zhongruan", "sheng", "string_section")  # heard, but not labelled
FILMS = {  # name -> split, title, seconds of silence before the time that the labels count from
    "train": ("train", "Lanterns over the River", 0.0), "valid": ("valid", "The Night Market", 1.0),
    "test_1": ("test", "Snow on the Western Gate", 0.0), "test_2": ("test", "The Ferryman's Daughter", 0.5),
    "test_3": ("test", "A Letter from the North", 0.0), "test_4": ("test", "Nine Bridges", 0.0),
}  # fmt: skip
SIZES = {  # split -> rounds of eight scenes, mean seconds of a scene
    "tiny": {"train": (1, 1.5), "valid": (1, 1.5), "test": (1, 1.0)},
    "small": {"train": (3, 4.5), "valid": (2, 4.5), "test": (1, 4.5)},
    "large": {"train": (12, 6.0), "valid": (8, 6.0), "test": (3, 6.0)},
}
FRAME = 0.01  # s
QUIET_DB = -32  # below the loudest frame of a cue an instrument counts as silent
FPS = 5
WIDTH, HEIGHT = 160, 96
CHUNK = 1024  # samples of an AAC frame
GAP = 0.8  # s of silence within a cue that a listener does not call a pause


class Track(NamedTuple):
    """One instrument's sound in a film."""

    instrument: str
    begin: float  # s
    wave: np.ndarray  # [samples]


def jobs(size: str) -> list[Job]:
    """One job for each film."""
    return [Job(f"film {name}", write_film, (name, *SIZES[size][split])) for name, (split, _, _) in FILMS.items()]


def write_film(folder: Path, rng: np.random.Generator, name: str, rounds: int, scene_s: float) -> dict:
    """Write one film; returns its entry in the sources file."""
    split, title, leader = FILMS[name]
    scenes = deck(rounds, rng)
    lengths = rng.uniform(0.8, 1.2, len(scenes))
    begins = leader + np.concatenate([[0], np.cumsum(lengths * scene_s / lengths.mean())])
    mix = np.zeros((round((begins[-1] + 0.5) * RATE), 2), np.float32)
    claims: list[tuple[str, float, float]] = []
    for names, begin, length in zip(scenes, begins, np.diff(begins), strict=False):
        for track in [cue(player, begin, length, rng) for player in names]:
            add(mix, track.wave, track.begin, rng)
            claims += [(track.instrument, *span) for span in heard(track, len(mix) / RATE)]
        for wave in background(length, rng):
            add(mix, wave, begin, rng)
    mix += ambience(len(mix), rng)
    seconds, file = len(mix) / RATE, f"demo_{name}.mp4"
    write_mp4(folder / file, pictures(seconds, claims, begins, rng), soxr.resample(limited(mix), RATE, SOUND_RATE))
    return {
        "id": f"demo_{name}", "file": file, "title": f"{title} (generated)", "licence": "CC0-1.0", "split": split,
        "offset": leader, "exhaustive": True, "segments": segments(claims, leader),
    }  # fmt: skip


def deck(rounds: int, rng: np.random.Generator) -> list[list[str]]:
    """Who plays in each scene: a round has every instrument alone, two pairs, a trio, and a scene without any."""
    scenes = []
    for _ in range(rounds):
        mixed = rng.permutation(INSTRUMENTS).tolist()
        trio = rng.permutation(INSTRUMENTS)[:3].tolist()
        row = [[name] for name in INSTRUMENTS] + [mixed[:2], mixed[2:], trio, []]
        scenes += [row[place] for place in rng.permutation(len(row))]
    return scenes


def cue(name: str, begin: float, length: float, rng: np.random.Generator) -> Track:
    """An instrument's part in a scene: strokes of a gong that ring on, or a melody."""
    player = draw(name, rng)
    late = rng.uniform(0, 0.2) * length
    if name == "gong":
        times = late + np.cumsum(rng.uniform(0.8, 2.5, 6)) - 0.8
        pitch = float(rng.integers(54, 68))
        times = times[times < length - 0.7] if (times < length - 0.7).any() else times[:1]
        events = [Event(time, pitch, rng.uniform(0.6, 1.0), 4.0) for time in times]
        seconds = length + 3.0
    else:
        events = solo(player, late, length - rng.uniform(0, 0.15) * length, rng)
        seconds = length + 0.5
    wave = render(player, events, seconds, RATE, rng)
    return Track(name, begin, loudness_to(wave, rng.uniform(-25, -18)))


def heard(track: Track, limit: float) -> list[tuple[float, float]]:
    """Where a track sounds, as (start, end) in seconds of the film, not beyond `limit`."""
    size = round(FRAME * RATE)
    frames = track.wave[: len(track.wave) // size * size].reshape(-1, size)
    power = np.mean(frames**2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (QUIET_DB / 10))
    breaks = np.flatnonzero(np.diff(loud) > GAP / FRAME)
    firsts, lasts = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]]
    starts, ends = track.begin + firsts * FRAME, np.minimum(track.begin + (lasts + 1) * FRAME, limit)
    return [(float(start), float(end)) for start, end in zip(starts, ends, strict=True) if end > start]


def background(length: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Unlabelled sounds of a scene: speech in half of them, another instrument in a quarter."""
    waves = []
    if rng.random() < 0.5:
        waves.append(loudness_to(speech(length, RATE, rng), rng.uniform(-30, -21)))
    if rng.random() < 0.25:
        player = draw(str(rng.choice(OTHERS)), rng)
        wave = render(player, solo(player, 0, length, rng), length, RATE, rng)
        waves.append(loudness_to(wave, rng.uniform(-30, -23)))
    return waves


def ambience(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Wind and room [samples, 2]."""
    notes = Notes(np.full(2, 60.0), np.ones(2), np.zeros(2), samples / RATE, RATE, rng)
    colour = 1 / (1 + bins(notes.samples, RATE) / 200)
    return 10 ** (rng.uniform(-38, -28) / 20) * noise(notes, colour).T


def add(mix: np.ndarray, wave: np.ndarray, begin: float, rng: np.random.Generator) -> None:
    """Add a mono track to the mix from a time on, at a random place in the stereo picture."""
    start = round(begin * RATE)
    wave = wave[: len(mix) - start].copy()
    fade = min(len(wave), round(0.1 * RATE))
    wave[len(wave) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    mix[start : start + len(wave)] += panned(wave, rng.uniform(-0.7, 0.7))


def segments(claims: list[tuple[str, float, float]], leader: float) -> list[dict]:
    """Claims (instrument, start, end) as segments that do not overlap, with all the instruments of each."""
    edges = sorted({round(time - leader, 3) for _, *span in claims for time in span})
    found: list[dict] = []
    for start, end in itertools.pairwise(edges):
        middle = (start + end) / 2 + leader
        names = [name for name in INSTRUMENTS if any(n == name and a <= middle < b for n, a, b in claims)]
        if found and found[-1]["end"] == start and found[-1]["instruments"] == names:
            found[-1]["end"] = end
        elif names:
            about = {"certainty": 1.0, "comment": " + ".join(names)}
            found.append({"start": start, "end": end, "instruments": names, **about})
    return found


def pictures(seconds: float, claims: list[tuple[str, float, float]], begins: np.ndarray, rng: np.random.Generator):
    """The picture, uint8 [HEIGHT, WIDTH, 3] FPS times a second: hills under a sky that changes with the scene, and one
    lantern for each instrument that burns while it is heard."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    hills = HEIGHT * (0.62 + 0.12 * np.sin(x / rng.uniform(9, 25) + rng.uniform(0, 6))) < y
    land = (np.where(hills, 0.25, 1.0) * (255 - 1.6 * y))[:, :, None]
    places = np.linspace(0, WIDTH, len(INSTRUMENTS) + 2)[1:-1]
    glows = np.exp(-((x - places[:, None, None]) ** 2 + (y - 76) ** 2) / 60)  # [instruments, HEIGHT, WIDTH]
    skies = rng.uniform(0.15, 0.9, (len(begins) + 1, 3))
    for time in np.arange(round(seconds * FPS)) / FPS:
        heard_now = {name for name, start, end in claims if start <= time < end}
        lights = np.array([name in heard_now for name in INSTRUMENTS], np.float32)
        lanterns = np.tensordot(lights, glows, 1)[:, :, None] * np.array([255, 150, 40])
        yield np.clip(skies[np.searchsorted(begins, time, side="right")] * land + lanterns, 0, 255).astype(np.uint8)


def finish(folder: Path, results: list[dict]) -> None:
    """Write the sources file."""
    write_json(folder / "sources.json", {"version": 1, "instruments": list(INSTRUMENTS), "sources": results})


def write_mp4(path: Path, pictures: Iterator[np.ndarray], stereo: np.ndarray) -> None:
    """Write pictures (uint8 [HEIGHT, WIDTH, 3], FPS of them a second) and sound [samples, 2] atomically."""
    with atomic(Path(path)) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "30", "threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="stereo", options={"aac_coder": "fast"})
        sound.bit_rate = 128_000
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        for begin in range(0, len(stereo), CHUNK):
            planes = np.ascontiguousarray(stereo[begin : begin + CHUNK].T, np.float32)
            frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, begin, Fraction(1, SOUND_RATE)
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
