"""Classic models: the right answer on separable notes, groups kept together, missing classes, saving without pickle."""

from __future__ import annotations

import argparse
import zipfile

import numpy as np
import pytest

from helpers.config import InputError
from helpers.features.spectral import SpectralConfig
from helpers.models import classic
from helpers.models.classic import CLASSIFIERS, SCALERS, ClassicModel, fit_plain

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


def model(name: str, folds: int = 0) -> ClassicModel:
    classifier, chosen = classic.fit(name, *notes(), folds=folds, seed=0)
    return ClassicModel(name, classifier, CLASSES, SpectralConfig(), {**chosen, "seed": 0})


@pytest.mark.parametrize("name", classic.MODELS)
def test_separable_classes_are_told_apart(name) -> None:
    matrix, labels, _ = notes(seed=1)
    scores = model(name).scores(matrix)
    assert scores.shape == (72, 4)
    assert (scores.argmax(axis=1) == labels).mean() > 0.95
    assert (scores[:, 2] <= scores.min(axis=1)).all()  # a class without training notes is never likelier than others


@pytest.mark.parametrize("name", ["extra-trees", "k-NN"])
def test_same_seed_gives_the_same_model(name) -> None:
    matrix, *_ = notes(seed=2)
    np.testing.assert_array_equal(model(name).scores(matrix), model(name).scores(matrix))


def test_cross_validation_keeps_instruments_together() -> None:
    """Labels that only the instrument tells: folds that share instruments would score high."""
    generator = np.random.default_rng(0)
    instruments = np.repeat(np.arange(24), 6)
    labels = generator.permutation(np.repeat([0, 1], 12))[instruments]
    matrix = generator.normal(size=(24, 8))[instruments] + 0.01 * generator.normal(size=(144, 8))
    _, chosen = classic.fit("k-NN", matrix, labels, instruments, folds=4, seed=0)
    assert chosen["cv_accuracy"] < 0.8


def test_hyper_parameters_come_from_the_grid() -> None:
    _, chosen = classic.fit("SVM", *notes(), folds=3, seed=0)
    assert chosen["parameters"]["classify__gamma"] in classic.MODELS["SVM"].grid["classify__gamma"]
    assert chosen["cv_accuracy"] > 0.8


def test_without_folds_nothing_is_searched() -> None:
    assert model("k-NN").details["cv_accuracy"] is None


@pytest.mark.parametrize("name", classic.MODELS)
def test_saved_model_gives_the_same_scores(name, tmp_path) -> None:
    made, (matrix, *_) = model(name), notes(seed=3)
    classic.save(tmp_path / "model.skops", made)
    read = classic.load(tmp_path / "model.skops")
    np.testing.assert_array_equal(read.scores(matrix), made.scores(matrix))
    assert (read.name, read.classes, read.features, read.details) == (name, CLASSES, made.features, made.details)


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


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_scaler_under_every_classifier(scaler, name) -> None:
    matrix, labels, _ = notes()
    other, truth, _ = notes(seed=4)
    assert fit_plain(scaler, name, matrix, labels, seed=0).score(other, truth) > 0.9


def test_scale_matters_to_neighbours_and_not_to_trees() -> None:
    matrix, labels, _ = notes()
    other, truth, _ = notes(seed=4)
    noise = 1e4 * np.random.default_rng(0).normal(size=(144, 1))  # one loud column without meaning
    loud, other = np.hstack([matrix, noise[:72]]), np.hstack([other, noise[72:]])
    scores = {
        (scaler, name): fit_plain(scaler, name, loud, labels, seed=0).score(other, truth)
        for scaler in ("none", "standardised") for name in ("k-NN", "extra-trees")
    }  # fmt: skip
    assert scores["none", "k-NN"] < 0.7 < 0.9 < scores["standardised", "k-NN"]
    assert scores["none", "extra-trees"] > 0.9
