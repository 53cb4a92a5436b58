"""The document's table, chosen on validation tracks over both columns, and what leakage does (notebook 06)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from helpers.config import ROOT, Budget
from helpers.datasets import gtzan
from helpers.datasets.base import Clip, clips_fingerprint, data_label, groups
from helpers.evaluation.intervals import bootstrap, score_text
from helpers.evaluation.results import Result
from helpers.evaluation.single import confusion_matrix, predictions
from helpers.experiments import genres as study
from helpers.experiments.common import labels_of
from helpers.experiments.genre_train import train, votes
from helpers.experiments.genres import SOLVED, TITLES, GenreConfig, Setting
from helpers.files import fingerprint, read_json, write_json, write_text
from helpers.models import build
from helpers.models.base import KINDS, parameter_count
from helpers.models.pooled import solve
from helpers.training.recipes import OPTIMIZERS

COLUMNS = {"plain": False, "augmented": True}  # column of the table -> whether training windows are changed
PARTS = ("train", "valid", "test")
LEAK = "leaky minus track"
PUBLISHED = {  # table of "Music genre classification (PyTorch)", whole GTZAN; the columns are those of DOCUMENT
    "cnn_1d_5l": (0.97, 0.55, 0.99, 0.70, None),
    "alexnet": (0.98, 0.63, 0.99, 0.72, None),
    "vgg11": (0.99, 0.68, 0.99, 0.76, None),
    "vgg13": (0.97, 0.68, 0.99, 0.74, None),
    "vgg16": (0.99, 0.69, 0.99, 0.75, None),
    "vgg19": (0.98, 0.67, 0.99, 0.74, None),
    "googlenet": (0.75, 0.57, 0.99, 0.65, None),
    "resnet34": (0.99, 0.63, 0.99, 0.70, None),
    "resnet50": (0.99, 0.61, 0.99, 0.69, None),
    "densenet121": (0.98, 0.66, 0.99, 0.76, None),
    "sample_cnn": (0.13, 0.13, 0.15, 0.13, None),
    "cnn_2d_4l": (0.93, 0.62, 0.95, 0.77, 0.8339),
    "cnn_2d_4l_gru": (0.92, 0.64, 0.99, 0.76, 0.8155),
}
DOCUMENT = "document: train / valid / train augmented / valid augmented / test"
FEW = (study.BASE, "scattering_svm", "pooled_lda")
MODELS = {"smoke": FEW, "quick": FEW, "full": tuple(TITLES)}
VARIANTS = {
    "smoke": {"optimizer": ("sgd", "adamw")},
    "quick": {"optimizer": ("sgd", "adamw"), "normalisation": ("batch", "group")},
    "full": {"optimizer": tuple(OPTIMIZERS), "normalisation": tuple(KINDS)},
}
PROCESSOR_EPOCHS = 12  # at most, of every network of the whole zoo where there is no GPU: an hour for sixty tracks
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
    def parts(self) -> study.Parts:
        """Whole tracks by part."""
        return study.split_tracks(self.clips, self.protocol, self.config.seed)

    @property
    def label(self) -> str:
        """Official, subset or demo."""
        return data_label(self.root, len(self.clips), gtzan.OFFICIAL_TRACKS)

    def path(self, name: str, column: str) -> Path:
        """Where the scores of a model lie; another recipe or other clips give another name."""
        recipe = [self.protocol, asdict(self.config), tuple(self.genres), clips_fingerprint(self.clips)]
        return self.out / f"{name}_{column}_{fingerprint(recipe)}.json"


def notebook_job(root: Path, budget: Budget, seed: int) -> Job:
    """The notebook's table: the document's recipe, as many epochs and windows as the budget allows.

    The fault-filtered lists are for the whole corpus; of a part of it they may leave a genre without training tracks.
    There tracks are split at random, as long as there are enough for all three parts.
    """
    config = GenreConfig(epochs=budget.epochs, max_windows=budget.max_clips, seed=seed)
    if budget.name == "smoke":
        config = replace(config, window_s=1.5, pooled_windows=((1.5, 1.5),), max_windows=20, workers=0)
    if budget.name == "quick":
        config = replace(config, pooled_windows=((3.0, 3.0),), max_windows=60)
    if budget.name == "full" and not torch.cuda.is_available():
        config = replace(config, epochs=PROCESSOR_EPOCHS)
    job = Job(root, "track", ROOT / "runs" / "genre" / budget.name, config, gtzan.GENRES)
    whole = job.label == "official" or not all(gtzan.split(job.clips, "track", seed).values())
    return replace(job, protocol="filtered") if whole else job


def run(job: Job, names: Sequence[str] | None = None) -> Iterator[str]:
    """Train what has no scores yet; after each new row, and in the end, the table as Markdown.

    Raises:
        InputError: an unknown model.
    """
    names = list(names or TITLES)
    for name in names:
        study.model_of(name)
    for name in names:
        if not all(job.path(name, column).is_file() for column in COLUMNS):
            yield markdown(job, [row_of(job, name)])
    text = markdown(job, [row_of(job, name) for name in names])
    write_text(job.out / f"table_{job.protocol}_{job.label}.md", text + "\n")
    yield text


def row_of(job: Job, name: str) -> Row:
    """The row of a model: its name, and under the name of each column the model's scores."""
    columns = {column: scores_of(job, name, column) for column in COLUMNS}
    return {"model": name, "name": TITLES[name], "protocol": job.protocol, "data": job.label, **columns}


