"""Annotations made in other programs, taken into a sources file: Audacity, Praat, ELAN.

What a label says, in all of them:  erhu, pipa @0.7 # far away
(instruments with commas between, or `none`; optionally @certainty; optionally # comment)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from helpers.config import InputError
from helpers.datasets.film_sources import INSTRUMENTS, LATEST_S
from helpers.files import read_json, write_json, write_text

LABEL = re.compile(r"(?P<names>[^@#]*)(@\s*(?P<certainty>[\d.]+)\s*)?(#(?P<comment>.*))?")
INTERVAL = re.compile(r'xmin\s*=\s*([\d.]+)\s+xmax\s*=\s*([\d.]+)\s+text\s*=\s*"((?:[^"]|"")*)"')
Claim = tuple[str, float | None, float | None, str]  # where it stands in the file, start s, end s, text


def read(path: Path) -> list[dict]:
    """Read labels as segments of a sources file (see data/sources/FORMAT.md), by the suffix of their file.

    Raises:
        InputError: the file is missing or of another kind, or holds what is no label; names every such place.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise InputError(f"{path}: is not a label file; {', '.join(READERS)} are read")
    if not path.is_file():
        raise InputError(f"{path}: no such file; in Audacity it is written by File > Export > Export Labels")
    try:
        claims = READERS[path.suffix.lower()](_text(path))
    except (ElementTree.ParseError, KeyError, ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error}); export the labels again") from None
    segments = [(place, _segment(start, end, text)) for place, start, end, text in claims]
    if faulty := ", ".join(place for place, segment in segments if segment is None):
        raise InputError(f"{path}: no stretch of time with instruments in {faulty}; see data/sources/FORMAT.md")
    if not segments:
        raise InputError(f"{path}: holds no labels; export them again")
    return sorted((segment for _, segment in segments), key=lambda segment: segment["start"])


def take_in(labels: Path, sources: Path, about: dict) -> int:
    """Put labels into a sources file, which is made if it does not exist; returns the number of segments.

    `about` has the keys of a source without segments; a source with the same id is replaced.

    Raises:
        InputError: the labels or the sources file cannot be read.
    """
    segments = read(labels)
    fresh = {"version": 1, "instruments": list(INSTRUMENTS), "sources": []}
    content = read_json(sources) if Path(sources).exists() else fresh
    if not isinstance(content, dict) or not isinstance(content.get("sources"), list):
        raise InputError(f"{sources}: is not a sources file; see data/sources/FORMAT.md")
    others = [one for one in content["sources"] if not (isinstance(one, dict) and one.get("id") == about["id"])]
    write_json(sources, {**content, "sources": [*others, {**about, "segments": segments}]})
    return len(segments)


def write_audacity(path: Path, events: list[tuple[float, float, str]]) -> None:
    """Write a label track that Audacity imports: events are (start s, end s, text)."""
    write_text(Path(path), "".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in events))


def audacity(text: str) -> list[Claim]:
    """A label track: start, end and text between tabs; lines that begin with a backslash hold frequencies."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("\\")]
    claims: list[Claim] = []
    for n, line in lines:
        start, end, label = (*line.split("\t"), "", "", "")[:3]
        claims.append((f"line {n}", _number(start), _number(end), label))
    return claims


def praat(text: str) -> list[Claim]:
    """The interval tiers of a TextGrid in the long format, those with a text; tiers are laid over each other."""
    if "item []" not in text:
        raise ValueError("not a TextGrid in the long text format; in Praat: Save as text file")
    found = [(float(start), float(end), label.replace('""', '"')) for start, end, label in INTERVAL.findall(text)]
    return [(f"interval {start:g}", start, end, label) for start, end, label in found if label.strip()]


def elan(text: str) -> list[Claim]:
    """All annotations of an ELAN file that have a time; tiers are laid over each other."""
    root = ElementTree.fromstring(text)
    slots = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) / 1000
             for slot in root.iter("TIME_SLOT") if "TIME_VALUE" in slot.attrib}
    return [
        (f"annotation {one.attrib['ANNOTATION_ID']}", slots.get(one.attrib["TIME_SLOT_REF1"]),
         slots.get(one.attrib["TIME_SLOT_REF2"]), one.findtext("ANNOTATION_VALUE") or "")
        for one in root.iter("ALIGNABLE_ANNOTATION")
    ]


READERS: dict[str, Callable[[str], list[Claim]]] = {".txt": audacity, ".textgrid": praat, ".eaf": elan}


def _text(path: Path) -> str:
    """Content in UTF-8, or in UTF-16 as Praat writes it for other letters than English ones."""
    content = path.read_bytes()
    utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if utf16 else "utf-8-sig")


def _number(text: str) -> float | None:
    """A decimal with point or comma (Audacity uses that of the country); None: it is none, or no finite one."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) <= LATEST_S else None


def _segment(start: float | None, end: float | None, text: str) -> dict | None:
    """A label as a segment; None: it is no stretch of time, or names nothing."""
    label = LABEL.fullmatch(text.strip())
    if label is None or start is None or end is None or not start < end <= LATEST_S:
        return None
    certainty = _number(label["certainty"] or "1")
    names = [name.strip().lower() for name in label["names"].split(",") if name.strip()]
    if not names or certainty is None:
        return None
    comment = (label["comment"] or "").strip()
    return {"start": round(start, 6), "end": round(end, 6), "instruments": [name for name in names if name != "none"],
            "certainty": certainty, "comment": comment}
