"""Cross-validation over tracks, the document's table, and what leakage does. Shown in notebook 06."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.config import RUNS, InputError
from helpers.datasets import gtzan
from helpers.datasets.base import Clip, clips_fingerprint, data_label, grouped_folds, groups, subset
from helpers.evaluation import bootstrap, score_text
from helpers.evaluation.single import confusion_matrix, predictions, top_k_accuracy
from helpers.experiments import common
from helpers.experiments import genres as study
from helpers.experiments.genres import SOLVED, TITLES, ZOO, GenreConfig, Setting, Votes
from helpers.files import fingerprint, read_json, write_json, write_text
from helpers.models.base import parameter_count

INNER_FOLDS, OUTER_FOLDS = 5, 10  # at most; of cross-validation that chooses, and of that which reports
BLOCKS = 3  # of neighbouring numbers, which often are of one artist, in each genre
WAYS = {  # how tracks are held out -> whether runs of neighbouring numbers are kept together
    "nested, single tracks held out (neighbours in number often are one artist, so this is optimistic)": False,
    "nested, runs of neighbouring numbers held out": True,
}
COLUMNS = {"plain": False, "augmented": True}  # column of the table -> whether training windows are changed
DOCUMENT = "document: train / valid / train augmented / valid augmented / test"
LEAK = "leaky minus track"
Row = dict


def choose(
    candidates: Sequence[Setting], tracks: Sequence[Clip], config: GenreConfig, classes: int, by_block: bool = False
) -> Setting:
    """The candidate whose held-out votes are best on these tracks: most accurate, of equals the likeliest."""
    ranks = {}
    for one in candidates if len(candidates) > 1 else ():
        with suppress(InputError):  # too few tracks or windows to judge it
            judged, _ = cross_validate([one], tracks, config, classes, INNER_FOLDS, by_block)
            ranks[one] = top_k_accuracy(judged.scores, judged.labels), judged.likelihood
    return max(ranks, key=ranks.get, default=candidates[0])


def cross_validate(
    candidates: Sequence[Setting], tracks: Sequence[Clip], config: GenreConfig, classes: int, most: int = OUTER_FOLDS,
    by_block: bool = False,
) -> tuple[Votes, list[Setting]]:  # fmt: skip
    """Nested cross-validation of solved models over at most so many folds.

    For each fold a setting is chosen without its tracks, fitted without them, and judged on them. `by_block` keeps
    runs of neighbours in number on one side. Returns the votes of all tracks, and what was chosen in each fold.
    """
    fold, chosen, judged = folds(tracks, most, by_block, config.seed), [], []
    for held_out in np.unique(fold):
        inside, outside = ([tracks[n] for n in np.flatnonzero(part)] for part in (fold != held_out, fold == held_out))
        setting = choose(candidates, inside, config, classes, by_block)
        model = study.solved(setting, study.windows_of(inside, setting), config, classes)
        windows = study.windows_of(outside, setting)
        judged.append(study.vote(study.logits_of(model, setting, windows), windows))
        chosen.append(setting)
    parts = ([getattr(one, name) for one in judged] for name in ("tracks", "scores", "labels"))
    return Votes(*map(np.concatenate, parts)), chosen


def folds(tracks: Sequence[Clip], most: int, by_block: bool, seed: int) -> np.ndarray:
    """Fold of each track [N], as many as every genre has tracks (or runs of neighbours), and at most so many."""
    labels, unit = common.labels_of(tracks), groups(tracks)
    if by_block:
        blocks = common.block_folds(tracks, BLOCKS)
        unit = np.array([f"{label} {block}" for label, block in zip(labels, blocks, strict=True)])
    fewest = min(len(set(unit[labels == label])) for label in np.unique(labels))
    return grouped_folds(labels, unit, max(2, min(most, fewest)), seed)


def nested(candidates: Sequence[Setting], tracks: Sequence[Clip], config: GenreConfig, classes: int) -> dict[str, dict]:
    """Accuracy by nested cross-validation for each of `WAYS`, with n and what was chosen; not for networks."""
    if networks := {one.model for one in candidates} - set(SOLVED):
        raise InputError(f"model {networks.pop()!r}: --split all is for {' and '.join(SOLVED)}; use --split filtered")
    scores = {}
    for way, by_block in WAYS.items():
        votes, chosen = cross_validate(candidates, tracks, config, classes, by_block=by_block)
        scores[way] = votes.accuracy(config.seed) | {"n": len(votes.tracks), "chosen": sorted(set(map(str, chosen)))}
    return scores


@dataclass(frozen=True)
class Job:
    """Which corpus, protocol and recipe models are trained by, and where the checkpoint or the table's rows lie."""

    root: Path
    protocol: str
    out: Path
    config: GenreConfig
    genres: Sequence[str] = gtzan.GENRES

    @cached_property
    def found(self) -> gtzan.Tracks:
        """Whole tracks, and what was left out."""
        return gtzan.tracks(self.root, self.genres)

    @cached_property
    def clips(self) -> list[Clip]:
        """Whole tracks, as many as are used."""
        return subset(self.found.clips, self.config.max_tracks, self.config.seed)

    @property
    def parts(self) -> study.Parts:
        """Whole tracks by part; an InputError if one is empty."""
        parts = gtzan.split(self.clips, self.protocol, self.config.seed)
        if empty := [part for part, clips in parts.items() if not clips]:
            raise InputError(f"protocol {self.protocol!r}: no {empty[0]} tracks among the clips; use another --split")
        return parts

    @property
    def label(self) -> str:
        """Official, subset or demo."""
        return data_label(self.root, len(self.clips), gtzan.OFFICIAL_TRACKS)

    def path(self, name: str, column: str) -> Path:
        """Where the scores of a model lie; another recipe or other clips give another name."""
        recipe = [self.protocol, asdict(self.config), tuple(self.genres), clips_fingerprint(self.clips)]
        return self.out / f"{name}_{column}_{fingerprint(recipe)}.json"


