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
from typing import Literal, NamedTuple

import typst

from helpers.config import REPORT, InputError
from helpers.evaluation import results as metrics
from helpers.files import atomic, inside
from helpers.plotting import PALETTE
from helpers.reporting.results import MAIN_METRICS

PARTS = (  # in their order; each has metrics/PART.json and report/slides/PART.typ
    "01_mel", "02_classic", "03_nsynth", "04_irmas", "04_films", "04_chmusic", "05_predominant", "06_gtzan"
)  # fmt: skip
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


class Deck(NamedTuple):
    """A deck that was set."""

    path: Path  # of the PDF
    slides: list[dict[str, str | None]]  # title and data label ("title", "data") of every slide, in order
    overfull: list[int]  # pages on which a text runs into the footer
    missing: list[str]  # parts that were left out for want of metrics

    def __str__(self) -> str:
        lines = [f"{self.path}: {len(self.slides)} slides, {self.path.stat().st_size / 1e6:.1f} MB"]
        lines += [f"page {page}: a text runs into the footer; shorten it in report/slides/" for page in self.overfull]
        lines += [f"left out, no metrics yet: {', '.join(self.missing)}"] if self.missing else []
        return "\n".join(lines)


def build(folder: Path, cover: Cover, path: Path | None = None) -> Deck:
    """Set the report of a folder with metrics/ and figures/, as `path` or in that folder under the cover's name.

    Raises:
        InputError: there are no metrics at all; one is malformed or lacks a field; a figure is missing or damaged.
            Names the file and the field. An older PDF stays as it is.
    """
    wanted = HOMEWORK if cover.part == "homework" else PARTS
    name = "_".join(filter(None, (cover.student, "homework" if cover.part == "homework" else "report"))) + ".pdf"
    folder, path = Path(folder), path or Path(folder) / name
    results = [path.stem for path in sorted((folder / "metrics").glob("*.json"))]
    parts = [part for part in wanted if part in results]
    if not parts:
        raise InputError(f"{folder / 'metrics'}: holds no metrics of any part; run `python -m helpers run` first")
    sources = [REPORT / "slides.typ", *sorted((REPORT / "slides").glob("*.typ"))]
    files = {source.relative_to(REPORT).as_posix(): source.read_bytes() for source in sources}
    for result in results:
        files |= _result(folder, result)
    about = {"parts": parts, "metrics": results, "main_metrics": MAIN_METRICS, "palette": PALETTE}
    files["deck.json"] = json.dumps(asdict(cover) | about | {"chinese": bool(_fonts())}).encode()
    try:
        with _compiler(files) as compiler, atomic(path) as temporary:
            temporary.write_bytes(compiler.compile(format="pdf"))
            slides, ends = (json.loads(compiler.query(f"<{mark}>", field="value")) for mark in ("slide", "end"))
    except typst.TypstError as error:
        raise InputError(_culprit(folder, files, error)) from None
    overfull = sorted({mark["page"] for mark in ends if mark["y"] > FOOTER_PT})
    return Deck(path, slides, overfull, [part for part in wanted if part not in results])


def _result(folder: Path, name: str) -> dict[str, bytes]:
    """A metrics file and the figures that it names, by their path in Typst's world."""
    path = folder / "metrics" / f"{name}.json"
    found = {f"metrics/{path.name}": path.read_bytes()}
    for number, figure in enumerate(metrics.read(path).figures):
        try:
            picture = inside(folder / "figures", figure)
        except InputError as error:
            raise InputError(f"{path}: figures.{number}: {error}") from None
        if not picture.is_file():
            raise InputError(f"{path}: figures.{number}: {picture} is not there; {REMEDY}")
        found[f"figures/{figure}"] = picture.read_bytes()
    return found


def _fonts() -> list[str]:
    """The folder with Noto Sans CJK (SIL OFL) that the package mplfonts brings, or none if it is not installed."""
    found = importlib.util.find_spec("mplfonts")
    return [str(Path(folder) / "fonts") for folder in found.submodule_search_locations or ()] if found else []


@contextlib.contextmanager
def _compiler(files: dict[str, bytes]) -> Iterator[typst.Compiler]:
    """A compiler of slides.typ that sees nothing but these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield typst.Compiler(Path(folder) / "slides.typ", folder, _fonts(), ignore_system_fonts=True)


def _culprit(folder: Path, files: dict[str, bytes], error: typst.TypstError) -> str:
    """Which figure or metrics file Typst stumbled over, found by setting each of them alone."""
    deck = json.loads(files["deck.json"])
    alone = {name: {"slides.typ": f'#image("/{name}")'.encode(), name: content}
             for name, content in files.items() if name.startswith("figures/")}  # fmt: skip
    alone |= {f"metrics/{part}.json": files | {"deck.json": json.dumps(deck | {"parts": [part]}).encode()}
              for part in deck["parts"]}  # fmt: skip
    for name, few in alone.items():
        try:
            with _compiler(few) as compiler:
                compiler.compile(format="pdf")
        except typst.TypstError as fault:
            told = fault.message.removeprefix("panicked with: ")  # by our own checks
            return f"{folder / name}: {told if told != fault.message else f'cannot be shown ({told})'}; {REMEDY}"
    return f"{folder}: the slides cannot be set ({error.message}); {REMEDY}"
