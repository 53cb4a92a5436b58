"""NSynth families by classic machine learning: features, models, the choice among them, one look at the test notes.

Hyper-parameters are chosen by cross-validation on training notes that keeps instruments together, the model on the
validation notes weighted by kind; the ablations stand on validation notes too. Notebook 02.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from helpers.config import ROOT, Budget, InputError
from helpers.datasets import nsynth
from helpers.datasets.archives import is_archive
from helpers.datasets.base import clips_fingerprint, groups
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result, versions
from helpers.evaluation.single import top_k_accuracy
from helpers.experiments import nsynth as study
from helpers.experiments.common import command_line, data_root, labels_of, scores_of, sentence, single_label_result
from helpers.experiments.nsynth import Notes
from helpers.features.cache import extract, workers
from helpers.features.pooled import QUANTILES, column_names
from helpers.features.spectral import SpectralConfig
from helpers.models import classic
from helpers.models.classic import CLASSIFIERS, SCALERS, ClassicModel, fit_plain

FEATURES = SpectralConfig(sample_rate=nsynth.SAMPLE_RATE, seconds=nsynth.SECONDS)
MODELS_FOLDER = ROOT / "runs" / "classic"
MOST_NOTES = 20_000  # of a split that is trained on: feature matrices are held in memory, an SVM is quadratic in them
FOLDS = {"smoke": 0, "quick": 3, "full": 4}
REPEATS = 5  # of shuffling a kind of feature
KINDS = {  # name -> beginnings of the columns that belong to it
    "MFCC": tuple(f"mfcc_{number}" for number in range(10)),
    "MFCC deltas": ("mfcc_delta",),
    "spectral shape": ("centroid", "bandwidth", "rolloff", "flatness", "contrast", "zero_crossing_rate"),
    "chroma": ("chroma",),
    "envelope": (
        "rms", "attack", "peak", "temporal", "effective", "sounding", "early", "decay", "crest", "level",
        "release", "tremolo", "roughness",
    ),
    "pitch and partials": ("pitch", "partial", "odd", "stretch", "detuning"),
}  # fmt: skip
HOLDS = {  # what the columns of every kind are, for the report
    "MFCC": "timbre: the smoothed spectrum",
    "MFCC deltas": "how fast the timbre changes",
    "spectral shape": "brightness, width, flatness, contrast",
    "chroma": "energy of the twelve pitch classes",
    "envelope": "attack, decay, release, tremolo",
    "pitch and partials": "strength, decay, detuning of overtones",
}
Scores = dict[str, dict[str, float]]  # row -> classifier -> top-1 accuracy on validation notes


@dataclass(frozen=True)
class Table:
    """Pooled features of a split."""

    matrix: np.ndarray  # float32 [n, D]
    labels: np.ndarray  # family index [n]
    groups: np.ndarray  # instrument [n]


def load_notes(root: Path, budget: Budget, seed: int) -> Notes:
    """The three splits, those that are trained on limited to what the budget and the memory allow."""
    return study.load_notes(root, replace(budget, max_clips=min(budget.max_clips, MOST_NOTES)), seed)


def table(notes: Notes, split: str, config: SpectralConfig = FEATURES) -> Table:
    """Features of the notes of a split, computed where `features.cache.workers` says.

    Raises:
        InputError: a note cannot be read, or the notes lie in an archive.
    """
    clips = getattr(notes, split)
    if is_archive(clips[0].path):
        raise InputError(f"{clips[0].path}: features are read note by note; unpack it with `tar -xzf` first")
    return Table(extract([clip.path for clip in clips], config), labels_of(clips), groups(clips))


def fit_all(train: Table, notes: Notes, folds: int, seed: int) -> dict[str, ClassicModel]:
    """All models of `models.classic`, with hyper-parameters from grouped cross-validation."""
    fitted = {}
    label, digest = nsynth.CORPUS.label(notes.root, "train", len(notes.train)), clips_fingerprint(notes.train)
    data = {"corpus": "NSynth", "label": label, "n": len(notes.train), "fingerprint": digest}
    for name in tqdm(classic.MODELS, desc="models", disable=None):
        classifier, chosen = classic.fit(name, train.matrix, train.labels, train.groups, folds, seed)
        details = {**chosen, "data": data, "seed": seed, "versions": versions()}
        fitted[name] = ClassicModel(name, classifier, list(nsynth.FAMILIES), FEATURES, details)
    return fitted


def validate(models: Mapping[str, ClassicModel], valid: Table, notes: Notes) -> dict[str, dict[str, float]]:
    """Top-1 and top-3 accuracy of each model on the validation notes, plain and weighted by kind."""
    rows = {}
    for name, model in models.items():
        scores = model.scores(valid.matrix)
        weighted = study.weighted_scores(scores, notes.valid)
        rows[name] = {f"top{k}": top_k_accuracy(scores, valid.labels, k) for k in (1, 3)}
        rows[name] |= {f"weighted {metric}": score["value"] for metric, score in weighted.items()}
    return rows


def choose(validated: Mapping[str, Mapping[str, float]]) -> str:
    """The model with the best weighted top-1 accuracy on validation notes; of equals the one with the better top-3."""
    return max(validated, key=lambda name: (validated[name]["weighted top1"], validated[name]["weighted top3"]))


def save_all(models: Mapping[str, ClassicModel], folder: Path = MODELS_FOLDER) -> dict[str, Path]:
    """Write every model; returns the files."""
    files = {name: Path(folder) / f"{name.lower().replace(' ', '_').replace('-', '_')}.skops" for name in models}
    for name, path in files.items():
        classic.save(path, models[name])
    return files


def result(
    models: Mapping[str, ClassicModel], validated: Mapping[str, Mapping[str, float]], scores: Mapping[str, np.ndarray],
    notes: Notes, budget: Budget, **more: Any,
) -> Result:  # fmt: skip
    """The metrics file of notebook 02."""
    chosen = choose(validated)
    details = study.about(notes) | {
        "chosen": chosen,
        "chosen_by": "top-1 accuracy on validation notes, weighted by kind",
        "features": {**asdict(FEATURES), "columns": len(column_names(FEATURES))},
        "blocks": {kind: {"columns": len(columns), "holds": HOLDS[kind]} for kind, columns in kinds().items()},
        "estimators": {name: _steps(model.classifier) for name, model in models.items()},
        "parameters": {name: model.details["parameters"] for name, model in models.items()},
        "grids": {name: classic.MODELS[name].grid for name in models},
        "cv_accuracy": {name: model.details["cv_accuracy"] for name, model in models.items()},
        "cv_folds": FOLDS[budget.name],
        "valid": {name: dict(row) for name, row in validated.items()},
        "by_instrument": study.by_instrument(scores[chosen], notes.test)[0],
    }
    return single_label_result(
        "Instrument family by classic machine learning", "NSynth", notes.data, notes.test, scores, nsynth.FAMILIES,
        notes.train, group_kind="instrument", used=(notes.train, notes.valid), budget=budget.name, details=details,
        **more,
    )  # fmt: skip


def _steps(classifier: Any) -> list[str]:
    """The estimators of a classifier, one after the other, with what is set otherwise than scikit-learn's defaults."""
    steps = [step for _, step in classifier.steps] if hasattr(classifier, "steps") else [classifier]
    return [" ".join(str(step).split()) for step in steps]


