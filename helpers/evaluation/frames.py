"""Instruments in time: decisions from probabilities, and scores by window, by second and by event.

Axis letters: N windows or segments, C classes. `truth` is float [N, C]: 1 active, 0 not, NaN unknown, and what is
unknown never counts. `predicted` is bool [N, C]. The measures are those of sound event detection (Mesaros et al.,
Metrics for polyphonic sound event detection, Applied Sciences 2016).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

COLLAR_S = 0.2  # an onset counts as found if it is predicted within so many seconds of it
SEGMENT_S = 1.0
SLACK = 0.05  # F1 that is given up for a threshold nearer to 0.5; chosen by cross-validation within validation films
Decide = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (probabilities [N, C], thresholds [C]) -> bool [N, C]


class Counts(NamedTuple):
    """Hits, false alarms and misses, each [C]."""

    hits: np.ndarray
    false_alarms: np.ndarray
    misses: np.ndarray


def smooth(probability: np.ndarray, width: int) -> np.ndarray:
    """Median over `width` (odd) windows of each class [N, C]: removes shorter gaps and blips, keeps edges."""
    from scipy.ndimage import median_filter

    return median_filter(probability, size=(width, 1), mode="nearest")


def hysteresis(probability: np.ndarray, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Begin where a probability [N, C] reaches `high` [C], go on as long as it stays above `low` [C]; bool [N, C].

    >>> hysteresis(np.array([[0.4], [0.6], [0.4], [0.1], [0.4]]), np.array([0.5]), np.array([0.3])).ravel().tolist()
    [True, True, True, False, False]
    """
    from scipy.ndimage import label

    active = np.zeros(probability.shape, bool)
    for c in range(probability.shape[1]):
        runs, _ = label(probability[:, c] > low[c])
        active[:, c] = np.isin(runs, np.unique(runs[(probability[:, c] >= high[c]) & (runs > 0)]))
    return active


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


def window_counts(truth: np.ndarray, predicted: np.ndarray) -> Counts:
    """Counts over windows, or over segments if both are pooled."""
    known, active = ~np.isnan(truth), truth == 1
    return Counts((active & predicted).sum(0), (known & ~active & predicted).sum(0), (active & ~predicted).sum(0))


def event_counts(truth: np.ndarray, predicted: np.ndarray, window_s: float) -> Counts:
    """Counts over events, matched one to one by their onsets within `COLLAR_S` (mir_eval)."""
    from mir_eval.util import match_events

    counts = np.zeros((3, truth.shape[1]), int)
    for c in range(truth.shape[1]):
        true = [start for start, _ in events(truth[:, c] == 1, window_s)]
        known = predicted[:, c] & ~np.isnan(truth[:, c])
        found = [start for start, _ in events(known, window_s)]
        hits = len(match_events(true, found, COLLAR_S)) if true and found else 0
        counts[:, c] = hits, len(found) - hits, len(true) - hits
    return Counts(*counts)


def rates(counts: Counts) -> dict[str, np.ndarray | float]:
    """Precision, recall and F1 of each class [C], and their micro and macro averages.

    A class that is neither there nor predicted has no F1 (NaN) and no part in the macro average.
    """
    hits, false_alarms, misses = (np.asarray(part, float) for part in counts)
    f1 = _ratio(2 * hits, 2 * hits + false_alarms + misses)
    total = hits.sum(), false_alarms.sum(), misses.sum()
    return {
        "precision": _ratio(hits, hits + false_alarms),
        "recall": _ratio(hits, hits + misses),
        "f1": f1,
        "micro_precision": float(_ratio(total[0], total[0] + total[1])),
        "micro_recall": float(_ratio(total[0], total[0] + total[2])),
        "micro_f1": float(_ratio(2 * total[0], 2 * total[0] + total[1] + total[2])),
        "macro_f1": float(np.mean(f1[~np.isnan(f1)])) if (~np.isnan(f1)).any() else float("nan"),
    }


def thresholds(
    truths: Sequence[np.ndarray], probabilities: Sequence[np.ndarray], decide: Decide, window_s: float
) -> np.ndarray:
    """For each class a threshold [C] with a good F1, the mean of that by window and that by second.

    To be chosen on validation films, given as lists of [N, C]. `decide` makes decisions of probabilities and
    thresholds, with all smoothing that is done later. Few films hardly tell good thresholds apart: of those within
    `SLACK` of the best F1 the one nearest to 0.5 is taken. Where a class never occurs, it is 0.5.
    """
    grid, classes = np.arange(0.05, 0.96, 0.05).round(2), truths[0].shape[1]
    f1 = np.zeros((len(grid), classes))
    for row, value in enumerate(grid):
        predicted = [decide(probability, np.full(classes, value)) for probability in probabilities]
        windows = [window_counts(*pair) for pair in zip(truths, predicted, strict=True)]
        seconds = [window_counts(segments(truth, window_s), segments(one, window_s) == 1)
                   for truth, one in zip(truths, predicted, strict=True)]
        f1[row] = sum(np.nan_to_num(rates(Counts(*np.sum(level, axis=0)))["f1"]) / 2 for level in (windows, seconds))
    distance = np.where(f1 >= f1.max(axis=0) - SLACK, np.abs(grid - 0.5)[:, None], 1.0)
    active = np.any([(truth == 1).any(axis=0) for truth in truths], axis=0)
    return np.where(active, grid[np.argmin(distance, axis=0)], 0.5)


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


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN for 0 / 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
