"""NSynth families by classic machine learning: features, models, the choice among them, one look at the test notes.

Everything is chosen by the log loss on a *pool* that is weighted by official kinds: the validation notes, predicted by
a model of all training notes, and the training notes, each predicted by a model that was not given its instrument
(cross-validation). Validation alone has one instrument each of some of the commonest kinds. Notebook 02.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from helpers.datasets import nsynth
from helpers.datasets.base import Clip, groups
from helpers.evaluation import results as metrics
from helpers.experiments import nsynth as study
from helpers.experiments.common import data_root, labels_of, scores_of, sentence, training_data
from helpers.experiments.nsynth import Notes
from helpers.features.cache import extract, workers
from helpers.features.notes import HOP, N_CEPSTRUM, N_FFT, SAMPLE_RATE, SEGMENTS
from helpers.features.pooled import BLOCKS, columns_of, note_statistics
from helpers.models import build, classic
from helpers.models.base import AudioClassifier
from helpers.models.classic import ClassicModel

MOST_NOTES = {"smoke": 48, "quick": 110, "full": 20_000}  # a matrix is held in memory, an SVM is quadratic in notes
FOLDS = {"smoke": 0, "quick": 2, "full": 5}  # below 2: validation notes alone choose
KIND_POWER, INSTRUMENT_POWER = 0.25, 0.25  # of the weights in training; chosen among 0.25, 0.5 and 1
UNIFORM = 0.03  # of the priors mixed into probabilities before their logarithm: one sure mistake is no infinite loss
METRICS = ("log loss", "top1", "top3")  # top-k accuracy
Models = Mapping[str, ClassicModel]


@dataclass(frozen=True)
class Table:
    """Pooled features of notes, float32 [n, D]."""

    matrix: np.ndarray
    clips: list[Clip]

    @property
    def labels(self) -> np.ndarray:
        """Family index [n]."""
        return labels_of(self.clips)

    @property
    def groups(self) -> np.ndarray:
        """Instrument [n]."""
        return groups(self.clips)

    def rows(self, chosen: np.ndarray) -> Table:
        """Those notes, by a mask [n]."""
        return Table(self.matrix[chosen], [self.clips[index] for index in np.flatnonzero(chosen)])


def table(clips: list[Clip]) -> Table:
    """Features of notes, computed where `features.cache.workers` says; an InputError as of `dataset`."""
    return Table(extract([clip.path for clip in study.dataset(clips).clips]), clips)


def note_weights(clips: list[Clip]) -> np.ndarray:
    """Weight [n] of training notes, mean 1.

    Kinds count as their official share to the power KIND_POWER, and in a kind instruments as their number of notes to
    the power INSTRUMENT_POWER; with powers of 0 all kinds, and all instruments of a kind, would count alike.
    """
    kinds, shares = study.kinds_of(clips)
    (_, which), (_, kind) = (np.unique(keys, return_inverse=True) for keys in (groups(clips), kinds))
    weight = np.bincount(which)[which] ** (INSTRUMENT_POWER - 1.0)
    share = np.array([shares.get(name, 1) for name in kinds]) / sum(shares.values())
    weight *= share**KIND_POWER / np.bincount(kind, weight)[kind]
    return weight * len(weight) / weight.sum()


def fit(
    name: str, parameters: Mapping[str, Any], train: Table, seed: int, weighted: bool = True, official: bool = True,
    within: str = "instrument",
) -> ClassicModel:  # fmt: skip
    """A model of `models.classic.MODELS` on training notes, with `parameters` of its pipeline.

    Notes count by `note_weights` if `weighted`, answers are for the official shares of families if `official`,
    whitening is `within` "instrument" or "family".
    """
    pipeline, offsets = classic.MODELS[name].build(seed).set_params(**parameters), np.zeros(len(nsynth.FAMILIES))
    labels, weights = train.labels, note_weights(train.clips) if weighted else None
    classic.fit(pipeline, train.matrix, labels, train.groups if within == "instrument" else labels, weights)
    if official and hasattr(pipeline, "predict_proba"):  # the margins of a support-vector machine know no priors
        share = np.bincount(labels, weights if classic.weighs(pipeline) else None, len(offsets)) / len(labels)
        offsets = np.log(study.family_shares(train.clips) / np.maximum(share, 1e-4))
    return ClassicModel(name, pipeline, list(nsynth.FAMILIES), note_statistics().columns, offsets.tolist(),
                        {"parameters": dict(parameters), "seed": seed})  # fmt: skip


def network(model: ClassicModel) -> AudioClassifier:
    """The logistic regression as a network: statistics, whitening and regression in torch, with the same answers."""
    made = build("note_statistics", len(model.classes))
    made.head.fill(classic.fold(model))
    return made.eval()


def pooled_scores(
    make: Callable[[Table], ClassicModel], train: Table, valid: Table, folds: int, seed: int
) -> tuple[np.ndarray, list[Clip]]:
    """Log probabilities [pool, C] by models that were not given a note's instrument, and the notes of the pool.

    `make` fits a model; with fewer than two `folds` of the training instruments the pool is the validation notes.
    """
    scores, folds = make(train).scores(valid.matrix), min(folds, len(set(train.groups)))
    if folds < 2:
        return scores, valid.clips
    held_out = study.out_of_fold(train.clips, folds, seed, lambda fold, inside, outside:
                                 make(train.rows(inside)).scores(train.matrix[outside]))  # fmt: skip
    return np.concatenate([held_out, scores]), train.clips + valid.clips


def judge(scores: np.ndarray, clips: list[Clip]) -> dict[str, dict[str, float]]:
    """METRICS of log probabilities [n, C], weighted by official kinds: {"value", "low", "high"} each."""
    mixed = (1 - UNIFORM) * np.exp(scores) + UNIFORM * study.family_shares(clips)
    losses = -np.log(mixed[np.arange(len(clips)), labels_of(clips)])
    return {"log loss": study.by_kind(losses, clips)} | study.weighted_scores(scores, clips)


def fit_all(train: Table, valid: Table, folds: int, seed: int) -> dict[str, ClassicModel]:
    """Every model of `models.classic`, with those of its hyper-parameters that have the least log loss on the pool.

    `details` says what was tried, and how the model did on the pool: "tried" and "validated".
    """
    fitted = {}
    for name, recipe in tqdm(classic.MODELS.items(), desc="models", disable=None):
        tried = []
        for values in product(*recipe.grid.values()):
            parameters = dict(zip(recipe.grid, values, strict=True))
            make = partial(fit, name, parameters, seed=seed)
            tried.append({"parameters": parameters, **judge(*pooled_scores(make, train, valid, folds, seed))})
        best = min(tried, key=lambda row: row["log loss"]["value"])
        fitted[name] = fit(name, best["parameters"], train, seed)
        fitted[name].details["validated"] = {metric: best[metric] for metric in METRICS}
        fitted[name].details["tried"] = [row | {metric: row[metric]["value"] for metric in METRICS} for row in tried]
    return fitted


def choose(models: Models) -> str:
    """The model with the least log loss on the pool: accuracies of so few instruments hardly tell models apart."""
    return min(models, key=lambda name: models[name].details["validated"]["log loss"]["value"])


def result(models: Models, scores: Mapping[str, np.ndarray], notes: Notes, budget: str, **more: Any) -> metrics.Result:
    """The metrics file of notebook 02, from the scores [n, C] of the test notes."""
    chosen = choose(models)
    instruments = study.accuracies(scores[chosen], notes.test, groups(notes.test))
    details = {
        "chosen": chosen,
        "chosen_by": "log loss on validation notes and cross-validated training notes, weighted by official kinds",
        "features": {"columns": len(note_statistics().columns), "sample_rate": SAMPLE_RATE, "n_fft": N_FFT,
                     "hop_length": HOP, "n_mfcc": N_CEPSTRUM, "segments": SEGMENTS},
        "blocks": {name: {"columns": len(columns_of(f"{name}.")), "holds": holds} for name, holds in BLOCKS.items()},
        "estimators": {name: [" ".join(str(step).split()) for _, step in model.pipeline.steps]
                       for name, model in models.items()},
        **{key: {name: model.details[key] for name, model in models.items()}
           for key in ("parameters", "tried", "validated")},
        "cv_folds": FOLDS[budget],
        "by_instrument": {name: row["top1"] for name, row in instruments.items()},
        "test_weighted_by_kind": study.weighted_scores(scores[chosen], notes.test),
    }
    return study.result("Instrument family by classic machine learning", notes, scores, details, budget=budget, **more)


def run(
    root: Path | None, budget: str, jobs: int, dask: str, folder: Path, out: Path, seed: int, command: str
) -> None:
    """`classic`: extract, fit, choose, save the models, report the test notes once."""
    notes = study.load_notes(data_root("nsynth", root, budget), MOST_NOTES[budget], seed)
    with workers(jobs, dask):
        train, valid, test = (table(clips) for clips in notes.splits().values())
    models, scores = fit_all(train, valid, FOLDS[budget], seed), {}
    data = training_data("NSynth", notes.label("train"), notes.train)
    for name, model in models.items():
        file = f"{name.lower().replace(' ', '_').replace('-', '_')}.skops"
        details = model.details | {"data": data, "versions": metrics.versions()}
        classic.save(folder / file, replace(model, details=details))
        scores[name] = model.scores(test.matrix)
    report = result(models, scores, notes, budget, seed=seed, command=command)
    metrics.write(out / "metrics" / "02_classic.json", report)
    for name, values in scores.items():
        mark = " (chosen on the pool)" if name == report.details["chosen"] else ""
        print(sentence(f"{name}{mark}", scores_of(values, notes.test)))
    print(f"NSynth, {report.data}: {report.n} test notes of {report.groups} instruments")
