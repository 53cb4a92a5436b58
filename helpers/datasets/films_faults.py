"""Faults of a sources file: what they look like, and those that show in the file itself.

A file with a fault is not thrown away: `salvaged` keeps whatever is sound, so that one reading finds all faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pydantic

from helpers.config import InputError
from helpers.datasets.films_sources import Segment, Source, Sources, format_time, parse_time

FILLERS = {"id": "unnamed", "title": "-", "licence": "-", "split": "train", "segments": []}
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """Something wrong at a place of the file; the message is 'problem; remedy'."""

    place: Place
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


def structure(content: Any) -> list[Fault]:
    """What is wrong with types, keys, times and ranges."""
    try:
        Sources.model_validate(content)
    except pydantic.ValidationError as error:
        return [Fault(found["loc"], _message(found)) for found in error.errors()]
    return []


def salvaged(content: Any, faults: list[Fault]) -> Sources:
    """The file without its faulty values, in which everything sound keeps its place."""
    kept = {**content, "sources": list(content.get("sources", []))} if isinstance(content, dict) else {}
    for fault in faults:
        match fault.place:
            case ("sources", int(index), *rest):
                kept["sources"][index] = _without(kept["sources"][index], rest)
            case (str(key), *_):
                kept[key] = []
    sources = [_constructed({**FILLERS, **source}) for source in kept.get("sources", [])]
    return Sources.model_construct(instruments=kept.get("instruments", []), sources=sources)


def identities(sources: Sources) -> Iterator[Fault]:
    """Ids that stand twice, also in other letter case: they become names of files."""
    seen: dict[str, int] = {}
    for index, source in enumerate(sources.sources):
        first = seen.setdefault(source.id.lower(), index)
        if first != index and source.id != FILLERS["id"]:
            yield Fault(("sources", index, "id"), f"{source.id!r} is also the id of sources[{first}]; choose another")


def vocabulary(sources: Sources) -> Iterator[Fault]:
    """Instruments that the file does not list."""
    for i, source in enumerate(sources.sources if sources.instruments else []):
        for j, segment in enumerate(source.segments):
            for k, name in enumerate(segment.instruments):
                if name not in sources.instruments:
                    remedy = nearest(name, sources.instruments, "use one of " + ", ".join(sources.instruments))
                    place = ("sources", i, "segments", j, "instruments", k)
                    yield Fault(place, f"{name!r} is not one of the instruments{remedy}")


def claims(sources: Sources) -> Iterator[Fault]:
    """Stretches in which the same instrument is claimed twice, or claimed and denied."""
    for index, source in enumerate(sources.sources):
        told = set()
        for name in sorted({name for segment in source.segments for name in segment.instruments}):
            of_name = [
                (s.start, j)
                for j, s in enumerate(source.segments)
                if s.end > s.start and (name in s.instruments or not s.instruments)
            ]
            last = None
            for start, j in sorted(of_name):
                if last is not None and start < source.segments[last].end and (last, j) not in told:
                    told.add((last, j))
                    overlap = f"{format_time(start)} overlaps segments[{last}] in what it says of {name}"
                    yield Fault(("sources", index, "segments", j), f"{overlap}; move a border or join the two")
                if last is None or source.segments[j].end > source.segments[last].end:
                    last = j


def nearest(name: str, known: list[str], otherwise: str) -> str:
    """The end of a message about an unknown name: the nearest known one, or what to do otherwise."""
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; {otherwise}"


def _without(source: Any, place: list[str | int]) -> dict[str, Any]:
    """A source without the faulty value at a place below it."""
    match place:
        case ["segments", int(index), *_]:
            silent = Segment.model_construct(start=0.0, end=0.0, instruments=[])
            segments = [silent if j == index else segment for j, segment in enumerate(source["segments"])]
            return {**source, "segments": segments}
        case [str(key), *_]:
            return {name: value for name, value in source.items() if name != key}
        case _:
            return {}


def _constructed(source: dict[str, Any]) -> Source:
    """A source of values that are sound one by one."""
    segments = [Segment.model_validate(segment) for segment in source["segments"]]
    return Source.model_construct(**{**source, "segments": segments, "offset": parse_time(source.get("offset", 0.0))})


def _message(found: dict[str, Any]) -> str:
    """pydantic's finding as 'problem; remedy'."""
    place, text = found["loc"], found["msg"].removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        part = Segment if "segments" in place else Source if len(place) > 1 else Sources
        return "unknown key" + nearest(str(place[-1]), list(part.model_fields), "remove it")
    if found["type"] == "missing":
        return "is missing; add it"
    if found["type"] == "value_error":
        return text
    return f"{text[0].lower()}{text[1:]}, not {found['input']!r:.60}; see data/sources/FORMAT.md"
