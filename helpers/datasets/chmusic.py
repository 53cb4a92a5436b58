"""ChMusic: eleven traditional Chinese instruments, five solo pieces each, cut to clips of five seconds.

Read as it comes: `<instrument>.<piece>.wav` with instruments 1 to 11 and pieces 1 to 5; as in the paper pieces 1 to 4
are for training and piece 5 is for testing. There is no gong in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from helpers import audio
from helpers.config import InputError
from helpers.datasets.base import Clip, Corpus, Report, locate, require

CLASSES = (
    "erhu", "pipa", "sanxian", "dizi", "suona", "zhuiqin", "zhongruan", "liuqin", "guzheng", "yangqin", "sheng",
)  # fmt: skip
PIECES = {"train": (1, 2, 3, 4), "test": (5,)}
OFFICIAL = {"pieces": 55}
CLIP_S = 5.0
NAME = re.compile(r"(\d{1,2})\.(\d)")  # of a file without its suffix
REMEDY = "get ChMusic from opendatalab.com/OpenDataLab/ChMusic and put its WAV files into chmusic/"


def clips(root: Path, split: str) -> list[Clip]:
    """Clips of five seconds of the pieces for "train" or "test"; the piece is the group, a rest is left out."""
    found = []
    for path, instrument, piece in pieces(root):
        if piece in PIECES[split]:
            count = int(audio.length(path) / CLIP_S + 1e-3)
            found += [Clip(path, (instrument,), path.stem, n * CLIP_S, CLIP_S) for n in range(count)]
    return require(found, f"{folder(root)} ({split})")


def solos(root: Path, instruments: Sequence[str]) -> list[Clip]:
    """The training pieces of those instruments that ChMusic has, whole, with labels that index `instruments`."""
    return [
        Clip(path, (instruments.index(CLASSES[instrument]),), path.stem)
        for path, instrument, piece in pieces(root)
        if piece in PIECES["train"] and CLASSES[instrument] in instruments
    ]


def pieces(root: Path) -> list[tuple[Path, int, int]]:
    """Path, class index and number of every piece, in order."""
    found = []
    for path in folder(root).rglob("*.wav"):
        name = NAME.fullmatch(path.stem)
        if name and 1 <= int(name[1]) <= len(CLASSES):
            found.append((path, int(name[1]) - 1, int(name[2])))
    return sorted(found, key=lambda one: one[1:])


def folder(root: Path) -> Path:
    """The folder of ChMusic in a data root; an InputError if there is none."""
    return locate(("chmusic", "ChMusic"), root, REMEDY)


def validate(root: Path) -> Report:
    """What is there, what is missing, and what cannot be read."""
    found, problems = pieces(root), []
    for index, name in enumerate(CLASSES):
        there = {piece for _, instrument, piece in found if instrument == index}
        if missing := sorted({*PIECES["train"], *PIECES["test"]} - there):
            problems.append(f"{name}: pieces {missing} are missing; copy {index + 1}.{missing[0]}.wav again")
    counts = {"pieces": len(found)}
    for split in PIECES:
        try:
            counts[f"{split} clips"] = len(clips(root, split))
        except InputError as error:
            problems.append(str(error))
    return CORPUS.report(CORPUS.label(root, "pieces", len(found)), counts, problems)


CORPUS = Corpus(
    name="chmusic", title="ChMusic", classes=CLASSES, group="piece", places=("ChMusic",), official=OFFICIAL,
    licence="research use; none is named, so ask before publishing audio of it", clips=clips, validate=validate,
    citation="Gong, Zhu, Zhu, Wei, ChMusic: A Traditional Chinese Music Dataset for Evaluation of Instrument "
             "Recognition, ICBDT 2021 (doi 10.1145/3490322.3490351); opendatalab.com/OpenDataLab/ChMusic, about 1.1 GB",
)  # fmt: skip