def run(root: str, budget: Budget, jobs: int, dask: str, models_folder: Path, out: Path, seed: int) -> None:
    """`classic`: extract, fit, choose, save the models, report the test notes once."""
    notes = load_notes(data_root("nsynth", root, budget.name), budget, seed)
    with workers(jobs, dask):
        train, valid, test = (table(notes, split) for split in ("train", "valid", "test"))
        models = fit_all(train, notes, FOLDS[budget.name], seed)
    validated = validate(models, valid, notes)
    save_all(models, models_folder)
    scores = {name: model.scores(test.matrix) for name, model in models.items()}
    command = command_line("classic", data_root=Path(root) if root else "", budget=budget.name, jobs=jobs, dask=dask,
                           models=models_folder, out=out, seed=seed)  # fmt: skip
    report = result(models, validated, scores, notes, budget, seed=seed, command=command)
    metrics.write(out / "metrics" / "02_classic.json", report)
    for name, values in scores.items():
        mark = " (chosen on validation notes)" if name == report.details["chosen"] else ""
        print(sentence(f"{name}{mark}", scores_of(values, notes.test)))
    print(f"NSynth, {report.data}: {report.n} test notes of {report.groups} instruments")


def kinds() -> dict[str, np.ndarray]:
    """Indices of the columns of every kind of feature; each column belongs to exactly one."""
    return {
        kind: np.array([i for i, name in enumerate(column_names(FEATURES)) if name.startswith(beginnings)])
        for kind, beginnings in KINDS.items()
    }


