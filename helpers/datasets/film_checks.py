"""Read a sources file together with the films that it names: every fault of both at once.

A file with a fault is not thrown away: whatever is sound in it is kept, so that one reading finds all faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import pydantic

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import Archive, fetch
from helpers.datasets.film_sources import Segment, Source, Sources, format_time, parse_time
from helpers.datasets.films import SAMPLE_RATE
from helpers.files import fingerprint, inside, read_json

END_TOLERANCE = 0.1  # s; the length in the header of a compressed file is not exact
PROBE_S = 1.0  # seconds decoded to see whether a codec can be read
SAMPLE = 1 << 20  # bytes at both ends of a file that tell it from others
FILLERS = {"id": "", "title": "-", "licence": "-", "split": "train"}  # for what is faulty
SILENT = Segment.model_construct(start=0.0, end=0.0, instruments=[])


class Fault(NamedTuple):
    """Something wrong at a place of the file, as keys and indices; the message is 'problem; remedy'."""

    place: tuple[str | int, ...]
    message: str

    @property
    def path(self) -> str:
        """The place as a JSON path: sources[2].segments[0].end."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return text.lstrip(".") or "file"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SourcesError(InputError):
    """A sources file with faults: `faults` has all of them, the message tells the first and counts the others."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: [(isinstance(part, str), part) for part in fault.place])
        more = f" (one of {len(faults)} faults; `films check` lists them)" if len(faults) > 1 else ""
        super().__init__(f"{path}: {self.faults[0]}{more}")


class Film(NamedTuple):
    """A source whose file is here; `seconds` is the length that its header tells."""

    source: Source
    path: Path
    seconds: float
    fingerprint: str  # of the file's content


def read(path: Path, root: Path) -> tuple[Sources, list[Film]]:
    """The sources of a file, and their films in the same order, less those that are not downloaded yet.

    Every film is looked into; their paths start from `root`. Raises SourcesError with all faults if there are any, and
    InputError: the file is missing or not JSON.
    """
    content = read_json(path)
    faults = structure(content)
    sources = _sound(content, faults)
    films: list[Film | None] = []
    for index, source in enumerate(sources.sources):
        found = [*claims(source), *_vocabulary(source, sources.instruments)]
        try:
            films.append(_film(source, root))
            found += _ends(films[-1]) if films[-1] else []
        except InputError as error:
            films.append(None)
            found.append(Fault(("file" if source.file is not None else "url",), str(error)))
        faults += [Fault(("sources", index, *fault.place), fault.message) for fault in found]
    for index, first in _repeated(source.id.lower() for source in sources.sources):  # ids become names of files
        repeated = sources.sources[index].id
        message = f"{repeated!r} is also the id of sources[{first}]; choose another"
        faults.append(Fault(("sources", index, "id"), message))
    for index, first in _repeated(film and film.fingerprint for film in films):  # would make every score a lie
        key = "file" if sources.sources[index].file is not None else "url"
        message = f"is the same file as that of sources[{first}]; join the two sources"
        faults.append(Fault(("sources", index, key), message))
    if faults:
        raise SourcesError(path, faults)
    return sources, [film for film in films if film]


def download(sources: Sources, root: Path) -> None:
    """Fetch the films that have an address instead of a file, unless they are there; raises as `fetch`."""
    for source in sources.sources:
        if source.url is not None:
            fetch(Archive(source.url, f"sha256:{source.sha256}"), _place(source, root).parent)


def structure(content: Any) -> list[Fault]:
    """What is wrong with types, keys, times and ranges."""
    try:
        Sources.model_validate(content)
    except pydantic.ValidationError as error:
        return [Fault(found["loc"], _message(found)) for found in error.errors()]
    return []


def _message(found: dict[str, Any]) -> str:
    """pydantic's finding as 'problem; remedy'."""
    place, text = found["loc"], found["msg"].removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        part = Segment if "segments" in place else Source if len(place) > 1 else Sources
        return "unknown key" + _nearest(str(place[-1]), list(part.model_fields), "remove it")
    if found["type"] == "missing":
        return "is missing; add it"
    if found["type"] == "value_error":
        return text
    return f"{text[0].lower()}{text[1:]}, not {found['input']!r:.60}; see data/sources/FORMAT.md"


def _nearest(name: str, known: list[str], otherwise: str) -> str:
    """The end of a message about an unknown name: the nearest known one, or what to do otherwise."""
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; {otherwise}"


