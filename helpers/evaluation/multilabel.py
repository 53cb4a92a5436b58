"""Scores of multi-label recognition, the choice of thresholds, and constant answers.

Axes: N items, C classes. `targets` and `decisions` are zeros and ones [N, C], `scores` are probabilities [N, C];
a class is predicted where its score is above its threshold. Macro averages run over all C classes; one that is neither
there nor predicted counts 0, as is usual for IRMAS.
"""

from collections.abc import Callable, Iterable
from functools import reduce

import numpy as np

DEFAULT_THRESHOLD = 0.5  # of a class that validation data hold nothing of

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def micro_f1(targets: np.ndarray, decisions: np.ndarray) -> float:
    """F1 of all N x C decisions pooled; 0 if nothing is there and nothing predicted.

    >>> micro_f1(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 0]]))
    0.5
    """
    hits = np.logical_and(targets, decisions).sum()
    return float(2 * hits / max(np.sum(targets) + np.sum(decisions), 1))


def per_class(targets: np.ndarray, decisions: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 [C] of each class, and how often it is there (`support`)."""
    targets, decisions = np.asarray(targets, bool), np.asarray(decisions, bool)
    hits, predicted, there = ((targets & decisions).sum(axis=0), decisions.sum(axis=0), targets.sum(axis=0))
    return {
        "precision": hits / np.maximum(predicted, 1),
        "recall": hits / np.maximum(there, 1),
        "f1": 2 * hits / np.maximum(predicted + there, 1),
        "support": there,
    }


def macro_f1(targets: np.ndarray, decisions: np.ndarray) -> float:
    """Mean of the classes' F1."""
    return float(per_class(targets, decisions)["f1"].mean())


def lrap(targets: np.ndarray, scores: np.ndarray) -> float:
    """Label ranking average precision: of the classes ranked at or above a true one, the share that is true.

    As scikit-learn's, without its loop over items: the bootstrap asks a thousand times.
    """
    targets = np.asarray(targets, bool)
    above = scores[:, None, :] >= scores[:, :, None]  # [N, C, C]: the last class is ranked at or above the other
    precision = (above & targets[:, None, :]).sum(axis=2) / above.sum(axis=2)
    there = targets.sum(axis=1)
    return float(np.where(there > 0, (precision * targets).sum(axis=1) / np.maximum(there, 1), 1.0).mean())


def hit_at_1(targets: np.ndarray, scores: np.ndarray) -> float:
    """Share of items whose highest-scoring class is among their labels: 'correct' for the predominant instrument."""
    return float(np.take_along_axis(np.asarray(targets), scores.argmax(axis=1)[:, None], axis=1).mean())


METRICS: dict[str, Metric] = {
    "micro_f1": lambda targets, scores, decisions: micro_f1(targets, decisions),
    "macro_f1": lambda targets, scores, decisions: macro_f1(targets, decisions),
    "lrap": lambda targets, scores, decisions: lrap(targets, scores),
    "hit_at_1": lambda targets, scores, decisions: hit_at_1(targets, scores),
}


def choose_thresholds(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Threshold [C] of each class that gives its best F1, halfway between the scores on its two sides.

    To be called with validation data; with test data the result is an oracle and must be named so. A class that
    does not occur gets `DEFAULT_THRESHOLD`.
    """
    from sklearn.metrics import precision_recall_curve

    chosen = np.full(targets.shape[1], DEFAULT_THRESHOLD)
    for c in np.flatnonzero((targets > 0.5).any(axis=0)):
        precision, recall, steps = precision_recall_curve(targets[:, c] > 0.5, scores[:, c])  # steps ascend
        f1 = precision * recall / np.maximum(precision + recall, 1e-9)
        best = len(steps) - 1 - int(np.argmax(f1[-2::-1]))  # of equals the highest
        chosen[c] = (steps[best] + (steps[best - 1] if best else 0)) / 2
    return chosen


def constant(labels: Iterable[int], shape: tuple[int, int]) -> np.ndarray:
    """Decisions [N, C] that give the same labels for every item."""
    decisions = np.zeros(shape, int)
    decisions[:, list(labels)] = 1
    return decisions


def constant_scores(targets: np.ndarray, labels: Iterable[int]) -> dict[str, float]:
    """Micro and macro F1 of a constant answer, and hit@1 of its most frequent label."""
    labels = list(labels)
    decisions = constant(labels, targets.shape)
    first = max(labels, key=lambda label: targets[:, label].sum())
    return {
        "micro_f1": micro_f1(targets, decisions),
        "macro_f1": macro_f1(targets, decisions),
        "hit_at_1": float(np.mean(targets[:, first])),
    }


def pool_windows(scores: Iterable[np.ndarray], how: str) -> np.ndarray:
    """Scores [C] of one excerpt from those of its windows, taken one [C] at a time: any number needs no memory.

    "mean" or "max" over the windows, or "sum": summed up and divided by the largest class of the excerpt, so that
    the most certain class has 1 (Han, Kim, Lee, Deep CNNs for predominant instrument recognition, TASLP 2017).
    """
    if how == "max":
        return reduce(np.maximum, scores)
    count, total = 0, np.zeros(1)
    for count, row in enumerate(scores, start=1):  # noqa: B007
        total = total + row
    return total / (count if how == "mean" else max(total.max(), np.finfo(float).tiny))
