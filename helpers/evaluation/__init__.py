"""Scores and labels in, numbers out: pure functions on arrays. Here: intervals, which every number has."""

from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np

SAMPLES = 1000
ENDS = (0.025, 0.975)  # quantiles between which 95 % of the resamples lie
TOO_FEW = "too few groups"


def bootstrap(
    metric: Callable[..., float], groups: np.ndarray, *arrays: np.ndarray, seed: int = 0, lowest: float = 0.0
) -> dict[str, float]:
    """Value of a metric and its 95 % interval over groups: notes of one instrument are not independent of each other.

    The interval is that of the percentile bootstrap, which draws groups. Where it cannot tell, Wilson's interval
    with the groups as trials stands in: if all resamples give the same value (0 %, 100 %), and for a share of hits
    with one item a group (Brown, Cai, DasGupta, Interval estimation for a binomial proportion, 2001).

    Args:
        metric: takes the arrays (indexed alike along their first axis), returns a number from `lowest` to 1.
        groups: group of every item [n], anything that sorts.
        arrays: what the metric takes, each [n, …].
        seed: of the resampling.
        lowest: smallest possible value; -1 for differences of shares.

    Returns:
        {"value", "low", "high"}; resamples for which the metric is not defined (NaN) are left out. With fewer than
        two groups nothing can be said of others: low and high are the value itself, and `score_text` says so.
    """
    _, inverse = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    value = float(metric(*arrays))
    if len(members) < 2 or np.isnan(value):
        return {"value": value, "low": value, "high": value}
    low = high = 0.0
    if len(members) < len(inverse) or not _is_share(metric, value, arrays):
        generator, values = np.random.default_rng(seed), []
        for _ in range(SAMPLES):
            chosen = np.concatenate([members[g] for g in generator.integers(0, len(members), len(members))])
            values.append(metric(*(array[chosen] for array in arrays)))
        low, high = (float(end) for end in np.nanquantile(values, ENDS))
    if np.isclose(low, high) and lowest <= value <= 1:
        low, high = _wilson(value, len(members), lowest)
    return {"value": value, "low": low, "high": high}


def score_text(score: Mapping[str, float], percent: bool = False) -> str:
    """A score with its interval, as it is printed everywhere.

    >>> score_text({"value": 0.9, "low": 0.8, "high": 0.95}, percent=True)
    '90.0% [80.0%, 95.0%]'
    >>> score_text({"value": 1.0, "low": 1.0, "high": 1.0})
    '1.000 [too few groups]'
    """
    value, low, high = (f"{score[part]:{'.1%' if percent else '.3f'}}" for part in ("value", "low", "high"))
    return f"{value} [{TOO_FEW}]" if score["low"] == score["high"] else f"{value} [{low}, {high}]"


def _is_share(metric: Callable[..., float], value: float, arrays: tuple[np.ndarray, ...]) -> bool:
    """Whether a metric is the share of items that are right, each for itself."""
    single = np.array([metric(*(array[item : item + 1] for array in arrays)) for item in range(len(arrays[0]))])
    return bool(np.isin(single, (0, 1)).all() and np.isclose(value, single.mean()))


def _wilson(value: float, trials: int, lowest: float) -> tuple[float, float]:
    """As scipy's, which inference would have to install for it, on a scale from `lowest` to 1."""
    hits, z = round((value - lowest) / (1 - lowest) * trials), NormalDist().inv_cdf(ENDS[1])
    centre, margin = 2 * hits + z**2, z * np.sqrt(4 * hits * (1 - hits / trials) + z**2)
    ends = np.array([centre - margin, centre + margin]) / (2 * (trials + z**2))
    low, high = lowest + (1 - lowest) * np.clip(ends, 0, 1)
    return min(float(low), value), max(float(high), value)
