"""Which corpus an experiment stands on: the real one below the data root, the generated one where it is missing."""

from __future__ import annotations

import os
from pathlib import Path

from helpers.config import DATA, ROOT, InputError
from helpers.datasets.base import data_label

PLACES = {  # patterns, relative to the data root, of the folders and archives that make up a corpus
    "nsynth": ("nsynth", "nsynth-*"),
    "irmas": ("irmas", "IRMAS-*"),
    "chmusic": ("chmusic", "ChMusic"),
    "films": ("films",),
    "gtzan": ("gtzan", "genres"),
}
TESTED_ON = {"irmas": ("IRMAS-TestingData*", "irmas/IRMAS-TestingData*")}  # without these nothing can be scored


def can_be_scored(root: Path, corpus: str) -> bool:
    """Whether a corpus is below a data root, with the part of it that it is tested on."""
    return any(any(Path(root).glob(pattern)) for pattern in TESTED_ON.get(corpus, PLACES[corpus]))


def places(root: Path, corpus: str) -> list[Path]:
    """The folders and archives of a corpus below a data root; empty if it is not there."""
    return sorted({path for pattern in PLACES[corpus] for path in Path(root).glob(pattern)})


def data_root(corpus: str, root: str | Path = "", budget: str = "quick") -> Path:
    """The folder to hand to `datasets.<corpus>`.

    Args:
        corpus: a key of `PLACES`.
        root: where real corpora lie; empty: `data/`.
        budget: a key of `config.BUDGETS`; decides how large the generated corpora are.

    Returns:
        `root` if it holds the corpus and its test data, otherwise that of the generated corpora, which are made when
        they are missing.

    Raises:
        InputError: `root` is given and is not a folder.
    """
    if root and not Path(root).is_dir():
        raise InputError(f"{root}: no such folder; --data-root is the folder that holds nsynth/, irmas/ and so on")
    real = Path(root) if root else DATA
    return real if can_be_scored(real, corpus) else generated(budget)


def generated(budget: str) -> Path:
    """Data root of the generated corpora for a budget; generates them when they are missing."""
    from helpers import demo

    return demo.ensure("tiny" if budget == "smoke" else "small")


def is_generated(root: Path) -> bool:
    """Whether a data root holds generated corpora."""
    return data_label(root, n=0, official_n=1) == "demo"


def kind(root: Path) -> str:
    """How a data root is spoken of: generated or real."""
    return "generated (demo)" if is_generated(root) else "real"


def command(notebook: str, root: str | Path, budget: str) -> str:
    """The command that runs a notebook, by its number, on a data root again; as it is typed in the project's folder."""
    place = f" --data-root {Path(os.path.relpath(root, ROOT)).as_posix()}" if root else ""
    return f"python -m helpers run --only {notebook}{place} --budget {budget}"


def listing(root: Path, corpus: str) -> list[tuple[str, int]]:
    """Relative name and size in bytes of every file of a corpus, sorted: changes when the corpus does."""
    files = []
    for top in places(root, corpus):
        files += [top] if top.is_file() else [Path(folder, name) for folder, _, names in os.walk(top) for name in names]
    return sorted((path.relative_to(root).as_posix(), path.stat().st_size) for path in files)
