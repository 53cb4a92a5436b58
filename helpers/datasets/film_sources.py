"""The sources file: which films there are and what is heard in them when. Its format: data/sources/FORMAT.md."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

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
LATEST_S = 3_600_000.0  # what HH:MM:SS with three digits of hours can say
CLOCK = r"\d{1,3}:[0-5]\d:[0-5]\d(\.\d{1,6})?"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def parse_time(value: Any) -> float:
    """Seconds as a number, or `HH:MM:SS.mmm`, with a minus in front where that has a meaning.

    >>> parse_time("00:01:02.500")
    62.5
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if abs(value) <= LATEST_S or value != value else math.inf  # of any number of digits
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
