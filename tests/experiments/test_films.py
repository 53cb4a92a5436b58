"""Scores of films by hand, and what is made of probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.datasets.films import BuiltFilm
from helpers.experiments import films as study

NAMES = ["gong", "erhu"]


def film(name: str, labels: np.ndarray, certainty: float = 1.0) -> BuiltFilm:
    certainties = np.full(len(labels), certainty, np.float32)
    return BuiltFilm(name, name, "test", Path(name), labels.astype(np.float32), certainties)


def test_counts_on_all_levels_by_hand() -> None:
    truth, decided = np.zeros((100, 2)), np.zeros((100, 2), bool)
    truth[10:20, 0], decided[12:20, 0] = 1, True  # 0.3 s to 0.6 s: two windows and no onset missed
    decided[70:72, 1] = True  # 2.1 s: a false alarm in the third second
    window, segment, event = study.film_counts(truth, decided)
    assert window.tolist() == [[8, 0], [0, 2], [2, 0]]
    assert segment.tolist() == [[1, 0], [0, 1], [0, 0]]
    assert event.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_films_are_the_groups_of_the_interval() -> None:
    perfect, useless = np.zeros((3, 3, 2)), np.zeros((3, 3, 2))
    perfect[:, 0], useless[:, 2] = 10, 10
    films = [film(name, np.ones((4, 2))) for name in ("a", "b")]
    found = study.scores(np.stack([perfect, useless]), films, NAMES, seed=0)
    assert found["window_micro_f1"].value == pytest.approx(2 * 20 / (2 * 20 + 20 + 20 - 20))
    assert (found["window_micro_f1"].low, found["window_micro_f1"].high) == (0.0, 1.0)


def test_what_is_not_defined_is_left_out() -> None:
    counts = np.zeros((1, 3, 3, 2))
    counts[:, :, 0, 0] = 5
    found = study.scores(counts, [film("a", np.ones((4, 2)))], NAMES, seed=0)
    assert found["segment_f1_gong"].value == 1.0 and "segment_f1_erhu" not in found


def test_constant_answers_by_hand() -> None:
    labels = np.zeros((100, 2))
    labels[:60, 0] = 1
    found = study.constants([film("a", labels)])
    assert found["best constant"]["window_micro_f1"] == pytest.approx(2 * 60 / (2 * 60 + 40))
    assert found["all instruments"]["window_micro_f1"] == pytest.approx(2 * 60 / (2 * 60 + 140))
    assert found["best constant"]["segment_micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1))


def test_probabilities_become_stretches() -> None:
    probability = np.zeros((10, 2))
    probability[2:6, 0] = [0.6, 0.4, 0.35, 0.31]
    found = study.stretches(study.decide(probability, [0.5, 0.5]), NAMES)
    assert found["erhu"] == [] and found["gong"] == [(pytest.approx(0.06), pytest.approx(0.18))]


def test_both_starts_have_one_recipe() -> None:
    assert study.recipe(3, 1) == study.recipe(3, 1) and study.recipe(3, 1).freeze_epochs == 0