def _sound(content: Any, faults: list[Fault]) -> Sources:
    """The file with its faulty values replaced by what no other check minds, everything sound at its place."""
    touched = {fault.place[:length] for fault in faults for length in range(len(fault.place) + 1)}
    faulty = {fault.place for fault in faults}
    content = content if isinstance(content, dict) else {}
    sources = []
    for i, entry in enumerate([] if ("sources",) in faulty else content.get("sources", [])):
        entry = entry if isinstance(entry, dict) else {}
        kept = {key: value for key, value in entry.items() if key != "segments" and ("sources", i, key) not in touched}
        listed = [] if ("sources", i, "segments") in faulty else entry.get("segments", [])
        kept["segments"] = [SILENT if ("sources", i, "segments", j) in touched else Segment.model_validate(segment)
                            for j, segment in enumerate(listed)]
        kept["offset"] = parse_time(kept.get("offset", 0.0))
        sources.append(Source.model_construct(**(FILLERS | kept)))
    instruments = [] if ("instruments",) in touched else content.get("instruments", [])
    return Sources.model_construct(instruments=instruments, sources=sources)


def _repeated(keys: Iterable[str | None]) -> Iterator[tuple[int, int]]:
    """Index of each key that stands before already, and of the first such key; empty ones do not count."""
    seen: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key and (first := seen.setdefault(key, index)) != index:
            yield index, first


def _vocabulary(source: Source, instruments: list[str]) -> Iterator[Fault]:
    """Instruments that the file does not list."""
    for j, segment in enumerate(source.segments if instruments else []):
        for k, name in enumerate(segment.instruments):
            if name not in instruments:
                remedy = _nearest(name, instruments, "use one of " + ", ".join(instruments))
                yield Fault(("segments", j, "instruments", k), f"{name!r} is not one of the instruments{remedy}")


def claims(source: Source) -> Iterator[Fault]:
    """Stretches in which the same instrument is claimed twice, or claimed and denied."""
    segments, reported, last = source.segments, set(), {}  # last: name -> the segment so far that ends last
    names = {name for segment in segments for name in segment.instruments}
    for _, j in sorted((one.start, j) for j, one in enumerate(segments) if one.end > one.start):
        for name in sorted(segments[j].instruments or names):
            before = last.setdefault(name, j)
            if segments[j].start < segments[before].end and before != j and (before, j) not in reported:
                reported.add((before, j))
                overlap = f"{format_time(segments[j].start)} overlaps segments[{before}] in what it says of {name}"
                yield Fault(("segments", j), f"{overlap}; move a border or join the two")
            if segments[j].end > segments[before].end:
                last[name] = j


def _ends(film: Film) -> Iterator[Fault]:
    """Segments that begin before the film or end after it."""
    for number, segment in enumerate(film.source.segments):
        start, end = segment.start + film.source.offset, segment.end + film.source.offset
        if end > film.seconds + END_TOLERANCE:
            beyond = f"{format_time(end)} in the file is beyond its end {format_time(film.seconds)}"
            yield Fault(("segments", number, "end"), f"{beyond}; correct it or the offset")
        if start < 0:
            before = f"{format_time(start)} in the file is before its beginning"
            yield Fault(("segments", number, "start"), f"{before}; correct it or the offset")


def _place(source: Source, root: Path) -> Path | None:
    """Where the file of a source lies, or is downloaded to; None: it says neither."""
    if source.file:
        return inside(root, source.file)
    return Path(root) / "downloads" / source.id / Archive(source.url, "").name if source.url else None


def _film(source: Source, root: Path) -> Film | None:
    """Find a source's file and decode its beginning; None: its place is unknown, or it is not downloaded yet."""
    path = _place(source, root)
    if path is None or (not source.file and not path.exists()):
        return None
    if not path.is_file():
        raise InputError(f"{path}: no such file; put it there or correct the path")
    seconds = audio.length(path, source.track)
    next(audio.stream(path, SAMPLE_RATE, 0.0, PROBE_S, source.track))
    return Film(source, path, seconds, content_fingerprint(path))


def content_fingerprint(path: Path) -> str:
    """Digest of size, beginning and end of a file: tells films apart without reading gigabytes."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(SAMPLE)
        file.seek(max(0, size - SAMPLE))
        return fingerprint([size, *(hashlib.sha256(part).hexdigest() for part in (head, file.read()))])
