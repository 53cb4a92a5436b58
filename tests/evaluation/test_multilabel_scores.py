import numpy as np
import pytest

from helpers.datasets import irmas
from helpers.evaluation import multilabel

TARGETS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]])
DECISIONS = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 0], [0, 0, 0]])


def test_f1_by_hand():
    # class 0: 2 hits, 3 said, 2 there; class 1: 1 hit, 1 said, 2 there; class 2: 0 hits, 1 said, 1 there
    assert multilabel.micro_f1(TARGETS, DECISIONS) == pytest.approx(2 * 3 / (5 + 5))
    assert multilabel.macro_f1(TARGETS, DECISIONS) == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)
    table = multilabel.per_class(TARGETS, DECISIONS)
    np.testing.assert_allclose(table["precision"], [2 / 3, 1, 0])
    np.testing.assert_allclose(table["recall"], [1, 1 / 2, 0])
    assert table["support"].tolist() == [2, 2, 1]


def test_averages_equal_those_of_scikit_learn():
    from sklearn.metrics import f1_score, label_ranking_average_precision_score

    rng = np.random.default_rng(0)
    targets, decisions = rng.integers(0, 2, (2, 50, 11))
    targets[0] = 0
    scores = rng.integers(0, 5, (50, 11)) / 5  # many equal ones
    assert multilabel.lrap(targets, scores) == pytest.approx(label_ranking_average_precision_score(targets, scores))
    for average, metric in (("micro", multilabel.micro_f1), ("macro", multilabel.macro_f1)):
        assert metric(targets, decisions) == pytest.approx(f1_score(targets, decisions, average=average))


def test_ranking_by_hand():
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.9, 0.5], [0.9, 0.5, 0.1], [0.1, 0.2, 0.3]])
    # precisions of the true labels: 1; (1 + 2/3) / 2; 1/2; 1
    assert multilabel.lrap(TARGETS, scores) == pytest.approx((1 + 5 / 6 + 1 / 2 + 1) / 4)
    assert multilabel.hit_at_1(TARGETS, scores) == pytest.approx(3 / 4)


def test_thresholds_separate_what_can_be_separated():
    scores = np.array([[0.30, 0.9, 0.4], [0.20, 0.8, 0.4], [0.10, 0.85, 0.4], [0.05, 0.1, 0.4]])
    targets = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
    thresholds = multilabel.choose_thresholds(targets, scores)
    np.testing.assert_allclose(thresholds, [0.15, 0.825, multilabel.DEFAULT_THRESHOLD])
    assert multilabel.micro_f1(targets[:, :2], (scores > thresholds)[:, :2]) == 1.0


def test_equal_scores_are_not_split():
    targets, scores = np.array([[1], [0], [1], [0]]), np.array([[0.9], [0.6], [0.6], [0.6]])
    threshold = multilabel.choose_thresholds(targets, scores)[0]
    assert threshold == pytest.approx(0.75) or threshold < 0.6


def test_best_constant_is_the_best_of_all_label_sets():
    rng = np.random.default_rng(1)
    targets = (rng.random((60, 5)) < [0.7, 0.4, 0.3, 0.1, 0.05]).astype(int)
    every = [[c for c in range(5) if code >> c & 1] for code in range(1, 32)]
    best = max(multilabel.constant_scores(targets, labels)["micro_f1"] for labels in every)
    found = multilabel.constant_scores(targets, multilabel.best_constant(targets)[0])
    assert found["micro_f1"] == pytest.approx(best)
    assert found["hit_at_1"] == pytest.approx(targets[:, 0].mean())


@pytest.mark.parametrize(
    ("codes", "micro", "macro"), [(("voi",), 0.268, 0.048), (("voi", "pia", "gel"), 0.440, 0.140)]
)
def test_constant_answers_on_the_official_test_counts(codes, micro, macro):
    targets = np.zeros((irmas.OFFICIAL["test"], 11), int)
    for label, count in enumerate(irmas.OFFICIAL_TEST_LABELS.values()):
        targets[:count, label] = 1
    found = multilabel.constant_scores(targets, [irmas.CODES.index(code) for code in codes])
    assert found["micro_f1"] == pytest.approx(micro, abs=5e-4)
    assert found["macro_f1"] == pytest.approx(macro, abs=5e-4)
    assert found["hit_at_1"] == pytest.approx(0.363, abs=5e-4)


def test_pooling_windows_by_hand():
    windows = np.array([[0.2, 0.8, 0.0], [0.4, 0.0, 0.2]])
    np.testing.assert_allclose(multilabel.pool_windows(iter(windows), "mean"), [0.3, 0.4, 0.1])
    np.testing.assert_allclose(multilabel.pool_windows(iter(windows), "max"), [0.4, 0.8, 0.2])
    np.testing.assert_allclose(multilabel.pool_windows(iter(windows), "sum"), [0.75, 1.0, 0.25])
    assert np.isfinite(multilabel.pool_windows(np.zeros((2, 3)), "sum")).all()
