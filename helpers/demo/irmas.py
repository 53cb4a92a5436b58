"""A generated corpus in the layout of IRMAS (Bosch et al. 2012, "A Comparison of Sound Segregation Techniques ...").

Training clips have one labelled instrument, test excerpts one to four; both may have drums and bass, which IRMAS does
not label. All clips of a recording share its instruments, song and room.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from helpers import audio
from helpers.demo.build import Job
from helpers.demo.gtzan import GENRES, Song, bass, choose, chord_strokes, compose, drums
from helpers.demo.kinds import draw
from helpers.demo.music import limited, loudness_to, melody, panned, render
from helpers.files import write_text

RATE, SECONDS = 44_100, 3.0
INNER = 22_050  # Hz that the parts are rendered at; what recognisers hear of IRMAS ends below 11 kHz
KINDS = {  # IRMAS code -> kinds of virtual instruments
    "cel": "cello", "cla": "clarinet", "flu": "flute", "gac": "acoustic_guitar",
    "gel": "driven_guitar driven_guitar electric_guitar", "org": "drawbar_organ pipe_organ", "pia": "piano",
    "sax": "saxophone", "tru": "trumpet", "vio": "violin", "voi": "voice",
}  # fmt: skip
CHORDAL = ("gac", "gel", "org", "pia")  # play chords as well as melodies
TAGS = {  # genre in a file name -> rules that the backing follows
    "cla": "classical", "cou_fol": "country", "jaz_blu": "jazz blues", "lat_sou": "reggae disco",
    "pop_roc": "pop rock disco",
}  # fmt: skip
BASSES = "electric_bass acoustic_bass synth_bass"
LABELS = (0.35, 0.4, 0.2, 0.05)  # probability of 1, 2, 3, 4 labelled instruments in a test excerpt
SIZES = {  # recordings of each instrument, clips of a recording, test recordings, seconds of a test excerpt
    "tiny": (2, 2, 9, (5.0, 5.0)),
    "small": (12, 2, 45, (5.0, 7.0)),
    "large": (100, 3, 600, (5.0, 20.0)),
}


def jobs(size: str) -> list[Job]:
    """One job for each recording."""
    recordings, clips, tests, span = SIZES[size]
    codes = [code for code in KINDS for _ in range(recordings)]
    training = [Job(f"training {n}", write_training, (code, n + 1, clips)) for n, code in enumerate(codes)]
    testing = [Job(f"testing {n}", write_test, (1 + n % 3, n // 3 + 1, span)) for n in range(tests)]
    return training + testing


def write_training(folder: Path, rng: np.random.Generator, code: str, number: int, clips: int) -> None:
    """Write the clips of one training recording."""
    tag, song, backing = accompaniment(rng, clips * SECONDS, "cla" if code in ("cel", "vio") else None)
    mix = part(code, song, clips * SECONDS, rng) + backing
    drummed = "" if tag == "cla" else "[dru]" if song.drums else "[nod]"
    for clip, stereo in enumerate(np.split(finished(mix, rng), clips)):
        name = f"[{code}]{drummed}[{tag}]{number:04d}__{clip + 1}.wav"
        audio.write(folder / "IRMAS-TrainingData" / code / name, stereo, RATE)


def write_test(folder: Path, rng: np.random.Generator, portion: int, number: int, span: tuple[float, float]) -> None:
    """Write an excerpt of one test recording and its label file."""
    seconds = round(rng.uniform(*span), 1)
    codes = rng.choice(list(KINDS), 1 + rng.choice(len(LABELS), p=LABELS), replace=False).tolist()
    _, song, backing = accompaniment(rng, seconds, None)
    mix = backing + sum(part(code, song, seconds, rng) for code in codes)
    path = folder / f"IRMAS-TestingData-Part{portion}" / f"Part{portion}" / f"({number:02d}) virtual band-1.wav"
    audio.write(path, finished(mix, rng), RATE)
    write_text(path.with_suffix(".txt"), "".join(f"{code}\t\n" for code in sorted(codes)))


def part(code: str, song: Song, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """What a labelled instrument plays, as stereo [samples, 2]: a melody, and chords where it can."""
    player = draw(choose(KINDS[code], rng), rng)
    beat = song.beat * rng.choice([0.7, 1.0, 1.4])
    chordal = code in CHORDAL and rng.random() < 0.6
    events = chord_strokes(song, seconds, max(player.low, 45)) if chordal else []
    if not chordal or rng.random() < 0.5:
        events += melody(player, 0, seconds, rng, beat=beat, key=song.key, scale=song.scale, rests=0.1)
    wave = loudness_to(render(player, events, seconds, INNER, rng), -20 + rng.normal(0, 2))
    return panned(wave, rng.uniform(-0.6, 0.6))


def accompaniment(rng: np.random.Generator, seconds: float, likely: str | None) -> tuple[str, Song, np.ndarray]:
    """Genre tag, song, and unlabelled drums and bass as stereo [samples, 2]; `likely` is a tag for every other."""
    tag = likely if likely and rng.random() < 0.5 else str(rng.choice(list(TAGS)))
    song = compose(GENRES[choose(TAGS[tag], rng)], rng)
    mix = np.zeros((round(seconds * INNER), 2), np.float32)
    if song.drums:
        beats = loudness_to(drums(song, seconds, INNER, rng), -28 + rng.normal(0, 2.5))
        mix += panned(beats, rng.uniform(-0.2, 0.2))
    if tag != "cla":
        line = bass(song, BASSES, seconds, INNER, rng)
        mix += panned(loudness_to(line, -28 + rng.normal(0, 2.5)), rng.uniform(-0.2, 0.2))
    return tag, song, mix


def finished(mix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mix [samples, 2] at its own level, with noise, at RATE."""
    mix = soxr.resample(mix, INNER, RATE)
    hum = 10 ** (rng.uniform(-80, -60) / 20) * rng.standard_normal(mix.shape, dtype=np.float32)
    return limited(mix * np.float32(10 ** (rng.uniform(-4, 8) / 20)) + hum)
