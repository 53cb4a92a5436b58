"""The sources file: which films there are and what is heard in them when. Its format: data/sources/FORMAT.md.

Faults of a sources file: what they look like, and those that show in the file itself.

A file with a fault is not thrown away: `salvaged` keeps whatever is sound, so that one reading finds all faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from helpers.config import InputError

SAMPLE_RATE = 16_000  # Hz, of built films: that of NSynth, whose encoders go on from
WINDOW_S = 0.03  # s, resolution of the labels
INSTRUMENTS = ("gong", "erhu", "dizi", "pipa")
CLOCK = r"\d{1,3}:[0-5]\d:[0-5]\d(\.\d{1,6})?"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def parse_time(value: Any) -> float:
    """Seconds as a number, or `HH:MM:SS.mmm`, with a minus in front where that has a meaning.

    >>> parse_time("00:01:02.500")
    62.5
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and re.fullmatch(f"-?{CLOCK}", value):
        hours, minutes, seconds = value.lstrip("-").split(":")
        size = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        return -size if value.startswith("-") else size
    raise ValueError(f"{value!r} is not a time; write seconds (62.5) or HH:MM:SS.mmm (00:01:02.500)")


def format_time(seconds: float) -> str:
    """`HH:MM:SS.mmm` of a time in seconds.

    >>> format_time(62.5)
    '00:01:02.500'
    """
    total = round(abs(seconds) * 1000)
    sign = "-" if seconds < 0 and total else ""
    return f"{sign}{total // 3_600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02}.{total % 1000:03}"


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands here twice; remove one of them")
    return names


def _time(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{pattern}$"}]})


Time = Annotated[float, BeforeValidator(parse_time), Field(ge=0, allow_inf_nan=False), _time(CLOCK)]
Shift = Annotated[float, BeforeValidator(parse_time), Field(allow_inf_nan=False), _time(f"-?{CLOCK}")]
Names = Annotated[list[str], AfterValidator(_unique)]
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    """No unknown keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Segment(_Part):
    """A claim: between start and end these of the listed instruments are heard, and none of the others."""

    start: Time = Field(description="begin; seconds or HH:MM:SS.mmm")
    end: Time = Field(description="end (not included); seconds or HH:MM:SS.mmm")
    instruments: Names = Field(description="what is heard; [] says: none of the listed instruments")
    certainty: float = Field(1.0, ge=0, le=1, description="how sure the annotator is; below 0.5 is not learned from")
    comment: str = Field("", description="free text")

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: float, info: ValidationInfo) -> float:
        if end <= info.data.get("start", -1.0):
            start = format_time(info.data["start"])
            raise ValueError(f"{format_time(end)} is not after the start {start}; swap or correct them")
        return end


class Source(_Part):
    """One film or recording, by file or by address."""

    id: Annotated[str, Field(pattern=f"^{NAME}$")] = Field(description="short name; also the name of the built file")
    file: Text | None = Field(None, description="audio or video file, relative to the folder of the sources")
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(
        None, validate_default=True, description="address to download from, instead of a file"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, validate_default=True, description="checksum of the download"
    )
    title: Text = Field(description="title, year")
    licence: Text = Field(description="on what ground the recording may be used")
    split: Literal["train", "valid", "test"] = Field(description="side of the whole film")
    track: int = Field(0, ge=0, description="which audio stream of the file, from 0")
    offset: Shift = Field(0.0, description="added to every time of this source to get the time in the file")
    exhaustive: bool = Field(False, description="true: nothing is heard outside of the segments")
    segments: list[Segment] = Field(description="what is heard when")

    @field_validator("url")
    @classmethod
    def _one_place(cls, url: str | None, info: ValidationInfo) -> str | None:
        if "file" in info.data and (info.data["file"] is None) == (url is None):
            raise ValueError("a source has either a file or a url; give one of the two")
        return url

    @field_validator("sha256")
    @classmethod
    def _with_url(cls, sha256: str | None, info: ValidationInfo) -> str | None:
        if sha256 is None and info.data.get("url") is not None:
            raise ValueError("a url needs the checksum of its file; add it, or download the file yourself")
        return sha256


class Sources(_Part):
    """A whole sources file."""

    model_config = ConfigDict(title="Sources of labelled films")
    editor_schema: str = Field("", alias="$schema", description="for editors")
    version: Literal[1]
    instruments: Annotated[Names, Field(min_length=1)] = Field(description="the vocabulary, in the order of the labels")
    sources: Annotated[list[Source], Field(min_length=1)]


def schema() -> dict[str, Any]:
    """JSON Schema of a sources file, which editors complete and check with."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Sources.model_json_schema()}


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
