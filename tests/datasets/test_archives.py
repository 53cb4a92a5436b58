"""Archives are read to their end, damage anywhere in them is found, and large files in them do not fill the memory."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from note_folders import NAMES, RATE, write_notes

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import archive_members, sources
from helpers.datasets.base import Clip


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A gzipped archive of six notes."""
    folder = write_notes(tmp_path / "audio", NAMES)
    with tarfile.open(tmp_path / "notes.tar.gz", "w:gz") as tar:
        tar.add(folder, "audio")
    return tmp_path / "notes.tar.gz"


def clips_of(path: Path) -> list[Clip]:
    return [Clip(path, (0,), "g", member=name) for name in archive_members(path)]


def test_every_flipped_bit_that_matters_is_found(packed: Path) -> None:
    whole, generator, found = packed.read_bytes(), np.random.default_rng(0), 0
    for place in [*generator.integers(0, len(whole), 200), len(whole) - 1, len(whole) - 5, len(whole) - 8]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(generator.integers(8))
        packed.write_bytes(damaged)
        try:
            archive_members(packed)
            assert gzip.decompress(damaged) == gzip.decompress(whole)
        except InputError as error:
            found += 1
            assert str(error).startswith(f"{packed}: damaged or cut-off archive") and str(error).isprintable()
    assert found > 180


@pytest.mark.parametrize("compressed", [True, False])
def test_every_cut_is_found(packed: Path, compressed: bool) -> None:
    if not compressed:
        packed.write_bytes(gzip.decompress(packed.read_bytes()))
    whole = packed.read_bytes()
    with tarfile.open(packed) as tar:
        borders = [member.offset for member in tar]
    for place in [1, 100, len(whole) // 2, *([len(whole) - 5] if compressed else borders[1:])]:
        packed.write_bytes(whole[:place])
        with pytest.raises(InputError, match="damaged or cut-off archive"):
            archive_members(packed)


def test_a_damaged_header_is_not_the_end(packed: Path) -> None:
    content = bytearray(gzip.decompress(packed.read_bytes()))
    with tarfile.open(packed) as tar:
        third = tar.getmembers()[3]
    content[third.offset + 10] ^= 1
    packed.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match="damaged or cut-off archive"):
        archive_members(packed)


def test_an_archive_that_changes_is_told(packed: Path) -> None:
    clips = clips_of(packed)
    with tarfile.open(packed, "w:gz"):
        pass
    with pytest.raises(InputError, match="has changed"):
        list(sources(clips))


def test_of_a_large_file_only_the_beginning_is_held(tmp_path: Path) -> None:
    size = 60_000_000
    note = np.random.default_rng(0).uniform(-1, 1, 4 * RATE).astype(np.float32)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 3, 1, RATE, 4 * RATE, 4, 32,
                       b"data", size)  # fmt: skip
    with tarfile.open(tmp_path / "notes.tar.gz", "w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("a.wav")
        member.size = len(head) + size
        tar.addfile(member, io.BytesIO(head + note.tobytes() + bytes(size - note.nbytes)))
    clips = clips_of(tmp_path / "notes.tar.gz")
    tracemalloc.start()
    for content in sources(clips, 4.0):
        np.testing.assert_array_equal(audio.read(content, RATE, duration=4.0), note)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
