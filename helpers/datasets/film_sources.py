"""The sources file: which films there are and what is heard in them when. Its format: data/sources/FORMAT.md.

Labels that were made in Audacity, Praat or ELAN are taken into it. What a label says, in all of them:
erhu, pipa @0.7 # far away  (instruments with commas between, or `none`; optionally @certainty; optionally # comment)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree import ElementTree

import pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from helpers.config import InputError
from helpers.datasets.films import INSTRUMENTS
from helpers.files import read_json, write_json, write_text

LATEST_S = 3_600_000.0  # what HH:MM:SS with three digits of hours can say
CLOCK = r"\d{1,3}:[0-5]\d:[0-5]\d(\.\d{1,6})?"
LABEL = re.compile(r"(?P<names>[^@#]*)(@\s*(?P<certainty>[\d.]+)\s*)?(#(?P<comment>.*))?")
INTERVAL = re.compile(r'xmin\s*=\s*([\d.]+)\s+xmax\s*=\s*([\d.]+)\s+text\s*=\s*"((?:[^"]|"")*)"')


def parse_time(value: Any) -> float:
    """Seconds of a number, or of `HH:MM:SS.mmm` with a minus in front where that has a meaning."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if abs(value) <= LATEST_S or value != value else math.inf  # of any number of digits
    if isinstance(value, str) and re.fullmatch(f"-?{CLOCK}", value):
        hours, minutes, seconds = value.lstrip("-").split(":")
        size = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        return -size if value.startswith("-") else size
    raise ValueError(f"{value!r} is not a time; write seconds (62.5) or HH:MM:SS.mmm (00:01:02.500)")


def format_time(seconds: float) -> str:
    """`HH:MM:SS.mmm` of a time in seconds: 62.5 is 00:01:02.500."""
    total = round(abs(seconds) * 1000)
    sign = "-" if seconds < 0 and total else ""
    return f"{sign}{total // 3_600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02}.{total % 1000:03}"


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands here twice; remove one of them")
    return names


def _time(pattern: str) -> pydantic.WithJsonSchema:
    return pydantic.WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{pattern}$"}]})


Time = Annotated[float, pydantic.BeforeValidator(parse_time), Field(ge=0, allow_inf_nan=False), _time(CLOCK)]
Shift = Annotated[float, pydantic.BeforeValidator(parse_time), Field(allow_inf_nan=False), _time(f"-?{CLOCK}")]
Names = Annotated[list[str], pydantic.AfterValidator(_unique)]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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

    id: Name = Field(description="short name; also the name of the built file")
    file: Text | None = Field(None, description="audio or video file, relative to the folder of the sources")
    url: Address | None = Field(None, validate_default=True, description="address to download from, instead of a file")
    sha256: Digest | None = Field(None, validate_default=True, description="checksum of the download")
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


def take_in(labels: Path, sources: Path, about: dict) -> int:
    """Put labels into a sources file, which is made if it does not exist; returns the number of segments.

    `about` has the keys of a source without segments; a source with the same id is replaced. Raises as `read_labels`,
    and an InputError if the sources file is none.
    """
    segments = read_labels(labels)
    fresh = {"version": 1, "instruments": list(INSTRUMENTS), "sources": []}
    content = read_json(sources) if Path(sources).exists() else fresh
    if not isinstance(content, dict) or not isinstance(content.get("sources"), list):
        raise InputError(f"{sources}: is not a sources file; see data/sources/FORMAT.md")
    others = [one for one in content["sources"] if not (isinstance(one, dict) and one.get("id") == about["id"])]
    write_json(sources, {**content, "sources": [*others, {**about, "segments": segments}]})
    return len(segments)


def read_labels(path: Path) -> list[dict]:
    """Labels of Audacity, Praat or ELAN as segments of a sources file; an InputError names what is none."""
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise InputError(f"{path}: is not a label file; {', '.join(READERS)} are read")
    if not path.is_file():
        raise InputError(f"{path}: no such file; in Audacity it is written by File > Export > Export Labels")
    try:
        content = path.read_bytes()  # Praat writes UTF-16 for other letters than English ones
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        claims = READERS[path.suffix.lower()](text)
    except (ElementTree.ParseError, KeyError, ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error}); export the labels again") from None
    segments = {place: _segment(*claim) for place, *claim in claims}
    if faulty := ", ".join(place for place, segment in segments.items() if segment is None):
        raise InputError(f"{path}: no stretch of time with instruments in {faulty}; see data/sources/FORMAT.md")
    if not segments:
        raise InputError(f"{path}: holds no labels; export them again")
    return sorted(segments.values(), key=lambda segment: segment["start"])


def write_audacity(path: Path, events: list[tuple[float, float, str]]) -> None:
    """Write a label track that Audacity imports: events are (start s, end s, text)."""
    write_text(Path(path), "".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in events))


Claim = tuple[str, str, str, str]  # where it stands in the file, start (s), end (s), text


def audacity(text: str) -> list[Claim]:
    """A label track: start, end and text between tabs; lines that begin with a backslash hold frequencies."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("\\")]
    return [(f"line {n}", *(*line.split("\t"), "", "", "")[:3]) for n, line in lines]


def praat(text: str) -> list[Claim]:
    """The interval tiers of a TextGrid in the long format, those with a text; tiers are laid over each other."""
    if "item []" not in text:
        raise ValueError("not a TextGrid in the long text format; in Praat: Save as text file")
    found = [(start, end, label.replace('""', '"')) for start, end, label in INTERVAL.findall(text) if label.strip()]
    return [(f"interval {start} ({number})", start, end, label) for number, (start, end, label) in enumerate(found, 1)]


def elan(text: str) -> list[Claim]:
    """All annotations of an ELAN file that have a time; tiers are laid over each other."""
    root = ElementTree.fromstring(text)
    slots = {slot.attrib["TIME_SLOT_ID"]: str(int(slot.attrib["TIME_VALUE"]) / 1000)
             for slot in root.iter("TIME_SLOT") if "TIME_VALUE" in slot.attrib}
    return [
        (f"annotation {one.attrib['ANNOTATION_ID']}", slots.get(one.attrib["TIME_SLOT_REF1"], ""),
         slots.get(one.attrib["TIME_SLOT_REF2"], ""), one.findtext("ANNOTATION_VALUE") or "")
        for one in root.iter("ALIGNABLE_ANNOTATION")
    ]


READERS: dict[str, Callable[[str], list[Claim]]] = {".txt": audacity, ".textgrid": praat, ".eaf": elan}


def _segment(start: str, end: str, text: str) -> dict | None:
    """A label as a segment; None: it is no stretch of time, or names nothing. Decimals may have a comma."""
    label = LABEL.fullmatch(text.strip())
    names = [name.strip().lower() for name in label["names"].split(",") if name.strip()] if label else []
    if not names:
        return None
    try:
        begin, stop, certainty = (float(number.replace(",", ".")) for number in (start, end, label["certainty"] or "1"))
        return Segment(start=round(begin, 6), end=round(stop, 6), certainty=certainty,
                       instruments=[name for name in names if name != "none"],
                       comment=(label["comment"] or "").strip()).model_dump()
    except ValueError:  # not a number, or not a segment
        return None
