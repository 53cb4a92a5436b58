"""Archives: fetched with pooch, and read as a stream without unpacking them; contents of clips wherever they lie."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets.base import Clip

SUFFIXES = (".tar", ".tar.gz", ".tgz")
CHUNK = 1 << 20  # bytes
TIMEOUT_S = 30
BATCH = 256  # files in memory at a time, at most


class Archive(NamedTuple):
    """A file on the web: address, checksum as pooch takes it ("md5:…", "sha256:…"), and its size for people."""

    url: str
    checksum: str
    size: str = "size unknown"

    @property
    def name(self) -> str:
        """File name, without a query."""
        return self.url.split("?")[0].rsplit("/", 1)[-1]


def fetch(archive: Archive, folder: Path) -> Path:
    """Download a file unless it is there already with the right checksum; returns its path.

    A download that was cut off leaves `<name>.part` and goes on from there next time. Raises InputError: the server
    cannot be reached, or the file is not the one that was published.
    """
    import pooch
    import requests

    def download(url: str, output_file: str, _pooch: object) -> None:
        part = Path(folder) / f"{archive.name}.part"
        _resume(url, part)
        os.replace(part, output_file)

    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        return Path(pooch.retrieve(archive.url, archive.checksum, archive.name, folder, downloader=download))
    except requests.RequestException as error:
        reason = f"cannot be downloaded ({str(error).splitlines()[0]}); the same command goes on later"
    except ValueError:
        reason = f"the file differs from the published one ({archive.checksum}); try again"
    raise InputError(f"{archive.url}: {reason}")


def _resume(url: str, part: Path) -> None:
    """Fetch what a `.part` file lacks, by an HTTP range request."""
    import requests

    there = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    with requests.get(url, stream=True, timeout=TIMEOUT_S, headers=headers) as response:
        if response.status_code == 416:  # nothing is left to fetch
            return
        response.raise_for_status()
        there = there if response.status_code == 206 else 0  # not every server knows ranges
        total = there + int(response.headers.get("Content-Length", 0))
        bar = tqdm(total=total, initial=there, unit="B", unit_scale=True, desc=part.stem)
        with bar, open(part, "ab" if there else "wb") as file:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))


def is_archive(path: Path) -> bool:
    """Whether this is an existing tar file, by its suffix."""
    return Path(path).name.endswith(SUFFIXES) and os.path.isfile(path)


def archive_members(path: Path) -> list[str]:
    """Names of the files in an archive, in their order; an InputError if anything in it is damaged or cut off."""
    return [name for name, _ in _files(path, frozenset(), None)]


def sources(clips: Sequence[Clip], seconds: float | None = None) -> Iterator[audio.Source]:
    """For each clip its path, or its content if it lies in an archive.

    Clips of one archive must follow each other in the archive's order, as `archive_members` gives it. Where only the
    first `seconds` of the clips are wanted, of a large file only as many bytes are held in memory as they take. Raises
    InputError: an archive is damaged, or does not hold a clip any more.
    """
    for (path, packed), group in groupby(clips, key=lambda clip: (clip.path, clip.member is not None)):
        if not packed:
            yield from (clip.path for clip in group)
            continue
        wanted = [clip.member for clip in group]
        contents = (content for _, content in _files(path, frozenset(wanted), seconds) if content is not None)
        try:
            yield from (content for _, content in zip(wanted, contents, strict=True))
        except ValueError:
            raise InputError(f"{path}: has changed while it was read; start again") from None


def some(names: Sequence[str]) -> str:
    """The first of many names, for a problem that concerns them all."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def digests(clips: Sequence[Clip], sample_rate: int, label: str) -> Iterator[bytes | InputError]:
    """Digest of the samples of each clip (or why it cannot be read), in order, a few files decoded at a time."""

    def digest(source: audio.Source) -> bytes | InputError:
        try:
            return hashlib.sha1(audio.read(source, sample_rate).tobytes()).digest()
        except InputError as error:
            return error

    contents = iter(tqdm(sources(clips), total=len(clips), unit="clip", desc=label, disable=None, leave=False))
    with ThreadPoolExecutor() as pool:
        while batch := list(islice(contents, BATCH)):
            yield from pool.map(digest, batch)


def identical(splits: Mapping[str, Sequence[Clip]], sample_rate: int) -> Iterator[str]:
    """Problems in words: notes that cannot be read, and notes with the same samples as one of another split."""
    first: dict[bytes, tuple[str, str]] = {}
    twins, unreadable = [], []
    for split, clips in splits.items():
        for clip, digest in zip(clips, digests(clips, sample_rate, split), strict=True):
            if isinstance(digest, InputError):
                unreadable.append(f"{split}: {digest}")
                continue
            other_split, other = first.setdefault(digest, (split, clip.name))
            if other_split != split:
                twins.append(f"{clip.name} = {other} of {other_split}")
    if unreadable:
        yield f"{len(unreadable)} notes cannot be read ({some(unreadable)}); copy them again"
    if twins:
        yield f"{len(twins)} notes are bit-identical to one of another split ({some(twins)}); leave one out"


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


def _files(path: Path, wanted: frozenset[str], seconds: float | None) -> Iterator[tuple[str, audio.Source | None]]:
    """(name, content if wanted) of every file, streaming."""
    try:
        with open(path, "rb") as packed:
            gzipped = packed.read(2) == b"\x1f\x8b"
            packed.seek(0)
            stream = gzip.GzipFile(fileobj=packed) if gzipped else packed  # it checks what tarfile's own does not
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
                for member in archive:
                    if member.isfile() and member.name not in wanted:
                        yield member.name, None
                    elif member.isfile():
                        file = archive.extractfile(member)
                        yield member.name, file.read() if seconds is None else audio.head(file, member.size, seconds)
            while stream.read(CHUNK):  # the checksum of gzip stands at the very end
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged or cut-off archive ({error}); download it again") from None
