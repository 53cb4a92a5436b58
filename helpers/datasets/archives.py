"""Tar archives read as a stream, from front to back, without unpacking them to disk."""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from helpers import audio
from helpers.config import InputError
from helpers.datasets.base import Clip

SUFFIXES = (".tar", ".tar.gz", ".tgz")
CHUNK = 1 << 20  # bytes
FIRST = 1 << 20  # bytes of a file that are read before its length is thought about; a note has 128 kB
MOST = 1 << 26  # bytes of a file that are ever held in memory where only its beginning is wanted


def is_archive(path: Path) -> bool:
    """Whether this is an existing tar file, by its suffix."""
    return Path(path).name.endswith(SUFFIXES) and os.path.isfile(path)


def archive_members(path: Path) -> list[str]:
    """Names of the files in an archive, in their order; one pass over all of it, which checks its checksums.

    Raises:
        InputError: the archive is damaged or cut off.
    """
    return [name for name, _ in _files(path, frozenset(), None)]


def sources(clips: Sequence[Clip], seconds: float | None = None) -> Iterator[Path | bytes]:
    """For each clip its path, or its content if it lies in an archive.

    Clips of one archive must follow each other in the archive's order, as `archive_members` gives it. Where only the
    first `seconds` of the clips are wanted, of a large file only as many bytes are held in memory as they take.

    Raises:
        InputError: an archive is damaged, or does not hold a clip any more.
    """
    position = 0
    while position < len(clips):
        clip = clips[position]
        if clip.member is None:
            yield clip.path
            position += 1
            continue
        wanted = [c.member for c in clips[position:] if c.path == clip.path]
        end = position + len(wanted)
        for _, content in _files(clip.path, frozenset(wanted), seconds):
            if content is not None and position < end:
                yield content
                position += 1
        if position < end:
            raise InputError(f"{clip.path}: has changed while it was read; start again")


class _Header(tarfile.TarInfo):
    """The header of a file in an archive; a damaged one is an error, where tarfile takes it for the archive's end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """The next header."""
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None


def _files(path: Path, wanted: frozenset[str], seconds: float | None) -> Iterator[tuple[str, bytes | None]]:
    """(name, content if wanted) of every file, streaming."""
    try:
        with open(path, "rb") as packed:
            gzipped = packed.read(2) == b"\x1f\x8b"
            packed.seek(0)
            stream = gzip.GzipFile(fileobj=packed) if gzipped else packed  # it checks what tarfile's own does not
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
                for member in archive:
                    if member.isfile():
                        file = archive.extractfile(member) if member.name in wanted else None
                        yield member.name, file and _content(file, member.size, seconds)
            while stream.read(CHUNK):  # the checksum of gzip stands at the very end
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged or cut-off archive ({error}); download it again") from None


def _content(file: BinaryIO, size: int, seconds: float | None) -> bytes:
    """All of a file, or of a large one the head that its first seconds take."""
    if seconds is None or size <= FIRST:
        return file.read()
    start = file.read(FIRST)
    head = audio.Head(start + file.read(min(audio.bytes_of(start, size, seconds), MOST) - len(start)))
    head.size = size
    return head
