"""Bootstrap intervals over groups: known cases, and groups that weigh as wholes."""

from __future__ import annotations

import numpy as np

from helpers.evaluation.intervals import bootstrap


def width(found: dict[str, float]) -> float:
    return found["high"] - found["low"]


def test_constant_hits_have_no_spread() -> None:
    assert bootstrap(np.mean, np.arange(9), np.ones(9)) == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_one_group_says_nothing_of_others() -> None:
    assert bootstrap(np.mean, np.zeros(4), np.array([0.0, 0.0, 0.0, 1.0])) == {"value": 0.25, "low": 0.25, "high": 0.25}


def test_two_groups_are_one_the_other_or_both() -> None:
    assert bootstrap(np.mean, np.array(["a", "b"]), np.array([0.0, 1.0])) == {"value": 0.5, "low": 0.0, "high": 1.0}


def test_close_to_the_normal_interval_of_a_proportion() -> None:
    hits = np.arange(400) % 5 > 0  # 80 % of independent items
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
    assert bootstrap(differ, np.repeat(np.arange(6), 5), values, values[:, None]) == {"value": 0, "low": 0, "high": 0}


def test_the_seed_decides() -> None:
    hits, groups = np.random.default_rng(0).random(50), np.arange(50)
    assert bootstrap(np.mean, groups, hits, seed=1) == bootstrap(np.mean, groups, hits, seed=1)
    assert bootstrap(np.mean, groups, hits, seed=1) != bootstrap(np.mean, groups, hits, seed=2)


def test_draws_without_a_value_are_left_out() -> None:
    def rate_of_ones(labels: np.ndarray) -> float:
        return 1.0 if labels.any() else float("nan")

    assert bootstrap(rate_of_ones, np.array([0, 1]), np.array([0, 1])) == {"value": 1.0, "low": 1.0, "high": 1.0}
