"""Stimuli of the music-genre fMRI experiment: GTZAN clips of 15 s whose names say where in the experiment they stood.

Source: T. Nakai, N. Koide-Majima, S. Nishimoto: Correspondence of categorical and feature-based representations of
        music in the human brain. Brain and Behavior 11(1), 2021; OpenNeuro ds003720.

`Test_run-06-40_reggae.00013_15s.wav` is column (run) 06, row 40 of the order of the test runs, both counted from one,
then genre, GTZAN track, and seconds. A track can be heard in several runs: it is the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.config import InputError
from helpers.datasets.base import Clip, require
from helpers.datasets.gtzan import GENRES, list_lines
from helpers.files import inside

ROWS = 40
COLUMNS = {"train": 12, "test": 6}
NAME = re.compile(
    r"(?P<part>Test|Train|Training)_run-(?P<column>\d+)-(?P<row>\d+)"
    r"_(?P<genre>[a-z]+)\.(?P<number>\d{5})_(?P<seconds>\d+(?:\.\d+)?)s(?:[._-][\w-]+)?\.(?:wav|au|flac)",
    re.IGNORECASE,
)


class Stimulus(NamedTuple):
    """What the name of a stimulus file says; `column` and `row` count from one."""

    part: str
    column: int
    row: int
    genre: str
    track: str  # reggae.00013
    seconds: float


def is_stimulus(name: str) -> re.Match | None:
    """Whether a file name, with or without folders, has the form of a stimulus name."""
    return NAME.fullmatch(name.replace("\\", "/").rsplit("/", 1)[-1])


def parse(name: str) -> Stimulus:
    """Read a file name, with or without folders and an augmentation's suffix; an InputError if it cannot be one.

    >>> parse("reggae/Test_run-06-40_reggae.00013_15s.wav")
    Stimulus(part='test', column=6, row=40, genre='reggae', track='reggae.00013', seconds=15.0)
    """
    match = is_stimulus(name)
    if not match:
        raise InputError(f"{name}: not a stimulus name such as Test_run-06-40_reggae.00013_15s.wav")
    part, genre = "test" if match["part"].lower() == "test" else "train", match["genre"].lower()
    column, row = int(match["column"]), int(match["row"])
    if genre not in GENRES:
        raise InputError(f"{name}: unknown genre {genre!r}; choose from {', '.join(GENRES)}")
    if not (1 <= row <= ROWS and 1 <= column <= COLUMNS[part]):
        raise InputError(f"{name}: {part} runs are 1 to {COLUMNS[part]} and rows 1 to {ROWS}, not {column} and {row}")
    return Stimulus(part, column, row, genre, f"{genre}.{match['number']}", float(match["seconds"]))


def order_table(names: Iterable[str], part: str) -> np.ndarray:
    """Which track stood where, by the names: strings [40 rows, 12 training or 6 test runs], empty where none is named.

    Raises InputError: a name is malformed, or two different tracks claim one place.
    """
    table = np.full((ROWS, COLUMNS[part]), "", dtype="<U32")
    for one in map(parse, names):
        if one.part == part:
            other = table[one.row - 1, one.column - 1]
            if other not in ("", one.track):
                raise InputError(f"{part} run {one.column}, row {one.row}: {other} and {one.track}; remove one")
            table[one.row - 1, one.column - 1] = one.track
    return table


def clips(root: Path, part: str) -> list[Clip]:
    """Stimuli of one part below `root` (`run_dataset/<genre>/…`), by run and row; an InputError as of `order_table`."""
    return _ordered([path for path in Path(root).rglob("*_run-*") if path.is_file()], part, str(root))


def listed(list_file: Path, root: Path, part: str) -> list[Clip]:
    """Stimuli whose paths below `root` a list file names, by run and row; an InputError if one of them is not there."""
    paths = [inside(root, line.replace("\\", "/")) for line in list_lines(list_file)]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{list_file}: {path} is not there; give the folder that the list's paths start from")
    return _ordered(paths, part, str(list_file))


def _ordered(paths: Sequence[Path], part: str, where: str) -> list[Clip]:
    order_table(sorted(path.name for path in paths), part)  # two tracks in one place are an error
    stimuli = [(one.column, one.row, path.name, one, path) for path in paths if (one := parse(path.name)).part == part]
    found = [Clip(path, (GENRES.index(one.genre),), one.track, duration=one.seconds)
             for *_, one, path in sorted(stimuli)]
    return require(found, f"{where} ({part} stimuli)")
