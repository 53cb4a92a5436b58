"""The document's table: every model trained without and with augmentation, a row on disk as soon as it is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from helpers.config import ROOT
from helpers.datasets import gtzan
from helpers.datasets.base import Clip, clips_fingerprint, data_label
from helpers.files import fingerprint, read_json, write_json, write_text
from helpers.models import build
from helpers.models.base import parameter_count
from helpers.studies import genres as study
from helpers.studies.genre_recipe import SOLVED, ZOO, GenreConfig
from helpers.studies.genre_train import check

HEADER = (
    "| Model | Parameters | Train | Valid | Train (augmented) | Valid (augmented) | Test | Test (augmented) |\n"
    "|---|---:|---:|---:|---:|---:|---|---|"
)
Row = dict


@dataclass(frozen=True)
class Job:
    """Which corpus, protocol and recipe a table is made of, and where its rows lie."""

    root: Path
    protocol: str
    out: Path
    config: GenreConfig
    genres: Sequence[str]

    @cached_property
    def clips(self) -> list[Clip]:
        """Whole tracks."""
        return gtzan.tracks(self.root, self.genres).clips

    @property
    def label(self) -> str:
        """Official, subset or demo."""
        return data_label(self.root, len(self.clips), gtzan.OFFICIAL_TRACKS)

    def row_path(self, name: str) -> Path:
        """Where the row of a model lies; another recipe or other clips give another name."""
        recipe = [self.protocol, asdict(self.config), tuple(self.genres), clips_fingerprint(self.clips)]
        return self.out / f"{name}_{fingerprint(recipe)}.json"


def run(job: Job, names: Sequence[str] | None = None) -> Iterator[str]:
    """Train what has no row yet; after each new row, and in the end, the table as Markdown.

    Raises:
        InputError: an unknown model.
    """
    names = list(names or ZOO)
    for name in names:
        check(name)
    for name in names:
        if not job.row_path(name).is_file():
            yield markdown(job, [row_of(job, name)])
    text = markdown(job, rows(job, names))
    write_text(job.out / f"table_{job.protocol}_{job.label}.md", text + "\n")
    yield text


def rows(job: Job, names: Sequence[str]) -> list[Row]:
    """The rows that are on disk, in the order of the names."""
    return [read_json(job.row_path(name)) for name in names if job.row_path(name).is_file()]


def row_of(job: Job, name: str) -> Row:
    """The row of a model, from disk or trained now."""
    path = job.row_path(name)
    if path.is_file():
        return read_json(path)
    parts = study.dealt(job.clips, name, job.protocol, job.config)
    row: Row = {"model": name, "name": ZOO[name], "protocol": job.protocol, "data": job.label,
                "parameters": parameter_count(build(name, len(job.genres), **job.config.arguments(name))),
                "n": {part: len({c.group for c in windows}) for part, windows in parts.items()}}
    for column, augment in (("plain", False), ("augmented", True)):
        run_dir = ROOT / "runs" / "genre" / f"{path.stem}_{column}"
        trained = study.train(name, parts, job.config, job.genres, augment, None if name in SOLVED else run_dir)
        voted = {part: study.votes(trained, windows) for part, windows in parts.items()}
        row[column] = {part: result.accuracy(job.config.seed) for part, result in voted.items()}
    write_json(path, row)
    for run_dir in (ROOT / "runs" / "genre").glob(f"{path.stem}_*"):
        shutil.rmtree(run_dir)  # only a killed training needs it
    return row


def markdown(job: Job, table: Sequence[Row]) -> str:
    """Accuracies of files; the interval (95 %, over tracks) of the test tracks only."""
    lines = [f"GTZAN ({job.label}), {job.protocol} split", "", HEADER]
    for row in table:
        both = (row["plain"], row["augmented"])
        cells = [f"{scores[part]['value']:.2f}" for scores in both for part in ("train", "valid")]
        tests = (scores["test"] for scores in both)
        cells += [f"{test['value']:.2f} ({test['low']:.2f} to {test['high']:.2f})" for test in tests]
        lines.append(f"| {row['name']} | {row['parameters']:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
