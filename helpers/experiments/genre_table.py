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
from helpers.evaluation.single import confusion_matrix, predictions
from helpers.experiments import genres as study
from helpers.experiments.genre_recipe import ZOO, GenreConfig
from helpers.experiments.genre_train import check
from helpers.files import fingerprint, read_json, write_json, write_text
from helpers.models.base import parameter_count

HEADER = (
    "| Model | Parameters | Train | Valid | Train (augmented) | Valid (augmented) | Test | Test (augmented) |\n"
    "|---|---:|---:|---:|---:|---:|---|---|"
)
COLUMNS = {"plain": False, "augmented": True}  # column of the table -> whether training windows are changed
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

    def path(self, name: str, column: str) -> Path:
        """Where the scores of a model lie; another recipe or other clips give another name."""
        recipe = [self.protocol, asdict(self.config), tuple(self.genres), clips_fingerprint(self.clips)]
        return self.out / f"{name}_{column}_{fingerprint(recipe)}.json"


def run(job: Job, names: Sequence[str] | None = None) -> Iterator[str]:
    """Train what has no scores yet; after each new row, and in the end, the table as Markdown.

    Raises:
        InputError: an unknown model.
    """
    names = list(names or ZOO)
    for name in names:
        check(name)
    for name in names:
        if not _is_done(job, name):
            yield markdown(job, [row_of(job, name)])
    text = markdown(job, rows(job, names))
    write_text(job.out / f"table_{job.protocol}_{job.label}.md", text + "\n")
    yield text


def rows(job: Job, names: Sequence[str]) -> list[Row]:
    """The rows that are on disk, in the order of the names."""
    return [row_of(job, name) for name in names if _is_done(job, name)]


def row_of(job: Job, name: str) -> Row:
    """The row of a model: its name, and under the name of each column the model's scores."""
    columns = {column: scores_of(job, name, column) for column in COLUMNS}
    return {"model": name, "name": ZOO[name], "protocol": job.protocol, "data": job.label, **columns}


def scores_of(job: Job, name: str, column: str) -> dict:
    """Accuracies by track of all parts, their numbers of tracks, the test tracks' confusion matrix, the model's size.

    Read from disk, or trained now.
    """
    path = job.path(name, column)
    if path.is_file():
        return read_json(path)
    parts = study.dealt(job.clips, name, job.protocol, job.config)
    run_dir = ROOT / "runs" / "genre" / path.stem
    trained = study.train(name, parts, job.config, job.genres, COLUMNS[column], run_dir)
    voted = {part: study.votes(trained, windows) for part, windows in parts.items()}
    scores = {part: votes.accuracy(job.config.seed) for part, votes in voted.items()}
    test = voted["test"]
    scores["n"] = {part: len(votes.tracks) for part, votes in voted.items()}
    scores["confusion"] = confusion_matrix(test.labels, predictions(test.scores), len(job.genres)).tolist()
    scores["parameters"] = parameter_count(trained.model)
    write_json(path, scores)
    shutil.rmtree(run_dir, ignore_errors=True)  # only a killed training needs it
    return scores


def _is_done(job: Job, name: str) -> bool:
    return all(job.path(name, column).is_file() for column in COLUMNS)


def markdown(job: Job, table: Sequence[Row]) -> str:
    """Accuracies of files; the interval (95 %, over tracks) of the test tracks only."""
    lines = [f"GTZAN ({job.label}), {job.protocol} split", "", HEADER]
    for row in table:
        both = [row[column] for column in COLUMNS]
        cells = [f"{scores[part]['value']:.2f}" for scores in both for part in ("train", "valid")]
        tests = (scores["test"] for scores in both)
        cells += [f"{test['value']:.2f} ({test['low']:.2f} to {test['high']:.2f})" for test in tests]
        lines.append(f"| {row['name']} | {row['plain']['parameters']:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
