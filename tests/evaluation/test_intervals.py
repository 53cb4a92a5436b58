"""Bootstrap intervals over groups: known cases, and groups that weigh as wholes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from helpers.evaluation import bootstrap, score_text


def width(found: dict[str, float]) -> float:
    return found["high"] - found["low"]


@pytest.mark.parametrize("right", [0, 1])
def test_all_or_none_right_still_has_an_interval(right: int) -> None:
    """Wilson: with z² = 3.84, n of n gives n / (n + z²) as the lower end."""
    for groups in (np.arange(10), np.repeat(np.arange(10), 3)):
        found = bootstrap(np.mean, groups, np.full(len(groups), right))
        assert found["value"] == right
        assert width(found) == pytest.approx(1 - 10 / (10 + 1.96**2), abs=1e-3)
        assert found["high" if right else "low"] == right


def test_hits_of_one_item_a_group_have_wilsons_interval_however_the_metric_is_told() -> None:
    hits = np.array([1] * 7 + [0] * 3)
    by_hits = bootstrap(np.mean, np.arange(10), hits)
    assert (by_hits["low"], by_hits["high"]) == pytest.approx((0.397, 0.892), abs=1e-3)
    equal = bootstrap(lambda a, b: float((a == b).mean()), np.arange(10), hits, np.ones(10))
    assert equal == by_hits


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (3, 7), (40, 41), (9, 9)])
def test_wilsons_interval_is_that_of_scipy(hits: int, trials: int) -> None:
    ends = binomtest(hits, trials).proportion_ci(method="wilson")
    found = bootstrap(np.mean, np.arange(trials), np.arange(trials) < hits)
    assert (found["low"], found["high"]) == pytest.approx((ends.low, ends.high), abs=1e-12)


def test_one_group_says_nothing_of_others_and_says_so() -> None:
    found = bootstrap(np.mean, np.zeros(4), np.array([0.0, 0.0, 0.0, 1.0]))
    assert found == {"value": 0.25, "low": 0.25, "high": 0.25}
    assert score_text(found) == "0.250 [too few groups]"
    assert score_text({"value": 0.5, "low": 0.25, "high": 0.75}, percent=True) == "50.0% [25.0%, 75.0%]"


def test_a_difference_that_is_always_zero_is_open_to_both_sides() -> None:
    found = bootstrap(np.mean, np.repeat(np.arange(8), 2), np.zeros(16), lowest=-1)
    assert found["low"] == pytest.approx(-found["high"]) and found["high"] > 0.2


def test_two_groups_are_one_the_other_or_both() -> None:
    found = bootstrap(np.mean, np.array(["a", "a", "b", "b"]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert found == {"value": 0.5, "low": 0.0, "high": 1.0}


def test_close_to_the_normal_interval_of_a_proportion() -> None:
    hits = (np.arange(400) % 5 > 0) * 1.0  # 80 % of independent items
    found = bootstrap(np.mean, np.arange(400), hits)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    np.testing.assert_allclose([found["low"], found["high"]], [0.8 - half, 0.8 + half], atol=0.008)


def test_notes_of_one_instrument_are_no_independent_witnesses() -> None:
    hits = np.repeat(np.arange(20) % 5 > 0, 20)  # all notes of an instrument right or all wrong
    by_note = bootstrap(np.mean, np.arange(400), hits)
    by_instrument = bootstrap(np.mean, np.repeat(np.arange(20), 20), hits)
    assert by_note["value"] == by_instrument["value"] == 0.8
    assert width(by_instrument) > 3.5 * width(by_note)


def test_order_of_items_does_not_matter() -> None:
    hits, instruments = np.arange(30) % 4 == 0, np.repeat(np.arange(6), 5)
    order = np.random.default_rng(1).permutation(30)
    assert bootstrap(np.mean, instruments[order], hits[order]) == bootstrap(np.mean, instruments, hits)


def test_several_arrays_are_drawn_alike() -> None:
    def differ(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.abs(a - b[:, 0]).max())

    values = np.arange(30.0)
    found = bootstrap(differ, np.repeat(np.arange(6), 5), values, values[:, None] + 2)
    assert found == {"value": 2, "low": 2, "high": 2}


def test_the_seed_decides() -> None:
    hits, groups = np.random.default_rng(0).random(50), np.arange(50)
    assert bootstrap(np.mean, groups, hits, seed=1) == bootstrap(np.mean, groups, hits, seed=1)
    assert bootstrap(np.mean, groups, hits, seed=1) != bootstrap(np.mean, groups, hits, seed=2)


def test_draws_without_a_value_are_left_out() -> None:
    def mean_of_ones(labels: np.ndarray) -> float:
        return labels.mean() if labels.any() else float("nan")

    assert bootstrap(mean_of_ones, np.array([0, 1]), np.array([0, 1])) == {"value": 0.5, "low": 0.5, "high": 1.0}
