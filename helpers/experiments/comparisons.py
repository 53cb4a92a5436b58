"""What is worth what: parts of classic machine learning (notebook 02), log against linear mel, other timbres (03).

One visible difference at a time: notes, folds, seeds and all other settings are the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from helpers.augmentation.waveform import Augmentation, Chorus, Compose, Distort, Equalise, Reverberate
from helpers.datasets.base import Clip, groups
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.single import top_k_accuracy, top_k_hits
from helpers.experiments import classic
from helpers.experiments import nsynth as study
from helpers.experiments.classic import Table
from helpers.experiments.common import Trained, labels_of
from helpers.features.notes import SEGMENTS
from helpers.features.pooled import BLOCKS, columns_of
from helpers.models.classic import ClassicModel
from helpers.prediction.clips import BATCH_SIZE, batches, infer

COMPARED = ("k-NN", "SVM", "logistic regression")
PANELS: dict[str, dict[str, dict[str, Any]]] = {  # panel -> row -> what is changed; nothing: the model as it is chosen
    "pooling": {
        "one mean while held": {"blocks": ("cepstrum.middle",)},  # beginnings of columns
        "+ five other segments": {"blocks": tuple(f"cepstrum.{name}" for name in SEGMENTS)},
        "+ spread, speed, changes": {"blocks": ("cepstrum",)},
        "+ all other blocks": {},
    },
    "scale of columns": {
        "none": {"without": ("standardscaler", "withingroupwhitening")},
        "standardised": {"without": ("withingroupwhitening",)},
        "whitened within families": {"within": "family"},
        "whitened within instruments": {},
    },
    "weights, priors": {
        "neither": {"weighted": False, "official": False},
        "weighted kinds": {"official": False},
        "+ official priors": {},
    },
}
REPEATS = 5  # of shuffling a block of features
# Stronger than anything in training: what amplifiers, effects and other recordings do to an instrument.
CHANGES: dict[str, Augmentation] = {
    "as recorded": Compose(()),
    "distorted": Distort((2.0, 10.0)),
    "equalised": Equalise(12.0),
    "chorus": Chorus(),
    "room": Reverberate(),
    "all of them": Compose((Distort((2.0, 10.0)), Equalise(12.0), Chorus(), Reverberate())),
}
CHANGED = 200  # validation notes at most: changing them takes longer than naming them
Ablations = dict[str, dict[str, dict[str, float]]]  # panel -> row -> classifier -> top-1


def ablations(models: Mapping[str, ClassicModel], train: Table, valid: Table, folds: int, seed: int) -> Ablations:
    """Weighted top-1 on the pool under each change of PANELS, with the hyper-parameters of `models`."""

    def row(blocks: Sequence[str] = tuple(BLOCKS), without: Sequence[str] = (), **options: Any) -> dict[str, float]:
        columns, found = columns_of(*blocks), {}
        parts = [Table(part.matrix[:, columns], part.clips) for part in (train, valid)]
        for name in COMPARED:
            parameters = models[name].details["parameters"] | dict.fromkeys(without, "passthrough")
            make = partial(classic.fit, name, parameters, seed=seed, **options)
            found[name] = classic.judge(*classic.pooled_scores(make, *parts, folds, seed))["top1"]["value"]
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without scale a regression does not converge
        whole = row()
        return {panel: {name: row(**change) if change else whole for name, change in rows.items()}
                for panel, rows in PANELS.items()}  # fmt: skip


def importance(model: ClassicModel, valid: Table, seed: int) -> dict[str, float]:
    """Loss of weighted top-1 when a block is shuffled among validation notes (Breiman 2001), mean of REPEATS."""

    def top1(matrix: np.ndarray) -> float:
        return study.weighted_scores(model.scores(matrix), valid.clips)["top1"]["value"]

    generator, whole, losses = np.random.default_rng(seed), top1(valid.matrix), {}
    for block in BLOCKS:
        columns, values, shuffled = columns_of(f"{block}."), [], valid.matrix.copy()
        for _ in range(REPEATS):
            shuffled[:, columns] = valid.matrix[generator.permutation(len(shuffled))][:, columns]
            values.append(whole - top1(shuffled))
        losses[block] = float(np.mean(values))
    return losses


def difference(
    inputs: Mapping[str, Sequence[Trained]], clips: Sequence[Clip]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Top-1 of each network by input, with mean and deviation over the seeds; and log minus linear.

    The difference is that of the shares of seeds that are right about a note, with an interval over instruments.
    """
    rows, shares = {}, {}
    for name, networks in inputs.items():
        logits = (study.logits_of(trained.network, clips) for trained in networks)
        hits = np.array([top_k_hits(values, labels_of(clips), 1) for values in logits])  # [seeds, clips]
        values, shares[name] = hits.mean(axis=1), hits.mean(axis=0)
        rows[name] = {"top1": values.tolist(), "mean": float(values.mean()), "std": float(values.std())}
    return rows, bootstrap(np.mean, groups(clips), shares["log"] - shares["linear"], lowest=-1)


def robustness(network: nn.Module, clips: Sequence[Clip], seed: int = 0) -> dict[str, float]:
    """Top-1 accuracy on notes under each of `CHANGES`; a stand-in for kinds of sound that training does not have."""
    data = study.dataset(clips)

    def logits(change: Augmentation) -> np.ndarray:
        rng = np.random.default_rng(seed)

        def load(batch: list[int]) -> np.ndarray:
            return np.stack([change(data.waveform(index), rng) for index in batch]).astype(np.float32)

        return np.concatenate(list(infer(network, batches(range(len(data)), BATCH_SIZE), load, workers=1)))

    return {name: top_k_accuracy(logits(change), labels_of(clips)) for name, change in CHANGES.items()}
