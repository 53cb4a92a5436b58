"""GTZAN: a thousand 30-s clips of music in ten genres.

Layout:   `genres/<genre>/<genre>.NNNNN.{au,wav}`, 22,050 Hz mono, 30 s; `jazz.00054.wav` of the common copy is damaged.
Faults:   B. L. Sturm: The GTZAN dataset: its contents, its faults, their effects on evaluation, and its future use
          (arXiv:1306.1461): repeated recordings, wrong labels, and many clips of one artist side by side in number.
Filtered: C. Kereliuk, B. L. Sturm, J. Larsen: Deep learning and music adversaries. IEEE Transactions on Multimedia
          17(11), 2015: repeated, distorted and wrongly labelled tracks left out, artists on one side where known.

A track is the group: nothing cut from one file may stand on two sides of a split. The one protocol that breaks this
carries it in its name, `leaky`, and exists to show what leakage does to a score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import Archive
from helpers.datasets.base import Clip, Corpus, Report, locate, require, split_by_group
from helpers.files import read_text

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
EIGHT_GENRES = tuple(genre for genre in GENRES if genre not in ("blues", "rock"))  # the smaller set that is also used
DOWNLOADS = {  # the same file on two servers, for when the first is down
    host: Archive(f"{url}/genres.tar.gz", "md5:5b3d6dddb579ab49814ab86dba69e7c7", "1.2 GB")
    for host, url in (("university", "http://opihi.cs.uvic.ca/sound"),
                      ("mirror", "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data"))
}
SAMPLE_RATE = 22_050  # Hz
OFFICIAL_TRACKS = 1000
FILTERED = {"train": 443, "valid": 197, "test": 290}
TRACK_FRACTIONS = (0.70, 0.15, 0.15)
PROTOCOLS = ("filtered", "track", "leaky")
SPLITS = ("train", "valid", "test")
FOLDERS = ("gtzan/genres", "genres", "gtzan/genres_original", "genres_original", "Data/genres_original", "gtzan", ".")
REMEDY = "`python -m helpers genre download` says where GTZAN comes from"
TRACK = re.compile(r"(?P<track>[a-z]+\.\d{5})(?:[._-][\w-]+)?\.(?:au|wav|flac)", re.IGNORECASE)
SHORTEST = 0.5  # s; what is shorter says nothing about its genre


class Tracks(NamedTuple):
    """What `tracks` found."""

    clips: list[Clip]  # whole files; group: track name, duration: that of the file
    skipped: list[str]  # one line for each file left out


def folder(root: Path) -> Path:
    """The folder below `root` that holds one folder for each genre; an InputError if there is none."""
    found = [name for name in FOLDERS if any((Path(root) / name / genre).is_dir() for genre in GENRES)]
    return locate(found or FOLDERS[:2], root, REMEDY)


def tracks(root: Path, genres: Sequence[str] = GENRES) -> Tracks:
    """Every readable file of the given genres, in the order of genre and name; labels index `genres`.

    Names may carry a suffix after the number (`blues.00029_noise.wav`, an augmented copy): the group is the track. If a
    track lies there as `.au` and as `.wav`, the first readable one counts. Raises InputError: no such folder, an
    unknown genre, or not one readable file.
    """
    if unknown := set(genres) - set(GENRES):
        raise InputError(f"genre {', '.join(sorted(unknown))}: unknown; choose from {', '.join(GENRES)}")
    found: dict[str, Clip] = {}
    skipped: list[str] = []
    base = folder(root)
    for label, genre in enumerate(genres):
        for path in sorted((base / genre).glob("*")):
            match = TRACK.fullmatch(path.name)
            if match is None or path.stem in found:
                continue
            try:
                if (seconds := audio.length(path)) < SHORTEST:
                    raise InputError(f"{path}: too short ({seconds:.2f} s)")
                found[path.stem] = Clip(path, (label,), match["track"].lower(), duration=seconds)
            except InputError as error:
                skipped.append(str(error))
    skipped = [line for line in skipped if Path(line.split(": ")[0]).stem not in found]
    return Tracks(require(list(found.values()), str(base)), skipped)


def windows(clips: Sequence[Clip], seconds: float, hop: float, used: float) -> list[Clip]:
    """Cut whole-file clips to windows of `seconds`, `hop` seconds apart, each a clip of its own in the same group.

    Only the first `used` seconds of a file are used; one that is shorter than a window gives one window.
    """
    cut = []
    for clip in clips:
        count = 1 + max(0, int((min(clip.duration, used) - seconds) / hop + 1e-6))
        cut += [replace(clip, start=clip.start + number * hop, duration=seconds) for number in range(count)]
    return cut


def split(clips: Sequence[Clip], protocol: str, seed: int = 0) -> dict[str, list[Clip]]:
    """Split clips of `tracks` or `windows` into train, valid and test; an InputError for an unknown protocol.

    `filtered`: the fault-filtered lists (no repeats, no wrong labels, artists kept apart as far as possible);
    `track`: 70/15/15 at random by track; `leaky`: 70/15/15 at random by window, so that windows of one file stand on
    all sides, only for comparison. The seed is that of the random protocols.
    """
    if protocol == "filtered":
        names = filtered_tracks()
        return {part: [clip for clip in clips if clip.group in names[part]] for part in SPLITS}
    if protocol == "track":
        return dict(zip(SPLITS, split_by_group(clips, TRACK_FRACTIONS, seed), strict=True))
    if protocol == "leaky":
        alone = [replace(clip, group=f"{clip.name}@{clip.start:g}") for clip in clips]
        parts = split_by_group(alone, TRACK_FRACTIONS, seed)
        return {part: [replace(clip, group=clip.group.split("@")[0]) for clip in cut]
                for part, cut in zip(SPLITS, parts, strict=True)}
    raise InputError(f"protocol {protocol!r}: unknown; choose one of {', '.join(PROTOCOLS)}")


def clips(root: Path, part: str) -> list[Clip]:
    """Whole files of a part (train, valid, test) of the fault-filtered split."""
    return split(tracks(root).clips, "filtered")[part]


def listed(clips: Sequence[Clip], list_file: Path) -> list[Clip]:
    """The clips that a list file names (one path or name a line), in its order; an InputError if one is missing.

    Folders and suffixes in the list do not matter, so that a list made elsewhere fits.
    """
    by_name = {clip.name: clip for clip in clips}
    chosen = []
    for number, line in enumerate(list_lines(list_file), 1):
        name = Path(line.replace("\\", "/")).stem
        if name not in by_name:
            raise InputError(f"{list_file}: line {number}: {line} is not among the readable tracks; remove the line")
        chosen.append(by_name[name])
    return require(chosen, str(list_file))


def list_lines(list_file: Path) -> list[str]:
    """The lines of a list file that are not empty; an InputError if it is missing or not text."""
    return [line.strip() for line in read_text(list_file).splitlines() if line.strip()]


def validate(root: Path) -> Report:
    """Count tracks, name files that cannot be used, and compare with the official numbers."""
    found = tracks(root)
    label = CORPUS.label(root, "tracks", len(found.clips))
    counts = {genre: sum(clip.labels == (index,) for clip in found.clips) for index, genre in enumerate(GENRES)}
    parts = split(found.clips, "filtered")
    problems = [f"{line}; left out" for line in found.skipped]
    problems += [f"{folder(root) / genre}: no clip of this genre" for genre, n in counts.items() if not n]
    notes = ["fault-filtered " + ", ".join(f"{part} {len(parts[part])} of {n}" for part, n in FILTERED.items())]
    durations = np.array([clip.duration for clip in found.clips])
    notes.append(f"clips of {durations.min():.1f} to {durations.max():.1f} s")
    if label == "subset":
        notes.append(f"{OFFICIAL_TRACKS - len(found.clips)} of {OFFICIAL_TRACKS} tracks are not here; {REMEDY}")
    return CORPUS.report(label, {"tracks": len(found.clips), **counts}, problems, notes)


RANGES = {  # numbers of the tracks of each part of the fault-filtered split
    "blues": ("29-49 73-97", "0-11 50-60", "12-28 61-72 98-99"),
    "classical": ("30-33 43-48 50-67 80-99", "0-10 68-76", "11-29 34-41 49 77-79"),
    "country": ("19-26 28-29 65-99", "0-7 9-18 27 41-42 45 49", "30-40 43-44 46-48 50-51 53-64"),
    "disco": ("5 15-20 22-37 39-45 47 49 53-54 56-57 59 61 70 73-74 89", "0 2-4 6-14 46 48 52 67-68 72 75 90 95",
              "1 21 58 62-66 69 76-88 91-94 96-97 99"),
    "hiphop": ("2-25 28-29 31-38 41-42 55-61 77-80", "81-98", "0 26-27 30 40 43-45 51-54 62-75 99"),
    "jazz": ("0-1 11-24 41 47-72", "2-10 25-32", "73-99"),
    "metal": ("2-3 5 21 24 35 46-57 59-66 69 71-72 79-80 84 86 89-99", "0-1 6-11 16-20 36-37 68 76-77 81-82",
              "12-15 22-23 25-33 38-39 67 70 73-75 78 83 85 87-88"),
    "pop": ("2-9 11-12 16-20 23-29 31-36 38-42 44 46 49-50 80 97-99", "10 53 55 58-62 81 83-86",
            "0-1 13-14 43 63-66 69-79 82 88-96"),
    "reggae": ("0-2 4 6 9 11-12 14-32 42-45 49-51 54-60 63 69", "61-62 70 72 74 76-78 85 92-99",
               "34-40 46-48 52-53 64-68 71 79 82-84 87-90"),
    "rock": ("0-9 16-26 57-70 91-99", "38 49-56 71-85", "10-15 27-37 39-48 86-90"),
}  # fmt: skip


def filtered_tracks() -> dict[str, set[str]]:
    """Track names (`blues.00029`) of each part."""
    parts: dict[str, set[str]] = {part: set() for part in SPLITS}
    for genre, texts in RANGES.items():
        for part, text in zip(SPLITS, texts, strict=True):
            for span in text.split():
                first, last = int(span.split("-")[0]), int(span.split("-")[-1])
                parts[part] |= {f"{genre}.{number:05d}" for number in range(first, last + 1)}
    return parts


CORPUS = Corpus(
    name="gtzan", title="GTZAN", classes=GENRES, group="track", places=("genres",),
    official=FILTERED | {"tracks": OFFICIAL_TRACKS}, clips=clips, validate=validate, downloads=DOWNLOADS,
    licence="none was ever stated; research use only, never redistributed",
    citation="G. Tzanetakis, P. Cook, Musical genre classification of audio signals, IEEE Transactions on Speech and "
             "Audio Processing 10(5), 2002; marsyas.info/downloads/datasets.html",
)  # fmt: skip
