"""Multi-label recognition of clips and in time: F1 and rankings, thresholds, constant answers, events.

Axes: N items (clips, windows or seconds), C classes. Truth is [N, C]: 1 active, 0 not, NaN unknown, and what is
unknown never counts. Decisions are bool or 0 and 1, scores are probabilities, both [N, C]. The measures in time are
those of sound event detection (Mesaros et al., Metrics for polyphonic sound event detection, Applied Sciences 2016).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

COLLAR_S = 0.2  # an onset counts as found if it is predicted within so many seconds of it
SEGMENT_S = 1.0
SLACK = 0.05  # F1 that is given up for a threshold nearer to 0.5; chosen by cross-validation within validation films
DEFAULT_THRESHOLD = 0.5  # of a class that validation data hold nothing of
Decide = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (probabilities [N, C], thresholds [C]) -> bool [N, C]


class Counts(NamedTuple):
    """Hits, false alarms and misses, each [C]."""

    hits: np.ndarray
    false_alarms: np.ndarray
    misses: np.ndarray


def window_counts(truth: np.ndarray, predicted: np.ndarray) -> Counts:
    """Counts over items: windows, or seconds if both are pooled."""
    known, active, predicted = ~np.isnan(truth), np.equal(truth, 1), np.asarray(predicted, bool)
    return Counts((active & predicted).sum(0), (known & ~active & predicted).sum(0), (active & ~predicted).sum(0))


def event_counts(truth: np.ndarray, predicted: np.ndarray, window_s: float) -> Counts:
    """Counts over events, matched one to one by their onsets within `COLLAR_S` (mir_eval)."""
    from mir_eval.util import match_events

    counts = np.zeros((3, truth.shape[1]), int)
    for c in range(truth.shape[1]):
        true = [start for start, _ in events(truth[:, c] == 1, window_s)]
        found = [start for start, _ in events(predicted[:, c] & ~np.isnan(truth[:, c]), window_s)]
        hits = len(match_events(true, found, COLLAR_S)) if true and found else 0
        counts[:, c] = hits, len(found) - hits, len(true) - hits
    return Counts(*counts)


def rates(counts: Counts) -> dict[str, np.ndarray | float]:
    """Precision, recall and F1 of each class [C], and their micro and macro averages.

    A class that is neither there nor predicted has no F1 (NaN) and no part in the macro average.
    """
    found = {}
    for kind, (hits, false_alarms, misses) in {"": counts, "micro_": map(np.sum, counts)}.items():
        with np.errstate(invalid="ignore"):  # 0 / 0
            found[f"{kind}precision"] = np.divide(hits, hits + false_alarms)
            found[f"{kind}recall"] = np.divide(hits, hits + misses)
            found[f"{kind}f1"] = np.divide(2 * hits, 2 * hits + false_alarms + misses)
    known = found["f1"][~np.isnan(found["f1"])]
    return found | {"macro_f1": float(known.mean()) if len(known) else float("nan")}


def micro_f1(targets: np.ndarray, decisions: np.ndarray) -> float:
    """F1 of all N x C decisions pooled; 0 if nothing is there and nothing predicted.

    >>> micro_f1(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 0]]))
    0.5
    """
    return float(np.nan_to_num(rates(window_counts(targets, decisions))["micro_f1"]))


def per_class(targets: np.ndarray, decisions: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 [C] of each class, 0 for 0 / 0, and how often it is there (`support`)."""
    found = rates(window_counts(targets, decisions))
    numbers = {name: np.nan_to_num(found[name]) for name in ("precision", "recall", "f1")}
    return numbers | {"support": np.equal(targets, 1).sum(axis=0)}


def macro_f1(targets: np.ndarray, decisions: np.ndarray) -> float:
    """Mean of the classes' F1; one that is neither there nor predicted counts 0, as is usual for IRMAS."""
    return float(per_class(targets, decisions)["f1"].mean())


def lrap(targets: np.ndarray, scores: np.ndarray) -> float:
    """Label ranking average precision, as scikit-learn's without its loop: the bootstrap asks a thousand times."""
    targets = np.asarray(targets, bool)
    above = scores[:, None, :] >= scores[:, :, None]  # [N, C, C]: the last class is ranked at or above the other
    precision = (above & targets[:, None, :]).sum(axis=2) / above.sum(axis=2)
    there = targets.sum(axis=1)
    return float(np.where(there > 0, (precision * targets).sum(axis=1) / np.maximum(there, 1), 1.0).mean())


def hit_at_1(targets: np.ndarray, scores: np.ndarray) -> float:
    """Share of items whose highest-scoring class is among their labels: 'correct' for the predominant instrument."""
    return float(np.take_along_axis(np.asarray(targets), scores.argmax(axis=1)[:, None], axis=1).mean())


METRICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "micro_f1": lambda targets, scores, decisions: micro_f1(targets, decisions),
    "macro_f1": lambda targets, scores, decisions: macro_f1(targets, decisions),
    "lrap": lambda targets, scores, decisions: lrap(targets, scores),
    "hit_at_1": lambda targets, scores, decisions: hit_at_1(targets, scores),
}


def choose_thresholds(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Threshold [C] of each class of clips that gives its best F1, halfway between the scores on its two sides.

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


def thresholds_in_time(
    truths: Sequence[np.ndarray], probabilities: Sequence[np.ndarray], decide: Decide, window_s: float
) -> np.ndarray:
    """For each class of films a threshold [C] with a good F1, the mean of that by window and that by second.

    To be chosen on validation films, given as lists of [N, C]. `decide` makes decisions of probabilities and
    thresholds, with all smoothing that is done later. Few films hardly tell good thresholds apart: of those within
    `SLACK` of the best F1 the one nearest to 0.5 is taken. Where a class never occurs, it is `DEFAULT_THRESHOLD`.
    """
    grid, windows = np.arange(0.05, 0.96, 0.05).round(2), np.concatenate(truths)
    seconds = np.concatenate([segments(truth, window_s) for truth in truths])
    f1 = np.zeros((len(grid), windows.shape[1]))
    for row, value in enumerate(grid):
        predicted = [decide(probability, np.full(windows.shape[1], value)) for probability in probabilities]
        by_window = per_class(windows, np.concatenate(predicted))["f1"]
        by_second = per_class(seconds, np.concatenate([segments(one, window_s) == 1 for one in predicted]))["f1"]
        f1[row] = (by_window + by_second) / 2
    distance = np.where(f1 >= f1.max(axis=0) - SLACK, np.abs(grid - 0.5)[:, None], 1.0)
    return np.where((windows == 1).any(axis=0), grid[np.argmin(distance, axis=0)], DEFAULT_THRESHOLD)


def best_constant(truth: np.ndarray) -> tuple[list[int], float]:
    """The set of classes that, predicted all the time, has the best micro F1 on `truth` itself, and that F1.

    It may look at the answers, so no honest constant is better. The best set of k classes is that of the k most
    frequent ones.
    """
    active, known = np.nansum(truth, axis=0), (~np.isnan(truth)).sum(axis=0)
    order = np.argsort(-active, kind="stable")
    f1 = 2 * np.cumsum(active[order]) / np.maximum(np.cumsum(known[order]) + active.sum(), 1)
    best = int(np.argmax(f1))
    return sorted(order[: best + 1].tolist()), float(f1[best])


def constant_scores(targets: np.ndarray, labels: Iterable[int]) -> dict[str, float]:
    """Micro and macro F1 of the same labels for every item, and hit@1 of the most frequent of them."""
    always, shares = np.isin(np.arange(targets.shape[1]), list(labels)), targets.mean(axis=0)
    decisions = np.broadcast_to(always, targets.shape)
    return {
        "micro_f1": micro_f1(targets, decisions),
        "macro_f1": macro_f1(targets, decisions),
        "hit_at_1": float(shares[always].max()),
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


def smooth(probability: np.ndarray, width: int) -> np.ndarray:
    """Median over `width` (odd) windows of each class [N, C]: removes shorter gaps and blips, keeps edges."""
    from scipy.ndimage import median_filter

    return median_filter(probability, size=(width, 1), mode="nearest")


def hysteresis(probability: np.ndarray, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Begin where a probability [N, C] reaches `high` [C], go on as long as it stays above `low` [C]; bool [N, C].

    >>> hysteresis(np.array([[0.4], [0.6], [0.4], [0.1], [0.4]]), np.array([0.5]), np.array([0.3])).ravel().tolist()
    [True, True, True, False, False]
    """
    from scipy.ndimage import binary_propagation

    along = [[0, 1, 0]] * 3  # the neighbours of a window are those before and after it
    return binary_propagation(probability >= high, structure=along, mask=probability > low)


def events(active: np.ndarray, window_s: float) -> list[tuple[float, float]]:
    """Stretches (start s, end s) in which a bool [N] is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(active, np.int8), [0]])))
    return [(float(start * window_s), float(end * window_s)) for start, end in edges.reshape(-1, 2)]


def segments(activity: np.ndarray, window_s: float) -> np.ndarray:
    """Pool windows [N, C] to seconds: active if any window is, unknown if no window is active and some are unknown."""
    second = ((np.arange(len(activity)) + 0.5) * window_s / SEGMENT_S).astype(int)
    first = np.flatnonzero(np.diff(second, prepend=-1))
    active = np.maximum.reduceat(np.nan_to_num(activity.astype(float)), first)
    unknown = np.logical_or.reduceat(np.isnan(activity.astype(float)), first)
    return np.where(unknown & (active == 0), np.nan, active)
