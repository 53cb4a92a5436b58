"""What pooling, scaling, level and the kinds of features do for classic models, measured on validation notes only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.evaluation.single import top_k_accuracy
from helpers.experiments.classic import FEATURES, Table, table
from helpers.experiments.compression import Notes
from helpers.features.pooled import QUANTILES, column_names
from helpers.models.classic import CLASSIFIERS, SCALERS, ClassicModel, fit_plain

Scores = dict[str, dict[str, float]]  # row -> classifier -> top-1 accuracy on validation notes
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
REPEATS = 5


def kinds() -> dict[str, np.ndarray]:
    """Indices of the columns of every kind of feature; each column belongs to exactly one."""
    return {
        kind: np.array([i for i, name in enumerate(column_names(FEATURES)) if name.startswith(beginnings)])
        for kind, beginnings in KINDS.items()
    }


def poolings(train: Table, valid: Table, seed: int) -> Scores:
    """Frame-wise features under more and more statistics over time."""
    quantiles = [f"q{q}" for q in QUANTILES]
    steps = {"mean": ["mean"], "+ standard deviation": ["mean", "std"], "+ quantiles": ["mean", "std", *quantiles]}
    names = [name.rpartition(".") for name in column_names(FEATURES)]
    chosen = {
        row: np.array([i for i, (feature, _, statistic) in enumerate(names) if feature and statistic in statistics])
        for row, statistics in steps.items()
    }
    chosen["+ parts of the note"] = np.array([i for i, (feature, _, _) in enumerate(names) if feature])
    chosen["+ envelope, partials"] = np.arange(len(names))
    return {row: _score_columns(train, valid, columns, seed) for row, columns in chosen.items()}


def scalings(train: Table, valid: Table, seed: int) -> Scores:
    """All features, brought to a common scale in several ways or not at all."""
    return {
        scaler: {name: _score(train, valid, scaler, name, seed) for name in CLASSIFIERS} for scaler in SCALERS
    }


def levels(notes: Notes, train: Table, valid: Table, seed: int) -> Scores:
    """Every note scaled to the same peak before its features are computed, or taken as loud as it is."""
    raw = replace(FEATURES, normalise=False)
    pairs = {"peak 1": (train, valid), "as recorded": (table(notes, "train", raw), table(notes, "valid", raw))}
    return {row: _score_columns(*pair, slice(None), seed) for row, pair in pairs.items()}


def feature_kinds(train: Table, valid: Table, seed: int) -> Scores:
    """Each kind of feature alone."""
    return {kind: _score_columns(train, valid, columns, seed) for kind, columns in kinds().items()}


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
    weights = model.classifier.feature_importances_
    names = column_names(model.features)
    return {names[index]: float(weights[index]) for index in np.argsort(-weights)[:most]}


def _score_columns(train: Table, valid: Table, columns: np.ndarray | slice, seed: int) -> dict[str, float]:
    """Standardised columns under each classifier."""
    some = [replace(part, matrix=part.matrix[:, columns]) for part in (train, valid)]
    return {name: _score(*some, "standardised", name, seed) for name in CLASSIFIERS}


def _score(train: Table, valid: Table, scaler: str, classifier: str, seed: int) -> float:
    fitted = fit_plain(scaler, classifier, train.matrix, train.labels, seed)
    return float(fitted.score(valid.matrix, valid.labels))
