"""Scores of single-label classification: top-k accuracy, confusion matrix, accuracy by class and group, calibration.

`scores` are [n, classes], larger for likelier; a row of NaN is an item that could not be read and counts as wrong.
`labels` are class indices [n].
"""

from collections.abc import Mapping

import numpy as np

from helpers.evaluation import ENDS, SAMPLES

BINS = 10  # of confidence, in the curve of calibration


def top_k_hits(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether the true class is among the k highest scores, bool [n]; ties are broken against the true class."""
    true = np.take_along_axis(scores, labels[:, None], axis=1)
    better = (scores >= true).sum(axis=1) - 1  # the true class itself is not above itself
    return (better < k) & ~np.isnan(scores).any(axis=1)


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, k: int = 1) -> float:
    """Share of items whose true class is among the k highest scores.

    >>> top_k_accuracy(np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]), np.array([1, 1]), k=1)
    0.5
    """
    return float(top_k_hits(scores, labels, k).mean())


def predictions(scores: np.ndarray) -> np.ndarray:
    """Class of the highest score [n]; -1 for items that could not be read."""
    return np.where(np.isnan(scores).any(axis=1), -1, np.nan_to_num(scores).argmax(axis=1))


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts [true, predicted]; items without a prediction (-1) are left out."""
    known = predicted >= 0
    matrix = np.zeros((n_classes, n_classes), int)
    np.add.at(matrix, (labels[known], predicted[known]), 1)
    return matrix


def accuracy_by(keys: np.ndarray, hits: np.ndarray) -> dict[str, float]:
    """Share of hits for each key (family, instrument, source) that occurs, sorted by key."""
    return {str(key): float(hits[keys == key].mean()) for key in np.unique(keys)}


def kind_weighted_accuracy(
    hits: np.ndarray, kinds: np.ndarray, instruments: np.ndarray, shares: Mapping[str, float],
    future: Mapping[str, int] | None = None,
) -> dict[str, float]:  # fmt: skip
    """Accuracy as it would be on a corpus whose kinds (family x source) have other shares than the items here.

    Mean over the notes of each instrument, over the instruments of each kind, weighted over kinds by `shares`. In the
    mean over instruments one with n notes weighs n / (n + 1): the weight of least variance if hits vary as much between
    instruments as within one (random effects, DerSimonian and Laird, Controlled Clinical Trials 1986).

    Args:
        hits: 0 or 1 of each item [n]; or its loss, for the mean loss.
        kinds, instruments: those of each item [n]; an instrument belongs to one kind.
        shares: how frequent each kind is, in any unit; those of kinds that do not occur go to the others.
        future: instruments of each kind in a test set to come. Its own draw is added to the interval, which then is
            one for the score of that set and not for what is to be expected of it.

    Returns:
        {"value", "low", "high"}, the interval by bootstrap over instruments within kinds.

    >>> hits, kinds, names = np.array([1, 1, 0]), np.array(["a", "a", "b"]), np.array(["a1", "a2", "b1"])
    >>> kind_weighted_accuracy(hits, kinds, names, {"a": 3, "b": 1, "c": 6})["value"]
    0.75
    """
    generator, value, drawn, total = np.random.default_rng(0), 0.0, np.zeros(SAMPLES), 0.0
    for kind in np.unique(kinds[np.isin(kinds, list(shares))]):
        _, which, count = np.unique(instruments[kinds == kind], return_inverse=True, return_counts=True)
        mean, weight = np.bincount(which, hits[kinds == kind]) / count, count / (count + 1)
        average, chosen = np.average(mean, weights=weight), generator.integers(0, len(count), (SAMPLES, len(count)))
        total += shares[kind]
        value += shares[kind] * average
        drawn += shares[kind] * np.average(mean[chosen], axis=1, weights=weight[chosen])
        if future is not None:
            size = (SAMPLES, max(1, future.get(kind, 0)))
            to_come = mean[generator.choice(len(count), size, p=weight / weight.sum())]
            drawn += shares[kind] * (to_come.mean(axis=1) - average)
    low, high = np.quantile(drawn / total, ENDS)
    return {"value": float(value / total), "low": float(low), "high": float(high)}


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities [n, classes]; NaN rows stay NaN."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def majority_baseline(train_labels: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Top-1 and top-3 of always giving the most frequent training classes (of equals, the lowest indices)."""
    order = np.argsort(-np.bincount(train_labels), kind="stable")
    return {"top1": float((labels == order[0]).mean()), "top3": float(np.isin(labels, order[:3]).mean())}


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray | float]:
    """Calibration of the highest probability (Guo et al., ICML 2017).

    Returns:
        "confidence", "accuracy" and "count" [BINS] (NaN where a bin is empty) and "ece", the expected calibration
        error: the mean gap between confidence and accuracy, weighted by count.
    """
    confidence, hits = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count, sure, right = (np.bincount(which, weights, BINS) for weights in (None, confidence, hits))
    with np.errstate(invalid="ignore"):
        curve = {"confidence": sure / count, "accuracy": right / count, "count": count}
    return curve | {"ece": float(np.abs(sure - right).sum() / len(labels))}
