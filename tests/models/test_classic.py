"""Classic models: the right answer on separable notes, whitening within groups, weights, saving without pickle."""

from __future__ import annotations

import argparse
import zipfile

import numpy as np
import pytest
import torch

from helpers.config import InputError
from helpers.models import classic
from helpers.models.classic import ClassicModel, WithinGroupWhitening
from helpers.models.linear import WhitenedLinear

CLASSES = ["a", "b", "c", "d"]


def notes(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features [72, 12] of three well separated classes (2 is absent), six instruments each, four notes each."""
    generator = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 3], 24)
    instruments = np.repeat(np.arange(18), 4)
    centres = 4 * np.random.default_rng(99).normal(size=(4, 12))
    matrix = centres[labels] + generator.normal(size=(18, 12))[instruments] + 0.3 * generator.normal(size=(72, 12))
    return matrix.astype(np.float32), labels, np.array([f"instrument_{i:02d}" for i in instruments])


@pytest.fixture(autouse=True)
def few_trees(monkeypatch) -> None:
    monkeypatch.setattr(classic, "TREES", 20)


def model(name: str, weights: np.ndarray | None = None) -> ClassicModel:
    pipeline = classic.fit(classic.MODELS[name].build(0), *notes(), weights)
    return ClassicModel(name, pipeline, CLASSES, [f"x{n}" for n in range(12)], [0.0] * 4, {"seed": 0})


@pytest.mark.parametrize("name", classic.MODELS)
def test_separable_classes_are_told_apart(name) -> None:
    matrix, labels, _ = notes(seed=1)
    scores = model(name).scores(matrix)
    assert scores.shape == (72, 4)
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1)
    assert (scores.argmax(axis=1) == labels).mean() > 0.95
    assert scores[:, 2].max() < -10  # a class without training notes


@pytest.mark.parametrize("name", ["extra-trees", "k-NN"])
def test_same_seed_gives_the_same_model(name) -> None:
    matrix, *_ = notes(seed=2)
    np.testing.assert_array_equal(model(name).scores(matrix), model(name).scores(matrix))


def test_every_value_of_every_grid_can_be_set() -> None:
    for recipe in classic.MODELS.values():
        for key, values in recipe.grid.items():
            for value in values:
                assert recipe.build(0).set_params(**{key: value}).get_params()[key] == value


def test_whitening_makes_the_covariance_within_groups_the_identity() -> None:
    matrix, _, groups = notes()
    matrix = matrix @ np.random.default_rng(1).normal(size=(12, 12))  # correlated columns
    matrix /= np.abs(matrix).max() / 4  # nothing is cut
    white = WithinGroupWhitening(shrinkage=0.0).fit(matrix, groups=groups).transform(matrix)
    rest = white - np.stack([white[groups == group].mean(axis=0) for group in groups])
    covariance = rest.T @ rest
    np.testing.assert_allclose(covariance / np.trace(covariance) * 12, np.eye(12), atol=1e-6)


def test_weight_of_a_note_is_as_if_it_were_there_so_often() -> None:
    matrix, _, groups = notes()
    often = np.random.default_rng(0).integers(1, 4, len(matrix))
    weighted = WithinGroupWhitening().fit(matrix, groups=groups, sample_weight=often)
    repeated = WithinGroupWhitening().fit(np.repeat(matrix, often, axis=0), groups=np.repeat(groups, often))
    np.testing.assert_allclose(weighted.matrix_, repeated.matrix_)


def test_columns_are_cut_before_whitening() -> None:
    matrix, _, groups = notes()
    whitening = WithinGroupWhitening().fit(matrix, groups=groups)
    np.testing.assert_array_equal(whitening.transform(100 * np.ones((1, 12))), whitening.transform(np.full((1, 12), 4)))


def test_groups_and_weights_reach_the_steps_that_take_them() -> None:
    matrix, labels, _ = notes()
    plain, heavy = (model("logistic regression", weights) for weights in (None, 1 + 9 * (labels == 3)))
    np.testing.assert_allclose(heavy.pipeline[0].mean_, plain.pipeline[0].mean_)
    assert np.abs(heavy.pipeline[1].matrix_ - plain.pipeline[1].matrix_).max() > 0.01
    assert heavy.pipeline[2].intercept_[2] > plain.pipeline[2].intercept_[2]
    by_class = classic.fit(classic.MODELS["logistic regression"].build(0), matrix, labels, labels)
    assert np.abs(by_class[1].matrix_ - plain.pipeline[1].matrix_).max() > 0.1


def test_offsets_are_other_priors() -> None:
    matrix, *_ = notes()
    made = model("logistic regression")
    before = made.scores(matrix)
    made.offsets = [0.0, 5.0, 0.0, 0.0]
    np.testing.assert_allclose(made.scores(matrix)[:, 1] - made.scores(matrix)[:, 0], before[:, 1] - before[:, 0] + 5)


def test_folded_model_is_the_pipeline_in_torch() -> None:
    matrix, *_ = notes(seed=3)
    made = model("logistic regression")
    made.offsets = [0.5, -1.0, 0.0, 2.0]
    folded = WhitenedLinear(12, 4)
    folded.fill(classic.fold(made))
    matrix[::2] *= 3  # some columns are cut
    found = torch.log_softmax(folded(torch.from_numpy(matrix)), dim=1).numpy()
    likely = made.scores(matrix) > -15  # others may be below the least probability
    np.testing.assert_allclose(found[likely], made.scores(matrix)[likely], rtol=1e-3, atol=1e-3)
    assert found[:, 2].max() < -8


@pytest.mark.parametrize("name", classic.MODELS)
def test_saved_model_gives_the_same_scores(name, tmp_path) -> None:
    made, (matrix, *_) = model(name), notes(seed=3)
    classic.save(tmp_path / "model.skops", made)
    read = classic.load(tmp_path / "model.skops")
    np.testing.assert_array_equal(read.scores(matrix), made.scores(matrix))
    assert (read.name, read.classes, read.columns, read.details) == (name, CLASSES, made.columns, made.details)


def test_saved_model_holds_no_pickle(tmp_path) -> None:
    classic.save(tmp_path / "model.skops", model("extra-trees"))
    names = zipfile.ZipFile(tmp_path / "model.skops").namelist()
    assert "schema.json" in names and not [name for name in names if name.endswith((".pkl", ".pickle", ".bin"))]


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_files_that_are_no_models_are_named(content, tmp_path) -> None:
    path = tmp_path / "bad.skops"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.skops") as caught:
        classic.load(path)
    assert "\n" not in str(caught.value)


def test_foreign_skops_files_are_refused(tmp_path) -> None:
    from skops import io

    io.dump({"format": 99}, tmp_path / "foreign.skops")
    with pytest.raises(InputError, match="no classic model"):
        classic.load(tmp_path / "foreign.skops")
    io.dump({"format": 1, "classifier": argparse.Namespace(x=1)}, tmp_path / "types.skops")
    with pytest.raises(InputError, match="not trusted"):
        classic.load(tmp_path / "types.skops")
