"""Stimuli of the music-genre fMRI experiment: GTZAN clips of 15 s whose names say where in the experiment they stood.

Source: T. Nakai, N. Koide-Majima, S. Nishimoto: Correspondence of categorical and feature-based representations of
        music in the human brain. Brain and Behavior 11(1), 2021; OpenNeuro ds003720.

`Test_run-06-40_reggae.00013_15s.wav` is column 06, row 40 of the table that orders the test runs (both counted from
one), then the genre, the number of the GTZAN track, and the length in seconds. There are 40 rows in each run, 6 test
runs and 12 training runs. A track can be heard in several runs: it is the group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from helpers.config import InputError
from helpers.datasets.base import Clip, require
from helpers.datasets.gtzan import GENRES, list_lines
from helpers.files import inside

ROWS = 40
COLUMNS = {"train": 12, "test": 6}
PART_WORDS = {"train": "train", "training": "train", "test": "test"}  # as names spell them
NAME = re.compile(
    r"(?P<part>Test|Train|Training)_run-(?P<column>\d+)-(?P<row>\d+)"
    r"_(?P<genre>[a-z]+)\.(?P<number>\d{5})_(?P<seconds>\d+(?:\.\d+)?)s(?:[._-][\w-]+)?\.(?:wav|au|flac)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Stimulus:
    """What the name of a stimulus file says; `column` and `row` count from one."""

    part: str
    column: int
    row: int
    genre: str
    track: str  # reggae.00013
    seconds: float


def is_stimulus(name: str) -> bool:
    """Whether a file name, with or without folders, has the form of a stimulus name."""
    return _match(name) is not None


def parse(name: str) -> Stimulus:
    """Read a file name (folders before it do not matter; an augmentation's suffix is allowed).

    >>> parse("reggae/Test_run-06-40_reggae.00013_15s.wav")
    Stimulus(part='test', column=6, row=40, genre='reggae', track='reggae.00013', seconds=15.0)

    Raises:
        InputError: not such a name, an unknown genre, or a place outside of the 40 rows and 6 or 12 columns.
    """
    match = _match(name)
    if match is None:
        raise InputError(f"{name}: not a stimulus name such as Test_run-06-40_reggae.00013_15s.wav")
    part, genre = PART_WORDS[match["part"].lower()], match["genre"].lower()
    column, row = int(match["column"]), int(match["row"])
    if genre not in GENRES:
        raise InputError(f"{name}: unknown genre {genre!r}; choose from {', '.join(GENRES)}")
    if not (1 <= row <= ROWS and 1 <= column <= COLUMNS[part]):
        raise InputError(f"{name}: {part} runs are 1 to {COLUMNS[part]} and rows 1 to {ROWS}, not {column} and {row}")
    return Stimulus(part, column, row, genre, f"{genre}.{match['number']}", float(match["seconds"]))


def clips(root: Path, part: str) -> list[Clip]:
    """Stimuli of one part below `root` (`run_dataset/<genre>/…`), ordered by run and row, labels from their names.

    Raises:
        InputError: there are none, or two different tracks claim one place.
    """
    paths = [path for path in Path(root).rglob("*_run-*") if path.is_file()]
    return _ordered(paths, part, str(root))


def listed(list_file: Path, root: Path, part: str) -> list[Clip]:
    """Stimuli that `train_list.txt` or `test_list.txt` names (paths below `root`), ordered by run and row.

    Raises:
        InputError: the list is missing, names something that is not there, or points outside of `root`.
    """
    paths = [inside(root, line.replace("\\", "/")) for line in list_lines(list_file)]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{list_file}: {path} is not there; give the folder that the list's paths start from")
    return _ordered(paths, part, str(list_file))


def _match(name: str) -> re.Match | None:
    return NAME.fullmatch(Path(name.replace("\\", "/")).name)


def _ordered(paths: Sequence[Path], part: str, where: str) -> list[Clip]:
    stimuli = [(parse(path.name), path) for path in sorted(paths, key=lambda path: path.name)]
    chosen = sorted(((s, p) for s, p in stimuli if s.part == part), key=lambda pair: (pair[0].column, pair[0].row))
    for (one, _), (other, _) in pairwise(chosen):
        if (one.column, one.row) == (other.column, other.row) and one.track != other.track:
            raise InputError(f"{part} run {one.column}, row {one.row}: {one.track} and {other.track}; remove one")
    found = [Clip(path, (GENRES.index(s.genre),), s.track, duration=s.seconds) for s, path in chosen]
    return list(require(found, f"{where} ({part} stimuli)"))
