"""Read a sources file together with the films that it names: every fault of both at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers import audio
from helpers.config import InputError
from helpers.datasets import film_sources as films_faults
from helpers.datasets.download import Archive, fetch
from helpers.datasets.film_sources import SAMPLE_RATE, Fault, Source, Sources, SourcesError, format_time
from helpers.files import fingerprint, inside, read_json

DOWNLOADS = "downloads"
END_TOLERANCE = 0.1  # s; the length in the header of a compressed file is not exact
PROBE_S = 1.0  # seconds decoded to see whether a codec can be read
SAMPLE = 1 << 20  # bytes at both ends of a file that tell it from others


@dataclass(frozen=True)
class Film:
    """A source whose file is here; `seconds` is the length that its header tells."""

    source: Source
    path: Path
    seconds: float
    fingerprint: str  # of the file's content


def read(path: Path, root: Path) -> tuple[Sources, list[Film]]:
    """Read a sources file and look into every film.

    Args:
        path: the JSON file.
        root: folder that the films' paths start from.

    Returns:
        the sources, and their films in the same order, less those that are not downloaded yet.

    Raises:
        SourcesError: there are faults; it has all of them.
        InputError: the file is missing or not JSON.
    """
    content = read_json(path)
    faults = films_faults.structure(content)
    sources = films_faults.salvaged(content, faults)
    for check in (films_faults.identities, films_faults.vocabulary, films_faults.claims):
        faults += check(sources)
    films: dict[int, Film] = {}
    for index, source in enumerate(sources.sources):
        try:
            if (film := _film(source, root)) is not None:
                films[index] = film
        except InputError as error:
            faults.append(Fault(("sources", index, "file" if source.file is not None else "url"), str(error)))
    faults += [*_twins(films), *_ends(films)]
    if faults:
        raise SourcesError(path, faults)
    return sources, list(films.values())


def download(sources: Sources, root: Path) -> None:
    """Fetch the films that have an address instead of a file, unless they are there.

    Raises:
        InputError: a server cannot be reached, or sends something else than the checksum says.
    """
    for source in sources.sources:
        if source.url is not None:
            fetch(_archive(source), _downloaded(source, root).parent)


def content_fingerprint(path: Path) -> str:
    """Digest of size, beginning and end of a file: tells films apart without reading gigabytes."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(SAMPLE)
        file.seek(max(0, size - SAMPLE))
        tail = file.read()
    return fingerprint([size, hashlib.sha256(head).hexdigest(), hashlib.sha256(tail).hexdigest()])


def _film(source: Source, root: Path) -> Film | None:
    """Find a source's file and decode its beginning; None: its place is unknown, or it is not downloaded yet."""
    if not source.file and not source.sha256:
        return None
    path = inside(root, source.file) if source.file else _downloaded(source, root)
    if not source.file and not path.exists():
        return None
    if not path.is_file():
        raise InputError(f"{path}: no such file; put it there or correct the path")
    seconds = audio.length(path, source.track)
    if next(audio.stream(path, SAMPLE_RATE, 0.0, PROBE_S, source.track), None) is None:
        raise InputError(f"{path}: holds no audio; convert it to FLAC and look whether it plays")
    return Film(source, path, seconds, content_fingerprint(path))


def _downloaded(source: Source, root: Path) -> Path:
    return Path(root) / DOWNLOADS / source.id / _archive(source).name


def _archive(source: Source) -> Archive:
    return Archive(source.url, f"sha256:{source.sha256}", "?")


def _twins(films: dict[int, Film]) -> Iterator[Fault]:
    """Sources that are the same film: on two sides of a split they would make every score a lie."""
    seen: dict[str, int] = {}
    for index, film in films.items():
        first = seen.setdefault(film.fingerprint, index)
        if first != index:
            place = ("sources", index, "file" if film.source.file else "url")
            yield Fault(place, f"is the same file as that of sources[{first}]; join the two sources")


def _ends(films: dict[int, Film]) -> Iterator[Fault]:
    """Segments that begin before the film or end after it."""
    for index, film in films.items():
        for number, segment in enumerate(film.source.segments):
            start, end = segment.start + film.source.offset, segment.end + film.source.offset
            if end > film.seconds + END_TOLERANCE:
                late = f"{format_time(end)} in the file is beyond its end {format_time(film.seconds)}"
                yield Fault(("sources", index, "segments", number, "end"), f"{late}; correct it or the offset")
            if start < 0:
                early = f"{format_time(start)} in the file is before its beginning"
                yield Fault(("sources", index, "segments", number, "start"), f"{early}; correct it or the offset")
