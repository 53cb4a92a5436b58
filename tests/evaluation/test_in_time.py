"""Scores of what is heard when, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.evaluation import multilabel

nan = np.nan


def column(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def test_counts_and_rates_by_hand() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1], [nan, 1], [1, nan]])
    predicted = np.array([[1, 1], [0, 0], [1, 1], [1, 1], [1, 1]], bool)
    counts = multilabel.window_counts(truth, predicted)
    assert [part.tolist() for part in counts] == [[2, 2], [1, 1], [1, 0]]
    found = multilabel.rates(counts)
    np.testing.assert_allclose(found["precision"], [2 / 3, 2 / 3])
    np.testing.assert_allclose(found["recall"], [2 / 3, 1])
    np.testing.assert_allclose(found["f1"], [2 / 3, 0.8])
    assert found["micro_f1"] == pytest.approx(8 / (8 + 2 + 1))
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0.8) / 2)


def test_a_class_that_never_occurs_has_no_score_and_no_vote() -> None:
    found = multilabel.rates(multilabel.window_counts(np.array([[1, 0], [0, 0]]), np.array([[1, 0], [0, 0]], bool)))
    assert found["macro_f1"] == 1.0 and np.isnan(found["f1"][1])


def test_median_removes_blips_and_keeps_edges() -> None:
    assert multilabel.smooth(column(0, 0, 1, 0, 0, 1, 1, 1, 1, 0), 3).ravel().tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 0]


def test_median_does_not_mix_classes() -> None:
    one = np.eye(3).repeat(3, axis=0)
    np.testing.assert_array_equal(multilabel.smooth(one, 3), one)


def test_hysteresis_goes_on_above_low_but_does_not_begin_there() -> None:
    probability = column(0.4, 0.6, 0.4, 0.35, 0.1, 0.4, 0.45, 0.1, 0.5, 0.3)
    active = multilabel.hysteresis(probability, np.array([0.5]), np.array([0.3]))
    assert active.ravel().tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 1, 0]


def test_hysteresis_uses_the_thresholds_of_each_class() -> None:
    active = multilabel.hysteresis(np.full((2, 2), 0.5), np.array([0.4, 0.6]), np.array([0.2, 0.3]))
    assert active.tolist() == [[True, False], [True, False]]


def test_events_have_times_in_seconds() -> None:
    assert multilabel.events(np.array([1, 1, 0, 0, 1]), 0.5) == [(0.0, 1.0), (2.0, 2.5)]
    assert multilabel.events(np.zeros(3), 0.5) == []


def test_seconds_are_heard_if_any_window_is() -> None:
    activity = np.zeros((100, 1))
    activity[40] = 1  # 1.2 s
    assert multilabel.segments(activity, 0.03).ravel().tolist() == [0, 1, 0]
    activity[70:] = nan  # from 2.1 s on nothing is known
    np.testing.assert_array_equal(multilabel.segments(activity, 0.03).ravel(), [0, 1, nan])
    activity[99] = 1
    np.testing.assert_array_equal(multilabel.segments(activity, 0.03).ravel(), [0, 1, 1])


def test_events_match_by_onset_within_the_collar_one_to_one() -> None:
    truth, predicted = np.zeros((300, 1)), np.zeros((300, 1), bool)
    truth[100:150], truth[200:220] = 1, 1  # onsets at 1.0 s and 2.0 s with windows of 10 ms
    # 1.15 s hits, 1.32 s is one too many, 2.25 s is too late
    predicted[115:130], predicted[132:140], predicted[225:230] = True, True, True
    assert [part.tolist() for part in multilabel.event_counts(truth, predicted, 0.01)] == [[1], [2], [1]]


def test_events_in_unknown_time_do_not_count() -> None:
    truth, predicted = np.full((100, 1), nan), np.ones((100, 1), bool)
    truth[50:] = 0
    predicted[50:] = False
    assert [part.tolist() for part in multilabel.event_counts(truth, predicted, 0.01)] == [[0], [0], [0]]


def test_thresholds_separate_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((500, 2)) < 0.3).astype(float)
    probability = np.where(truth == 1, [0.6, 0.3], [0.4, 0.12]) + rng.uniform(-0.05, 0.05, truth.shape)
    films = [truth[:300], truth[300:]], [probability[:300], probability[300:]]
    found = multilabel.thresholds_in_time(*films, np.greater_equal, 0.03)
    assert found[0] == 0.5 and 0.2 <= found[1] <= 0.3
    truth[:, 1] = nan
    assert multilabel.thresholds_in_time([truth], [probability], np.greater_equal, 0.03)[1] == 0.5


def test_thresholds_are_those_of_the_decision_that_is_used() -> None:
    """A decision that doubles the probabilities needs thresholds twice as high."""
    truth = (np.random.default_rng(0).random((500, 1)) < 0.3).astype(float)
    probability = np.where(truth == 1, 0.3, 0.1)
    plain = multilabel.thresholds_in_time([truth], [probability], np.greater_equal, 0.03)
    doubled = multilabel.thresholds_in_time([truth], [probability], lambda p, t: 2 * p >= t, 0.03)
    assert (plain[0], doubled[0]) == (0.3, 0.5)


def test_best_constant_beats_every_other_set() -> None:
    truth = (np.random.default_rng(1).random((400, 4)) < [0.6, 0.1, 0.4, 0.05]).astype(float)
    classes, f1 = multilabel.best_constant(truth)
    assert classes == [0, 2]
    for bits in range(1, 16):
        predicted = np.tile([bool(bits >> c & 1) for c in range(4)], (400, 1))
        assert multilabel.rates(multilabel.window_counts(truth, predicted))["micro_f1"] <= f1