def scores_of(job: Job, name: str, column: str) -> dict:
    """Accuracies by track of all parts, their numbers of tracks, the test tracks' confusion matrix, the model's size.

    Read from disk, or trained now.
    """
    path = job.path(name, column)
    if path.is_file():
        return read_json(path)
    run_dir = ROOT / "runs" / "genre" / path.stem
    trained = train(name, job.parts, job.config, len(job.genres), COLUMNS[column], run_dir)
    voted = {part: votes(trained, clips) for part, clips in job.parts.items()}
    test = voted["test"]
    scores = {part: found.accuracy(job.config.seed) for part, found in voted.items()} | {
        "likelihood": voted["valid"].likelihood, "n": {part: len(found.tracks) for part, found in voted.items()},
        "confusion": confusion_matrix(test.labels, predictions(test.scores), len(job.genres)).tolist(),
        "parameters": parameter_count(trained.model), "setting": str(trained.setting),
    }  # fmt: skip
    write_json(path, scores)
    shutil.rmtree(run_dir, ignore_errors=True)  # only a killed training needs it
    return scores


def rank(scores: dict) -> tuple[float, float]:
    """By what models are chosen: validation accuracy, and of equals the mean log probability of the true genre."""
    return scores["valid"]["value"], scores["likelihood"]


def best(rows: Sequence[Row]) -> tuple[Row, str]:
    """The row and column that are best on validation tracks."""
    return max(((row, column) for row in rows for column in COLUMNS), key=lambda pair: rank(pair[0][pair[1]]))


def by_validation(rows: Sequence[Row]) -> list[Row]:
    """Rows, the best on validation tracks first."""
    return sorted(rows, key=lambda row: max(rank(row[column]) for column in COLUMNS), reverse=True)


def table(rows: Sequence[Row]) -> list[dict]:
    """A dictionary a row: train, valid and test accuracy of both columns, and the document's own."""
    lines = []
    for row in by_validation(rows):
        line = {"model": row["name"], "parameters": f"{row['plain']['parameters']:,}"}
        for column in COLUMNS:
            line |= {f"{part}, {column}": f"{row[column][part]['value']:.2f}" for part in PARTS[:2]}
            line[f"test, {column}"] = score_text(row[column]["test"])
        theirs = PUBLISHED.get(row["model"], (None,) * 5)
        line[DOCUMENT] = " / ".join("" if value is None else f"{value:.2f}" for value in theirs)
        lines.append(line)
    return lines


