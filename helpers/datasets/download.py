"""Downloads of the corpora with pooch: checksummed, with a progress bar, going on where they were cut off.

Tar archives read as a stream, from front to back, without unpacking them to disk.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.config import InputError
from helpers.datasets.base import Clip

CHUNK = 1 << 20  # bytes
TIMEOUT_S = 30


@dataclass(frozen=True)
class Archive:
    """A file on the web: address, checksum as pooch takes it ("md5:…", "sha256:…"), and its size for people."""

    url: str
    checksum: str
    size: str

    @property
    def name(self) -> str:
        """File name, without a query."""
        return self.url.split("?")[0].rsplit("/", 1)[-1]


def fetch(archive: Archive, folder: Path) -> Path:
    """Download a file unless it is there already with the right checksum; returns its path.

    A download that was cut off leaves `<name>.part` and goes on from there next time.

    Raises:
        InputError: the server cannot be reached, or the file is not the one that was published.
    """
    import pooch
    import requests

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = pooch.retrieve(
            archive.url, archive.checksum, archive.name, folder, downloader=_ResumingDownloader(folder / archive.name)
        )
    except requests.RequestException as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{archive.url}: cannot be downloaded ({reason}); the same command goes on later") from None
    except ValueError:
        raise InputError(
            f"{archive.url}: the file differs from the published one ({archive.checksum}); try again"
        ) from None
    return Path(path)


class _ResumingDownloader:
    """pooch's downloader interface, with an HTTP range request for what a `.part` file lacks."""

    def __init__(self, final: Path) -> None:
        self.part = final.with_name(f"{final.name}.part")

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        import requests
        from tqdm import tqdm

        there = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Range": f"bytes={there}-"} if there else {}
        with requests.get(url, stream=True, timeout=TIMEOUT_S, headers=headers) as response:
            if response.status_code == 416:  # nothing is left to fetch
                os.replace(self.part, output_file)
                return
            response.raise_for_status()
            goes_on = response.status_code == 206
            total = int(response.headers.get("Content-Length", 0)) + (there if goes_on else 0)
            with (
                open(self.part, "ab" if goes_on else "wb") as file,
                tqdm(
                    total=total, initial=there if goes_on else 0, unit="B", unit_scale=True, desc=self.part.stem
                ) as bar,
            ):
                for chunk in response.iter_content(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
        os.replace(self.part, output_file)


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
