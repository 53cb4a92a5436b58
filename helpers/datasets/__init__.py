"""The corpora, one file each: what they are, where they come from, how they lie on disk, what is wrong with them.

To add one: a module with `CORPUS = Corpus(…)`, a line in CORPORA, and one in `helpers.demo.build.CORPORA` if it can be
generated.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.datasets.base import Corpus

CORPORA: dict[str, str] = {  # name -> module that declares CORPUS; imported when asked for
    name: f"helpers.datasets.{name}" for name in ("nsynth", "irmas", "chmusic", "gtzan", "films")
}


def corpus(name: str) -> Corpus:
    """The declaration of a corpus by its name. Raises InputError: there is none of that name."""
    from helpers.config import InputError

    if name not in CORPORA:
        raise InputError(f"corpus {name!r}: unknown; choose from {', '.join(CORPORA)}")
    return import_module(CORPORA[name]).CORPUS
