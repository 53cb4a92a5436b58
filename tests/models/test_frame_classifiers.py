"""Classifiers of single frames: votes of neighbours, and one linear decision for each class."""

from __future__ import annotations

import numpy as np

from helpers.models.classic import frame_votes, single_window


def test_frames_vote_for_their_clip() -> None:
    near, far = np.tile([[0.0, 0.0]], (6, 1)), np.tile([[9.0, 900.0]], (6, 1))
    votes = frame_votes([near, far], [1, 3], [near, np.concatenate([near[:2], far[:4]])], n_classes=4, neighbours=3)
    np.testing.assert_allclose(votes, [[0, 1, 0, 0], [0, 1 / 3, 0, 2 / 3]])


def test_every_coefficient_counts_alike() -> None:
    rng = np.random.default_rng(0)
    small = rng.normal(0, 0.01, (400, 1)) + np.repeat([[0.0], [1.0]], 200, axis=0)  # tells the classes apart
    large = rng.normal(0, 1000, (400, 1))
    clips = np.hstack([small, large])
    train, judged = [clips[:150], clips[200:350]], [clips[150:200], clips[350:]]
    assert frame_votes(train, [0, 1], judged, n_classes=2, neighbours=5).argmax(axis=1).tolist() == [0, 1]


def test_single_windows_decide_each_class_on_its_own_and_skip_what_is_unknown() -> None:
    features = np.random.default_rng(0).normal(size=(300, 3))
    targets = (features[:, :2] > 0).astype(float)
    wrong = 1 - targets[:100]
    wrong[:, 1] = np.nan  # half known: not learned from
    model = single_window(np.concatenate([features, features[:100]]), np.concatenate([targets, wrong]))
    assert ((model.predict_proba(features) > 0.5) == targets).mean() > 0.95
