"""Transfer from NSynth against scratch, on films: the same budget, seeds and everything else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.config import BUDGETS, CACHE, CHECKPOINTS, InputError
from helpers.datasets import chmusic, films, nsynth
from helpers.datasets import film_builder as films_build
from helpers.datasets.base import Clip
from helpers.datasets.films import Films
from helpers.evaluation.results import Result
from helpers.experiments import films as study
from helpers.experiments.common import data_root
from helpers.experiments.film_scores import constants, scores
from helpers.files import fingerprint
from helpers.models.checkpoint import Checkpoint, load_checkpoint

NOTES = CHECKPOINTS / "nsynth.pt"
STARTS = ("from NSynth", "from scratch")


@dataclass(frozen=True)
class Runs:
    """All networks of one start, one for each seed, and their counts on the test films."""

    checkpoints: list[Checkpoint]
    counts: np.ndarray  # [seeds, films, levels, 3, classes]


def corpus(root: str, budget: str) -> Films:
    """The built films below a data root: as they are, or built into the cache from `films/sources.json`."""
    folder = data_root("films", root, budget) / "films"
    if (folder / films_build.MANIFEST).is_file():
        return films.load(folder)
    out = CACHE / "films" / fingerprint([folder.resolve()])
    films_build.build(folder / "sources.json", folder, out)
    return films.load(out)


def solos(root: str, budget: str, built: Films) -> list[Clip]:
    """Solos of ChMusic to mix into the films, if the corpus is there and is of the same kind, real or generated."""
    try:
        place = data_root("chmusic", root, budget)
        same = (chmusic.label_of(place) == "demo") == (built.data == "demo")
        return chmusic.solos(place, built.instruments) if same else []
    except InputError:
        return []


def compare(built: Films, extra: list[Clip], budget: str, seed: int, command: str) -> tuple[Result, dict[str, Runs]]:
    """Train from both starts with every seed of the budget and score the test films once."""
    notes = load_checkpoint(NOTES, nsynth.TASK)
    seeds = range(seed, seed + BUDGETS[budget].seeds)
    runs = {start: _runs(built, extra, notes if start == STARTS[0] else None, budget, seeds) for start in STARTS}
    test = built.split("test")
    together = {start: one.counts.sum(axis=0) for start, one in runs.items()}  # of all seeds
    baselines = constants(test, built.instruments)
    result = Result(
        title="Films: gong, erhu, dizi, pipa; transfer from NSynth against scratch", corpus="films", data=built.data,
        n=sum(len(film.labels) for film in test), groups=len(test), group_kind="film", fingerprint=built.fingerprint,
        seed=seed, budget=budget, command=command, classes=list(built.instruments),
        scores={start: scores(counts, test, built.instruments, seed) for start, counts in together.items()},
        baselines=baselines,
        details={"segment_micro_f1 of every seed": {start: _of_seeds(one, test, built) for start, one in runs.items()}},
    )  # fmt: skip
    return result, runs


def _runs(built: Films, extra: list[Clip], notes: Checkpoint | None, budget: str, seeds: range) -> Runs:
    checkpoints = [
        study.train(built, study.recipe(notes is not None, min(BUDGETS[budget].epochs, study.EPOCHS), seed), notes,
                    solos=extra)
        for seed in seeds
    ]  # fmt: skip
    return Runs(checkpoints, np.stack([study.evaluate(checkpoint, built) for checkpoint in checkpoints]))


def _of_seeds(runs: Runs, test: list, built: Films) -> list[float]:
    return [scores(counts, test, built.instruments, 0)["segment_micro_f1"].value for counts in runs.counts]
