"""Which corpus an experiment stands on: the real one below the data root, the generated one where it is missing."""

from __future__ import annotations

from pathlib import Path

from helpers.config import DATA, InputError

FOLDERS = {  # what shows that a corpus is there, relative to the data root
    "nsynth": ("nsynth/nsynth-test", "nsynth-test"),
    "irmas": ("irmas/IRMAS-TrainingData", "IRMAS-TrainingData"),
    "chmusic": ("chmusic", "ChMusic"),
    "films": ("films",),
    "gtzan": ("gtzan/genres", "genres", "gtzan/genres_original"),
}


def holds(root: Path, corpus: str) -> bool:
    """Whether the corpus lies below a data root."""
    return any((Path(root) / folder).is_dir() for folder in FOLDERS[corpus])


def data_root(corpus: str, root: str | Path = "", budget: str = "quick") -> Path:
    """The folder to hand to `datasets.<corpus>`.

    Args:
        corpus: a key of `FOLDERS`.
        root: where real corpora lie; empty: `data/`.
        budget: a key of `config.BUDGETS`; decides how large the generated corpora are.

    Returns:
        `root` if it holds the corpus, otherwise that of the generated corpora, which are made when they are missing.

    Raises:
        InputError: `root` is given and is not a folder.
    """
    if root and not Path(root).is_dir():
        raise InputError(f"{root}: no such folder; --data-root is the folder that holds nsynth/, irmas/ and so on")
    real = Path(root) if root else DATA
    return real if holds(real, corpus) else generated(budget)


def generated(budget: str) -> Path:
    """Data root of the generated corpora for a budget; generates them when they are missing."""
    from helpers import demo

    return demo.ensure("tiny" if budget == "smoke" else "small")