def markdown(job: Job, rows: Sequence[Row]) -> str:
    """The table as text; the interval (95 %, over tracks) of the test tracks only."""
    lines = table(rows)
    cells = [list(lines[0]), ["---"] * len(lines[0]), *(line.values() for line in lines)]
    text = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([f"GTZAN ({job.label}), {job.protocol} split; the document: whole corpus", "", *text])


def variants(job: Job, budget: Budget) -> dict[str, dict[str, float]]:
    """Validation accuracy of one network by optimiser and by normalisation, all else equal."""
    return {
        f"{argument}: {value}": scores_of(replace(job, config=replace(job.config, **{argument: value})),
                                          study.BASE, "plain")["valid"]
        for argument, values in VARIANTS[budget.name].items() for value in values
    }  # fmt: skip


def protocols(job: Job, seeds: int, seconds: float = 2.0) -> tuple[dict[str, dict[str, float]], int, int]:
    """Accuracy of windows that were not trained on by protocol, and leaky minus track; numbers of windows and tracks.

    Pooled statistics with a linear discriminant, whose splits cost a fraction of a second; nothing is chosen on
    validation data, so all windows that are not trained on are judged. Track and leaky splits train on equally many.
    """
    setting = Setting("pooled_lda", seconds, seconds)
    windows = study.windows_of(job.clips, setting, job.config)
    known, labels, tracks = study.features(setting, windows, job.config), labels_of(windows), groups(windows)
    model = build(setting.model, len(job.genres), **job.config.arguments(setting.model))
    where = {(clip.name, clip.start): index for index, clip in enumerate(windows)}
    hits, names, judged = [], [], []
    for protocol, seed in [("filtered", 0), *((name, seed) for name in ("track", "leaky") for seed in range(seeds))]:
        parts = gtzan.split(windows, protocol, seed)
        sides = {part: [where[clip.name, clip.start] for clip in clips] for part, clips in parts.items()}
        rest = sides["valid"] + sides["test"]
        solve(model, setting.model, known[sides["train"]], torch.from_numpy(labels[sides["train"]]))
        with torch.inference_mode():
            predicted = model.head(model.encoder(known[rest])).argmax(dim=1).numpy()
        hits.append((predicted == labels[rest]).astype(float))
        names += [protocol] * len(rest)
        judged.append(tracks[rest])
    judged = np.concatenate(judged)
    return _protocol_scores(np.concatenate(hits), np.array(names), judged), len(names), len(set(judged))


def _protocol_scores(hits: np.ndarray, protocol: np.ndarray, tracks: np.ndarray) -> dict[str, dict[str, float]]:
    def gap(hits: np.ndarray, leaky: np.ndarray) -> float:
        return hits[leaky].mean() - hits[~leaky].mean() if 0 < leaky.sum() < len(leaky) else np.nan

    scores = {name: bootstrap(np.mean, tracks[protocol == name], hits[protocol == name]) for name in gtzan.PROTOCOLS}
    random = protocol != "filtered"
    scores[LEAK] = bootstrap(gap, tracks[random], hits[random], protocol[random] == "leaky", lowest=-1.0)
    return scores


def result(job: Job, rows: Sequence[Row], **about) -> Result:
    """The metrics file; `about`: budget, seed, command, figures and details."""
    n, first = rows[0]["plain"]["n"]["test"], best(rows)
    scores = {f"{row['name']}{', augmented' if column == 'augmented' else ''}": {"accuracy": row[column]["test"]}
              for row in by_validation(rows) for column in COLUMNS}
    about["details"] = {"rows": by_validation(rows), "best_on_validation": first[0]["name"],
                        "best_column": first[1]} | about.get("details", {})
    return Result(
        title=f"GTZAN genres, {job.protocol} split", corpus="GTZAN", data=job.label, n=n, groups=n,
        group_kind="track", fingerprint=clips_fingerprint(job.clips), scores=scores,
        baselines={"majority class": {"accuracy": study.baseline(job.parts)}}, classes=list(job.genres),
        confusion={row["name"]: row["plain"]["confusion"] for row in rows if row["model"] in SOLVED}, **about,
    )  # fmt: skip