def ablations(notes: Notes, train: Table, valid: Table, seed: int) -> dict[str, Scores]:
    """Top-1 on validation notes by pooling, by scaling of columns, by level of the note, and of each kind alone."""
    raw = replace(FEATURES, normalise=False)
    as_recorded = table(notes, "train", raw), table(notes, "valid", raw)
    return {
        "pooling": {row: score_columns(train, valid, columns, seed) for row, columns in poolings().items()},
        "scaling of columns": {row: _score_all(train, valid, row, seed) for row in SCALERS},
        "level of the note": {"peak 1": _score_all(train, valid, "standardised", seed),
                              "as recorded": _score_all(*as_recorded, "standardised", seed)},
        "one kind alone": {row: score_columns(train, valid, columns, seed) for row, columns in kinds().items()},
    }  # fmt: skip


def poolings() -> dict[str, np.ndarray]:
    """Indices of the columns under more and more statistics over time, in the end all."""
    quantiles = [f"q{q}" for q in QUANTILES]
    steps = {"mean": ["mean"], "+ standard deviation": ["mean", "std"], "+ quantiles": ["mean", "std", *quantiles]}
    names = [name.rpartition(".") for name in column_names(FEATURES)]
    chosen = {
        row: np.array([i for i, (feature, _, statistic) in enumerate(names) if feature and statistic in statistics])
        for row, statistics in steps.items()
    }
    chosen["+ parts of the note"] = np.array([i for i, (feature, _, _) in enumerate(names) if feature])
    return chosen | {"+ envelope, partials": np.arange(len(names))}


def importance(model: ClassicModel, valid: Table, seed: int) -> dict[str, float]:
    """Loss of top-1 accuracy when a kind of feature is shuffled among the notes (Breiman 2001), mean of REPEATS."""
    generator = np.random.default_rng(seed)
    whole, losses = top_k_accuracy(model.scores(valid.matrix), valid.labels), {}
    for kind, columns in kinds().items():
        values = []
        for _ in range(REPEATS):
            shuffled = valid.matrix.copy()
            shuffled[:, columns] = valid.matrix[generator.permutation(len(valid.matrix))][:, columns]
            values.append(whole - top_k_accuracy(model.scores(shuffled), valid.labels))
        losses[kind] = float(np.mean(values))
    return losses


def strongest_columns(model: ClassicModel, most: int = 15) -> dict[str, float]:
    """The columns that the splits of a forest rely on most: mean decrease of impurity, all columns sum to 1."""
    weights, names = model.classifier.feature_importances_, column_names(model.features)
    return {names[index]: float(weights[index]) for index in np.argsort(-weights)[:most]}


def score_columns(train: Table, valid: Table, columns: np.ndarray, seed: int) -> dict[str, float]:
    """Top-1 on validation notes of each plain classifier on some columns, standardised."""
    return _score_all(*(replace(part, matrix=part.matrix[:, columns]) for part in (train, valid)), "standardised", seed)


def _score_all(train: Table, valid: Table, scaler: str, seed: int) -> dict[str, float]:
    return {
        name: float(fit_plain(scaler, name, train.matrix, train.labels, seed).score(valid.matrix, valid.labels))
        for name in CLASSIFIERS
    }
