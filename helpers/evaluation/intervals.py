"""Bootstrap intervals over groups: notes of one instrument are not independent, so instruments are drawn, not notes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SAMPLES = 1000
COVERAGE = 0.95


def bootstrap(metric: Callable[..., float], groups: np.ndarray, *arrays: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Value of a metric and its 95 % percentile interval over resampled groups.

    Args:
        metric: takes the arrays (indexed alike along their first axis), returns a number.
        groups: group of every item [n], anything that sorts.
        arrays: what the metric takes, each [n, …].
        seed: of the resampling.

    Returns:
        {"value", "low", "high"}; resamples for which the metric is not defined (NaN) are left out. With a single
        group nothing can be said of others: the interval is the value itself.
    """
    _, inverse = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    generator = np.random.default_rng(seed)
    values = np.empty(SAMPLES)
    for row in range(SAMPLES):
        drawn = generator.integers(0, len(members), len(members))
        chosen = np.concatenate([members[g] for g in drawn])
        values[row] = metric(*(array[chosen] for array in arrays))
    margin = (1 - COVERAGE) / 2
    low, high = np.nanquantile(values, [margin, 1 - margin])
    return {"value": float(metric(*arrays)), "low": float(low), "high": float(high)}
