"""Scores of single-label classification, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.evaluation import single

NAN = np.full(4, np.nan)
SCORES = np.array([[0.9, 0.5, 0.4, 0.1], [0.1, 0.2, 0.3, 0.9], [0.4, 0.3, 0.2, 0.1], NAN])
LABELS = np.array([0, 1, 2, 0])  # first, third, third, unreadable


def test_top_k_by_hand() -> None:
    assert single.top_k_hits(SCORES, LABELS, 1).tolist() == [True, False, False, False]
    assert single.top_k_hits(SCORES, LABELS, 3).tolist() == [True, True, True, False]
    assert [single.top_k_accuracy(SCORES, LABELS, k) for k in (1, 2, 3, 4)] == [0.25, 0.25, 0.75, 0.75]


def test_equal_scores_are_no_knowledge() -> None:
    assert single.top_k_accuracy(np.zeros((5, 3)), np.arange(5) % 3, 1) == 0
    tied = np.array([[0.5, 0.5, 0.1]])
    assert [single.top_k_accuracy(tied, np.array([0]), k) for k in (1, 2)] == [0, 1]


def test_top_k_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(0)
    scores, labels = generator.standard_normal((200, 11)), generator.integers(0, 11, 200)
    for k in (1, 3):
        theirs = metrics.top_k_accuracy_score(labels, scores, k=k, labels=range(11))
        assert single.top_k_accuracy(scores, labels, k) == pytest.approx(theirs)


def test_predictions_and_confusion() -> None:
    predicted = single.predictions(SCORES)
    assert predicted.tolist() == [0, 3, 0, -1]
    assert single.confusion_matrix(LABELS, predicted, 4).tolist() == [
        [1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0],
    ]  # fmt: skip


def test_confusion_counts_repetitions() -> None:
    matrix = single.confusion_matrix(np.array([1, 1, 1]), np.array([0, 0, 1]), 2)
    assert matrix.tolist() == [[0, 0], [2, 1]]


def test_accuracy_by_key() -> None:
    keys = np.array(["flute", "bass", "bass", "flute", "bass"])
    assert single.accuracy_by(keys, np.array([True, True, False, True, False])) == {"bass": 1 / 3, "flute": 1.0}


def test_majority_baseline() -> None:
    train = np.repeat([0, 1, 2, 3], [1, 5, 3, 2])
    scores = single.majority_baseline(train, np.array([1, 1, 2, 0]))
    assert scores == {"top1": 0.5, "top3": 0.75}


def test_calibration_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.92, 0.08], [0.3, 0.7], [0.7, 0.3]])
    found = single.reliability(probabilities, np.array([0, 1, 1, 0]))
    assert found["count"].tolist() == [0, 0, 0, 0, 0, 0, 0, 2, 0, 2]
    assert found["confidence"][9] == pytest.approx(0.935) and found["accuracy"][9] == 0.5
    assert np.isnan(found["accuracy"][0])
    assert found["ece"] == pytest.approx((2 * (0.935 - 0.5) + 2 * (1 - 0.7)) / 4)


def test_full_confidence_has_a_bin() -> None:
    assert single.reliability(np.array([[1.0, 0.0]]), np.array([0]))["ece"] == 0


def test_kinds_weigh_by_their_official_shares_and_instruments_within_them_alike() -> None:
    """Kind a: an instrument of three notes, 2/3 right, and one of one note, wrong; kind b right; c does not occur."""
    hits = np.array([1, 1, 0, 0, 1, 1])
    kinds = np.array(["a", "a", "a", "a", "b", "b"])
    instruments = np.array(["a1", "a1", "a1", "a2", "b1", "b2"])
    found = single.kind_weighted_accuracy(hits, kinds, instruments, {"a": 30, "b": 10, "c": 60})
    of_a = (3 / 4 * 2 / 3 + 1 / 2 * 0) / (3 / 4 + 1 / 2)
    assert found["value"] == pytest.approx(0.75 * of_a + 0.25)
    assert found["low"] == pytest.approx(0.25) and found["high"] == pytest.approx(0.75 * 2 / 3 + 0.25)


def test_the_mix_of_the_items_does_not_move_the_weighted_score() -> None:
    generator = np.random.default_rng(0)
    instruments = generator.integers(0, 40, 4000)
    kinds = np.where(instruments < 20, "a", "b")
    hits = (generator.random(4000) < np.where(kinds == "a", 0.9, 0.3)) * 1
    keep = (kinds == "a") | (generator.random(4000) < 0.3)
    shares = {"a": 1, "b": 1}
    whole = single.kind_weighted_accuracy(hits, kinds, instruments, shares)
    part = single.kind_weighted_accuracy(hits[keep], kinds[keep], instruments[keep], shares)
    assert whole["value"] == pytest.approx(0.6, abs=0.02) and part["value"] == pytest.approx(whole["value"], abs=0.03)
    assert whole["low"] < whole["value"] < whole["high"]


def test_score_of_a_set_to_come_is_less_certain_the_fewer_instruments_it_has() -> None:
    generator = np.random.default_rng(0)
    instruments = np.repeat([f"a{n}" for n in range(40)], 5)
    hits = np.repeat(generator.random(40) < 0.6, 5).astype(float)
    kinds = np.full(len(hits), "a")
    mean, *to_come = (
        single.kind_weighted_accuracy(hits, kinds, instruments, {"a": 1}, future=future)
        for future in (None, {"a": 1000}, {"a": 10})
    )
    widths = [score["high"] - score["low"] for score in (mean, *to_come)]
    assert mean["value"] == to_come[0]["value"] == to_come[1]["value"]
    assert widths[1] < 1.1 * widths[0] and widths[2] > 1.8 * widths[0]  # variances 1/40 and 1/40 + 1/10 add up to 2.2
