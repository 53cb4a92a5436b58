"""Refusals of bad input: one printable line that names the file; and a file that must not be loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.config import InputError


@contextlib.contextmanager
def refused(message: str, *names: object) -> Iterator[pytest.ExceptionInfo]:
    """The block raises an InputError of one line that matches a pattern and holds each of these names."""
    with pytest.raises(InputError, match=message or None) as caught:
        yield caught
    line = str(caught.value)
    assert line.isprintable() and all(str(name) in line for name in names)


class Command:
    """A pickle that creates a file when it is loaded by something that trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)
