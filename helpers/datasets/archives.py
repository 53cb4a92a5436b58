"""Tar archives read as a stream, from front to back, without unpacking them to disk."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers.config import InputError
from helpers.datasets.base import Clip

SUFFIXES = (".tar", ".tar.gz", ".tgz")


def is_archive(path: Path) -> bool:
    """Whether this is an existing tar file, by its suffix."""
    return Path(path).name.endswith(SUFFIXES) and Path(path).is_file()


def archive_members(path: Path) -> list[str]:
    """Names of the files in an archive, in their order; one pass over it.

    Raises:
        InputError: the archive is damaged or cut off.
    """
    return [name for name, _ in _files(path, frozenset())]


def sources(clips: Sequence[Clip]) -> Iterator[Path | bytes]:
    """For each clip its path, or its content if it lies in an archive.

    Clips of one archive must follow each other in the archive's order, as `archive_members` gives it.
    """
    position = 0
    while position < len(clips):
        clip = clips[position]
        if clip.member is None:
            yield clip.path
            position += 1
            continue
        wanted = [c.member for c in clips[position:] if c.path == clip.path]
        for _, content in _files(clip.path, frozenset(wanted)):
            if content is not None:
                yield content
        position += len(wanted)


def _files(path: Path, wanted: frozenset[str]) -> Iterator[tuple[str, bytes | None]]:
    """(name, content if wanted) of every file, streaming."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if member.isfile():
                    yield member.name, archive.extractfile(member).read() if member.name in wanted else None
    except (tarfile.TarError, EOFError, zlib.error, OSError, TypeError) as error:  # TypeError: cut off in its header
        raise InputError(f"{path}: damaged or cut-off archive ({error}); download it again") from None