def run(job: Job, names: Sequence[str] | None = None) -> Iterator[str]:
    """Train what has no scores yet; after each new row, and in the end, the table as Markdown."""
    names = [name for name in names or TITLES if study.model_of(name)]  # unknown ones are refused before any is trained
    for name in names:
        if not all(job.path(name, column).is_file() for column in COLUMNS):
            yield markdown(job, [row_of(job, name)])
    yield (text := markdown(job, [row_of(job, name) for name in names]))
    write_text(job.out / f"table_{job.protocol}_{job.label}.md", text + "\n")


def row_of(job: Job, name: str) -> Row:
    """The row of a model: its name, and under the name of each column the model's scores."""
    return {"model": name, "name": TITLES[name], **{column: scores_of(job, name, column) for column in COLUMNS}}


def scores_of(job: Job, name: str, column: str) -> dict:
    """Accuracies of all parts, numbers of tracks, confusion matrix, size: read from disk, or of a model trained now."""
    if (path := job.path(name, column)).is_file():
        return read_json(path)
    run_dir, classes, parts = RUNS / "genre" / path.stem, len(job.genres), job.parts
    setting = choose(study.settings(name, job.config), parts["train"], job.config, classes)
    trained = study.train(name, setting, parts, job.config, classes, COLUMNS[column], run_dir)
    voted = study.votes(trained, setting, parts)
    scores = {part: found.accuracy(job.config.seed) for part, found in voted.items()} | {
        "likelihood": voted["valid"].likelihood, "n": {part: len(found.tracks) for part, found in voted.items()},
        "confusion": confusion_matrix(voted["test"].labels, predictions(voted["test"].scores), classes).tolist(),
        "parameters": parameter_count(trained.network), "setting": str(setting),
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


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """A row for each model: train, valid and test accuracy of both columns, and the document's own."""
    lines = []
    for row in by_validation(rows):
        line = {"model": row["name"], "parameters": f"{row['plain']['parameters']:,}"}
        for column in COLUMNS:
            line |= {f"{part}, {column}": f"{row[column][part]['value']:.2f}" for part in ("train", "valid")}
            line[f"test, {column}"] = score_text(row[column]["test"])
        _, theirs = ZOO.get(row["model"], ("", ()))
        line[DOCUMENT] = " / ".join("" if value is None else f"{value:.2f}" for value in theirs)
        lines.append(line)
    return pd.DataFrame(lines).set_index("model")


def markdown(job: Job, rows: Sequence[Row]) -> str:
    """The table as text; the interval (95 %, over tracks) of the test tracks only."""
    lines = table(rows).reset_index()
    text = ["| " + " | ".join(row) + " |" for row in (lines.columns, ["---"] * len(lines.columns), *lines.values)]
    return "\n".join([f"GTZAN ({job.label}), {job.protocol} split; the document: whole corpus", "", *text])


def protocols(job: Job, seeds: int) -> tuple[dict[str, dict[str, float]], int, int]:
    """Accuracy of windows that were not trained on by protocol, and leaky minus track; numbers of windows and tracks.

    Pooled statistics with a linear discriminant, whose splits cost a fraction of a second; nothing is chosen on
    validation data, so all windows that are not trained on are judged. Track and leaky splits train on equally many.
    """
    setting, classes, judged = Setting("pooled_lda", 2.0, 2.0), len(job.genres), []
    windows = study.windows_of(job.clips, setting)
    for protocol, seed in [("filtered", 0), *((name, seed) for name in ("track", "leaky") for seed in range(seeds))]:
        parts = gtzan.split(windows, protocol, seed)
        model, rest = study.solved(setting, parts["train"], job.config, classes), parts["valid"] + parts["test"]
        hits = predictions(study.logits_of(model, setting, rest)) == common.labels_of(rest)
        judged.append(pd.DataFrame({"protocol": protocol, "track": groups(rest), "hit": hits.astype(float)}))
    judged = pd.concat(judged)
    scores = {name: bootstrap(np.mean, part["track"].to_numpy(), part["hit"].to_numpy())
              for name, part in judged.groupby("protocol", sort=False)}  # fmt: skip
    random = judged[judged["protocol"] != "filtered"]
    leaky = (random["protocol"] == "leaky").to_numpy()
    scores[LEAK] = bootstrap(_gap, random["track"].to_numpy(), random["hit"].to_numpy(), leaky, lowest=-1.0)
    return scores, len(judged), judged["track"].nunique()


def _gap(hits: np.ndarray, leaky: np.ndarray) -> float:
    return hits[leaky].mean() - hits[~leaky].mean() if 0 < leaky.sum() < len(leaky) else np.nan
