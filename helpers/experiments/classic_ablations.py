"""Ablations of classic machine learning on NSynth: pooling, scale, priors, and what each block of features is worth.

Nothing here touches a test note. Notebook 02.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from helpers.experiments import classic
from helpers.experiments.classic import Table
from helpers.features.notes import SEGMENTS
from helpers.features.pooled import BLOCKS, columns_of
from helpers.models.classic import ClassicModel

REPEATS = 5  # of shuffling a block of features
# The last row of every panel is the model as it is chosen.
POOLINGS = {  # name -> beginnings of columns
    "one mean while held": ("cepstrum.middle",),
    "+ five other segments": tuple(f"cepstrum.{name}" for name in SEGMENTS),
    "+ spread, speed, changes": ("cepstrum",),
    "+ all other blocks": tuple(BLOCKS),
}  # fmt: skip
KEEP = "passthrough"
SCALES = {  # name -> steps that are replaced, and what notes are whitened within
    "none": ({"standardscaler": KEEP, "withingroupwhitening": KEEP}, "instrument"),
    "standardised": ({"withingroupwhitening": KEEP}, "instrument"),
    "whitened within families": ({}, "family"),
    "whitened within instruments": ({}, "instrument"),
}
PRIORS = {
    "neither": {"weighted": False, "official": False},
    "weighted kinds": {"official": False},
    "+ official priors": {},
}
COMPARED = ("k-NN", "SVM", "logistic regression")
Ablations = dict[str, dict[str, dict[str, float]]]  # panel -> row -> classifier -> top-1


def ablations(models: Mapping[str, ClassicModel], train: Table, valid: Table, folds: int, seed: int) -> Ablations:
    """Weighted top-1 on the pool by pooling, by scale of the columns, and by weights and priors."""
    chosen = {name: models[name].details["parameters"] for name in COMPARED}

    def top1(name: str, parts: tuple[Table, Table], more: Mapping[str, Any] = {}, **options: Any) -> float:
        make = partial(classic.fit, name, {**chosen[name], **more}, seed=seed, **options)
        return classic.judge(*classic.pooled_scores(make, *parts, folds, seed))["top1"]["value"]

    both = train, valid
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without scale a regression does not converge
        whole = {name: top1(name, both) for name in COMPARED}
        pooling = {}
        for row, beginnings in list(POOLINGS.items())[:-1]:
            parts = tuple(replace(part, matrix=part.matrix[:, columns_of(*beginnings)]) for part in both)
            pooling[row] = {name: top1(name, parts) for name in COMPARED}
        scale = {row: {name: top1(name, both, steps, within=within) for name in COMPARED}
                 for row, (steps, within) in list(SCALES.items())[:-1]}  # fmt: skip
        priors = {row: {name: top1(name, both, **options) for name in COMPARED}
                  for row, options in list(PRIORS.items())[:-1]}  # fmt: skip
    panels = {"pooling": (pooling, POOLINGS), "scale of columns": (scale, SCALES), "weights, priors": (priors, PRIORS)}
    return {panel: rows | {list(names)[-1]: whole} for panel, (rows, names) in panels.items()}


def importance(model: ClassicModel, valid: Table, seed: int) -> dict[str, float]:
    """Loss of weighted top-1 when a block is shuffled among validation notes (Breiman 2001), mean of REPEATS."""
    generator, losses = np.random.default_rng(seed), {}
    whole = classic.judge(model.scores(valid.matrix), valid.clips)["top1"]["value"]
    for block in BLOCKS:
        columns, values = columns_of(f"{block}."), []
        for _ in range(REPEATS):
            shuffled = valid.matrix.copy()
            shuffled[:, columns] = valid.matrix[generator.permutation(len(valid.matrix))][:, columns]
            values.append(whole - classic.judge(model.scores(shuffled), valid.clips)["top1"]["value"])
        losses[block] = float(np.mean(values))
    return losses


def strongest_columns(model: ClassicModel, most: int = 15) -> dict[str, float]:
    """The columns that the splits of a forest rely on most: mean decrease of impurity, all columns sum to 1."""
    weights = model.pipeline[-1].feature_importances_
    return {model.columns[index]: float(weights[index]) for index in np.argsort(-weights)[:most]}
