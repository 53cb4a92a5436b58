"""Downloads of the corpora with pooch: checksummed, with a progress bar, going on where they were cut off."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import sources
from helpers.datasets.base import Clip

CHUNK = 1 << 20  # bytes
TIMEOUT_S = 30
BATCH = 256  # files in memory at a time, at most
NAMED = 5  # files that a problem names


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


def identical(splits: Mapping[str, Sequence[Clip]], sample_rate: int) -> Iterator[str]:
    """Problems in words: clips with the same samples in two splits, and clips that cannot be read."""
    first: dict[bytes, tuple[str, str]] = {}
    twins, unreadable = [], []
    for split, clips in splits.items():
        for clip, digest in zip(clips, _digests(clips, sample_rate, split), strict=True):
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


def some(names: Sequence[str]) -> str:
    """The first of many names."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _digests(clips: Sequence[Clip], sample_rate: int, label: str) -> Iterator[bytes | InputError]:
    """Digest of the samples of each clip (or why it cannot be read), in order, a few files decoded at a time."""

    def digest(source: Path | bytes) -> bytes | InputError:
        try:
            return hashlib.sha1(audio.read(source, sample_rate).tobytes()).digest()
        except InputError as error:
            return error

    contents = iter(tqdm(sources(clips), total=len(clips), unit="clip", desc=label, disable=None, leave=False))
    with ThreadPoolExecutor() as pool:
        while batch := list(islice(contents, BATCH)):
            yield from pool.map(digest, batch)
