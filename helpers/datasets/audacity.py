"""Annotations made in Audacity: label tracks as text, one label a line: start, end (s) and text between tabs.

What a label says:  erhu, pipa @0.7 # far away
(instruments with commas between, or `none`; optionally @certainty; optionally # comment)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from helpers.config import InputError
from helpers.datasets.films_sources import INSTRUMENTS
from helpers.files import read_json, write_json, write_text

LABEL = re.compile(r"(?P<names>[^@#]*)(@\s*(?P<certainty>[\d.]+)\s*)?(#(?P<comment>.*))?")


def read(path: Path) -> list[dict]:
    """Read a label track as segments of a sources file (see data/sources/FORMAT.md).

    Raises:
        InputError: the file is missing, or a line is no label; names every such line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: no such file; in Audacity: File > Export > Export Labels") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a label track (not UTF-8 text); export the labels again") from None
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("\\")]
    segments = [(n, _segment(line)) for n, line in numbered]
    faulty = ", ".join(str(n) for n, segment in segments if segment is None)
    if faulty:
        raise InputError(f"{path}: no stretch of time with a text in line {faulty}; a label is start, end, instruments")
    if not segments:
        raise InputError(f"{path}: holds no labels; export the label track again")
    return [segment for _, segment in segments]


def take_in(labels: Path, sources: Path, about: dict) -> int:
    """Put a label track into a sources file, which is made if it does not exist; returns the number of segments.

    `about` has the keys of a source without segments; a source with the same id is replaced.

    Raises:
        InputError: the label track or the sources file cannot be read.
    """
    segments = read(labels)
    fresh = {"version": 1, "instruments": list(INSTRUMENTS), "sources": []}
    content = read_json(sources) if Path(sources).exists() else fresh
    if not isinstance(content, dict) or not isinstance(content.get("sources"), list):
        raise InputError(f"{sources}: is not a sources file; see data/sources/FORMAT.md")
    others = [one for one in content["sources"] if not (isinstance(one, dict) and one.get("id") == about["id"])]
    write_json(sources, {**content, "sources": [*others, {**about, "segments": segments}]})
    return len(segments)


def write(path: Path, events: Iterable[tuple[float, float, str]]) -> None:
    """Write a label track that Audacity imports: events are (start s, end s, text)."""
    write_text(Path(path), "".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in events))


def _segment(line: str) -> dict | None:
    """One line as a segment; None: it is no label, or a point in time."""
    parts = line.split("\t")
    if len(parts) != 3 or (label := LABEL.fullmatch(parts[2].strip())) is None:
        return None
    try:
        start, end = (round(float(part.replace(",", ".")), 6) for part in parts[:2])  # some locales export commas
        certainty = float(label["certainty"] or 1.0)
    except ValueError:
        return None
    names = [name.strip().lower() for name in label["names"].split(",") if name.strip()]
    if end <= start or not names:
        return None
    comment = (label["comment"] or "").strip()
    return {"start": start, "end": end, "instruments": [name for name in names if name != "none"],
            "certainty": certainty, "comment": comment}
