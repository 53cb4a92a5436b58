"""Set the slide report: metrics and figures on disk -> a 16:9 PDF, typeset by Typst from `report/slides.typ`.

Every part of the report is a file `report/slides/PART.typ` that reads `metrics/PART.json`, and others if they are
there; parts whose metrics do not exist yet are left out. Typst sees a folder with exactly these files and only the
fonts that packages bring along: no network, nothing of the system, and the same input gives the same bytes.
"""

import contextlib
import importlib.util
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typst

from helpers.config import REPORT, InputError
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result
from helpers.files import atomic, inside
from helpers.plotting.style import PALETTE
from helpers.reporting.results import MAIN_METRICS

PARTS = (  # in their order; each has metrics/PART.json and report/slides/PART.typ
    "01_mel",
    "02_classic",
    "03_nsynth",
    "04_irmas",
    "04_films",
    "04_chmusic",
    "05_predominant",
    "06_gtzan",
)
HOMEWORK = PARTS[:3]
FOOTER_PT = 440  # distance of the lower margin from the upper edge of a page
REMEDY = "run `python -m helpers run` to write it again"


@dataclass(frozen=True)
class Cover:
    """Which deck it is, and what its title slide says; empty fields are left out."""

    student: str = ""  # student id
    author: str = ""
    link: str = ""  # to the code
    part: Literal["all", "homework"] = "all"

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that belong in the deck."""
        return HOMEWORK if self.part == "homework" else PARTS

    @property
    def file_name(self) -> str:
        """Name of the PDF."""
        return "_".join(filter(None, (self.student, "homework" if self.part == "homework" else "report"))) + ".pdf"


def write(folder: Path, cover: Cover) -> Iterator[str]:
    """Set a deck and tell, line by line, what is in it, what does not fit on its page, and what is missing."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; `python -m helpers run --out DIR` fills one")
    path, missing = build(folder, cover)
    yield f"{path}: {len(titles(folder, cover))} slides, {path.stat().st_size / 1e6:.1f} MB"
    for page in overfull(folder, cover):
        yield f"page {page}: a text runs into the footer; shorten it in report/slides/"
    if missing:
        yield f"left out, no metrics yet: {', '.join(missing)}"


def build(folder: Path, cover: Cover, path: Path | None = None) -> tuple[Path, list[str]]:
    """Set the report of a folder with metrics/ and figures/.

    Returns:
        The PDF (`path`, or in that folder by the name that the cover gives it) and the parts that were left out for
        want of metrics.

    Raises:
        InputError: there are no metrics at all; one is malformed or lacks a field; a figure is missing or damaged.
            Names the file and the field. An older PDF stays as it is.
    """
    files, missing = collect(folder := Path(folder), cover)
    try:
        content = _set(files)
    except typst.TypstError as error:
        raise InputError(_culprit(folder, files, error)) from None
    path = path or folder / cover.file_name
    with atomic(path) as temporary:
        temporary.write_bytes(content)
    return path, missing


def collect(folder: Path, cover: Cover) -> tuple[dict[str, bytes], list[str]]:
    """The files that Typst reads, by their path in its world, and the parts without metrics; raises as `build` does."""
    sources = [REPORT / "slides.typ", *sorted((REPORT / "slides").glob("*.typ"))]
    results = {path.stem: metrics.read(path) for path in sorted((folder / "metrics").glob("*.json"))}
    parts = [part for part in cover.parts if part in results]
    if not parts:
        raise InputError(f"{folder / 'metrics'}: holds no metrics of any part; run `python -m helpers run` first")
    files = {path.relative_to(REPORT).as_posix(): path.read_bytes() for path in sources}
    for name, result in results.items():
        files[f"metrics/{name}.json"] = (folder / "metrics" / f"{name}.json").read_bytes()
        files |= _figures(folder, name, result)
    about = {"parts": parts, "metrics": list(results), "main_metrics": MAIN_METRICS, "palette": PALETTE}
    files["deck.json"] = json.dumps(asdict(cover) | about | {"chinese": bool(_fonts())}).encode()
    return files, [part for part in cover.parts if part not in results]


def titles(folder: Path, cover: Cover) -> list[dict[str, str | None]]:
    """Title and data label ("title", "data") of every slide, in order."""
    return _query(folder, cover, "<slide>")


def overfull(folder: Path, cover: Cover) -> list[int]:
    """Pages on which a text runs into the footer."""
    return sorted({mark["page"] for mark in _query(folder, cover, "<end>") if mark["y"] > FOOTER_PT})


def _fonts() -> list[str]:
    """The folder with Noto Sans CJK (SIL OFL) that the package mplfonts brings, or none if it is not installed."""
    found = importlib.util.find_spec("mplfonts")
    return [str(Path(folder) / "fonts") for folder in found.submodule_search_locations or ()] if found else []


def _query(folder: Path, cover: Cover, selector: str) -> list[dict]:
    with _compiler(collect(Path(folder), cover)[0]) as compiler:
        return json.loads(compiler.query(selector, field="value"))


def _figures(folder: Path, part: str, result: Result) -> dict[str, bytes]:
    """The figures that a result names."""
    found = {}
    for number, name in enumerate(result.figures):
        try:
            path = inside(folder / "figures", name)
            if not path.is_file():
                raise InputError(f"{path} is not there; {REMEDY}")
        except InputError as error:
            raise InputError(f"{folder / 'metrics' / part}.json: figures.{number}: {error}") from None
        found[f"figures/{name}"] = path.read_bytes()
    return found


@contextlib.contextmanager
def _compiler(files: dict[str, bytes]) -> Iterator[typst.Compiler]:
    """A compiler of slides.typ that sees nothing but these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield typst.Compiler(Path(folder) / "slides.typ", folder, _fonts(), ignore_system_fonts=True)


def _set(files: dict[str, bytes]) -> bytes:
    with _compiler(files) as compiler:
        return compiler.compile(format="pdf")


def _culprit(folder: Path, files: dict[str, bytes], error: typst.TypstError) -> str:
    """Which figure or metrics file Typst stumbled over, found by setting each of them alone."""
    for name in sorted(name for name in files if name.startswith("figures/")):
        try:
            _set({"slides.typ": f'#image("/{name}")'.encode(), name: files[name]})
        except typst.TypstError as fault:
            return f"{folder / name}: cannot be shown ({fault.message}); {REMEDY}"
    deck = json.loads(files["deck.json"])
    for part in deck["parts"]:
        try:
            _set({**files, "deck.json": json.dumps(deck | {"parts": [part]}).encode()})
        except typst.TypstError as fault:
            return f"{folder / 'metrics' / part}.json: {fault.message.removeprefix('panicked with: ')}; {REMEDY}"
    return f"{folder}: the slides cannot be set ({error.message}); {REMEDY}"
