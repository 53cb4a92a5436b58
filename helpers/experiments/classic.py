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

from helpers.config import InputError
from helpers.datasets import nsynth
from helpers.datasets.archives import is_archive
from helpers.datasets.base import Clip, clips_fingerprint, groups
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result, versions
from helpers.evaluation.single import kind_weighted_accuracy
from helpers.experiments import nsynth as study
from helpers.experiments.common import command_line, data_root, labels_of, scores_of, sentence, single_label_result
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
    """Features of notes, computed where `features.cache.workers` says.

    Raises:
        InputError: a note cannot be read, or the notes lie in an archive.
    """
    if is_archive(clips[0].path):
        raise InputError(f"{clips[0].path}: features are read note by note; unpack it with `tar -xzf` first")
    return Table(extract([clip.path for clip in clips]), clips)


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


def offsets(pipeline: Any, train: Table, weights: np.ndarray | None) -> np.ndarray:
    """What turns log probabilities under the training notes' family shares into those under the official ones, [C]."""
    if not hasattr(pipeline, "predict_proba"):
        return np.zeros(len(nsynth.FAMILIES))  # the margins of a support-vector machine know no priors
    counted = classic.weighs(pipeline) and weights is not None
    share = np.bincount(train.labels, weights if counted else None, len(nsynth.FAMILIES)) / len(train.labels)
    return np.log(study.family_shares(train.clips) / np.maximum(share, 1e-4))


def fit(
    name: str, parameters: Mapping[str, Any], train: Table, seed: int, weighted: bool = True, official: bool = True,
    within: str = "instrument",
) -> ClassicModel:  # fmt: skip
    """A model of `models.classic.MODELS` on training notes.

    `parameters` are of its pipeline, where a step can be replaced by "passthrough". Notes count by `note_weights` if
    `weighted`, answers are for the official shares of families if `official`, whitening is `within` "instrument" or
    "family".
    """
    pipeline = classic.MODELS[name].build(seed).set_params(**parameters)
    weights = note_weights(train.clips) if weighted else None
    classic.fit(pipeline, train.matrix, train.labels, train.groups if within == "instrument" else train.labels, weights)
    added = offsets(pipeline, train, weights) if official else np.zeros(len(nsynth.FAMILIES))
    return ClassicModel(name, pipeline, list(nsynth.FAMILIES), note_statistics().columns, added.tolist(),
                        {"parameters": dict(parameters), "seed": seed})  # fmt: skip


def network(model: ClassicModel) -> AudioClassifier:
    """The logistic regression as a network: statistics, whitening and regression in torch, with the same answers."""
    made = build("note_statistics", len(model.classes))
    made.head.fill(**classic.fold(model))
    return made.eval()


def pooled_scores(
    make: Callable[[Table], ClassicModel], train: Table, valid: Table, folds: int, seed: int
) -> tuple[np.ndarray, list[Clip]]:
    """Log probabilities [pool, C] by models that were not given a note's instrument, and the notes of the pool.

    `make` fits a model; with fewer than two `folds` of the training instruments the pool is the validation notes.
    """
    scores, folds = make(train).scores(valid.matrix), min(folds, len(set(train.groups)))
    if folds < 2:
        return scores, list(valid.clips)

    def predict(fold: int, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        return make(train.rows(inside)).scores(train.matrix[outside])

    held_out = study.out_of_fold(train.clips, folds, seed, predict)
    return np.concatenate([held_out, scores]), [*train.clips, *valid.clips]


def judge(scores: np.ndarray, clips: list[Clip]) -> dict[str, dict[str, float]]:
    """METRICS of log probabilities [n, C], weighted by official kinds: {"value", "low", "high"} each."""
    kinds, shares = study.kinds_of(clips)
    mixed = (1 - UNIFORM) * np.exp(scores) + UNIFORM * study.family_shares(clips)
    losses = -np.log(mixed[np.arange(len(clips)), labels_of(clips)])
    loss = kind_weighted_accuracy(losses, kinds, groups(clips), shares)
    return {"log loss": loss} | study.weighted_scores(scores, clips)


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
        fitted[name].details["tried"] = [
            {"parameters": row["parameters"]} | {metric: row[metric]["value"] for metric in METRICS} for row in tried
        ]
    return fitted


def choose(models: Mapping[str, ClassicModel]) -> str:
    """The model with the least log loss on the pool: accuracies of so few instruments hardly tell models apart."""
    return min(models, key=lambda name: models[name].details["validated"]["log loss"]["value"])


def save_all(models: Mapping[str, ClassicModel], notes: Notes, folder: Path) -> None:
    """Write every model with what it was trained on."""
    about = {"corpus": "NSynth", "label": notes.label("train"), "n": len(notes.train),
             "fingerprint": clips_fingerprint(notes.train)}  # fmt: skip
    for name, model in models.items():
        file = f"{name.lower().replace(' ', '_').replace('-', '_')}.skops"
        classic.save(folder / file, replace(model, details=model.details | {"data": about, "versions": versions()}))


def result(
    models: Mapping[str, ClassicModel], scores: Mapping[str, np.ndarray], notes: Notes, budget: str, **more: Any
) -> Result:
    """The metrics file of notebook 02, from the scores [n, C] of the test notes."""
    chosen = choose(models)
    instruments = study.accuracies(scores[chosen], notes.test, groups(notes.test))
    details = study.about(notes) | {
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
    return single_label_result(
        "Instrument family by classic machine learning", "NSynth", notes.label("test"), notes.test, scores,
        nsynth.FAMILIES, notes.train, group_kind="instrument", used=(notes.train, notes.valid), budget=budget,
        details=details, **more,
    )  # fmt: skip


def run(root: str, budget: str, jobs: int, dask: str, models_folder: Path, out: Path, seed: int) -> None:
    """`classic`: extract, fit, choose, save the models, report the test notes once."""
    notes = study.load_notes(data_root("nsynth", root, budget), MOST_NOTES[budget], seed)
    with workers(jobs, dask):
        train, valid, test = (table(clips) for clips in notes.splits().values())
    models = fit_all(train, valid, FOLDS[budget], seed)
    save_all(models, notes, models_folder)
    scores = {name: model.scores(test.matrix) for name, model in models.items()}
    command = command_line("classic", data_root=Path(root) if root else "", budget=budget, jobs=jobs, dask=dask,
                           models=models_folder, out=out, seed=seed)  # fmt: skip
    report = result(models, scores, notes, budget, seed=seed, command=command)
    metrics.write(out / "metrics" / "02_classic.json", report)
    for name, values in scores.items():
        mark = " (chosen on the pool)" if name == report.details["chosen"] else ""
        print(sentence(f"{name}{mark}", scores_of(values, notes.test)))
    print(f"NSynth, {report.data}: {report.n} test notes of {report.groups} instruments")
