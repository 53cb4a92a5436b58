"""Trees of any number of notes for the benchmarks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.demo.build import write, write_scale


@pytest.fixture(scope="session")
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Folder of a generated NSynth with so many training notes, hard links of some hundred different ones."""
    base = write("small", Path(request.config.cache.mkdir("demo")) / "scale", corpora=("nsynth",), force=True)

    def grow(notes: int) -> Path:
        out = tmp_path_factory.mktemp(f"notes{notes}") / "corpora"
        shutil.copytree(base, out, copy_function=_link)
        return write_scale(notes, out) / "nsynth"

    return grow


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
