"""The classic study: weights, priors, the pool, the choice among models, and the command to the metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.__main__ import main
from helpers.datasets import nsynth
from helpers.datasets.base import Clip
from helpers.evaluation import results as metrics
from helpers.experiments import classic
from helpers.experiments.classic import Table
from helpers.features.pooled import columns_of, note_statistics
from helpers.models import classic as models
from helpers.models.classic import ClassicModel

LOGISTIC = ("logistic regression", {"logisticregression__C": 0.1})


def clips(*instruments: str, each: int = 4) -> list[Clip]:
    """Notes with official names, the label from the name."""
    return [
        Clip(Path(f"{name}-{60 + note:03d}-100.wav"), (nsynth.FAMILIES.index(name.rsplit("_", 2)[0]),), name)
        for name in instruments for note in range(each)
    ]  # fmt: skip


def table(block: str = "envelope", seed: int = 0, each: int = 4) -> Table:
    """Notes of basses and reeds; the answer is in one block of features, the instrument in all others."""
    generator = np.random.default_rng(seed)
    notes = clips(*(f"{kind}_{n:03d}" for kind in ("bass_synthetic", "reed_acoustic") for n in range(8)), each=each)
    matrix = generator.normal(size=(16, len(note_statistics().columns))).repeat(each, axis=0)
    matrix += 0.3 * generator.normal(size=matrix.shape)
    labels = np.array([clip.labels[0] for clip in notes])
    matrix[:, columns_of(f"{block}.")] += 2.0 * (labels == nsynth.FAMILIES.index("bass"))[:, None]
    return Table(matrix.astype(np.float32), notes)


def test_weights_follow_kinds_and_instruments(monkeypatch: pytest.MonkeyPatch) -> None:
    def weights(power: int) -> np.ndarray:
        monkeypatch.setattr(classic, "KIND_POWER", power)
        monkeypatch.setattr(classic, "INSTRUMENT_POWER", power)
        return classic.note_weights(notes)

    notes = [*clips("bass_synthetic_001", each=9), *clips("bass_synthetic_002", "reed_electronic_001", each=1)]
    alike = weights(0)
    np.testing.assert_allclose([alike[:9].sum(), alike[9], alike[10]], np.array([0.25, 0.25, 0.5]) * 11)
    official = weights(1)
    assert official[10] / official.sum() == pytest.approx(76 / (76 + 60_368))
    assert official[0] == pytest.approx(official[9])
    assert official.mean() == pytest.approx(1)


def test_pool_holds_every_note_and_no_model_saw_the_instrument() -> None:
    seen, train, valid = [], table(), table(seed=1)
    def spy(part: Table) -> ClassicModel:
        seen.append(set(part.groups))
        return classic.fit(*LOGISTIC, part, seed=0)
    scores, pool = classic.pooled_scores(spy, train, valid, folds=4, seed=0)
    assert len(scores) == len(pool) == len(train.clips) + len(valid.clips)
    assert sorted(map(len, seen)) == [12, 12, 12, 12, 16]
    assert set.intersection(*seen) == set()
    scores, pool = classic.pooled_scores(spy, train, valid, folds=0, seed=0)
    assert pool == valid.clips and len(scores) == len(pool)


def test_judgement_weights_kinds_as_official() -> None:
    notes = clips("bass_synthetic_001", "reed_electronic_001")
    scores = np.log(np.full((8, 11), 1e-9))
    scores[:, 0] = 0.0  # all are basses
    found = classic.judge(scores, notes)
    assert found["top1"]["value"] == pytest.approx(60_368 / (60_368 + 76))
    assert found["log loss"]["value"] == pytest.approx(-np.log(0.97 + 0.03 * 68_955 / 305_979), abs=0.02)


def test_choice_is_by_log_loss() -> None:
    def made(loss: float) -> ClassicModel:
        return ClassicModel("x", None, [], [], [], {"validated": {"log loss": {"value": loss}}})
    assert classic.choose({"a": made(1.2), "b": made(1.1), "c": made(1.3)}) == "b"


def test_hyper_parameters_come_from_the_grid_and_are_reported(monkeypatch) -> None:
    recipe = models.MODELS["k-NN"]._replace(grid={"kneighborsclassifier__n_neighbors": [1, 30]})
    monkeypatch.setattr(models, "MODELS", {"k-NN": recipe})
    details = classic.fit_all(table(), table(seed=1), folds=3, seed=0)["k-NN"].details
    assert [row["parameters"]["kneighborsclassifier__n_neighbors"] for row in details["tried"]] == [1, 30]
    best = min(details["tried"], key=lambda row: row["log loss"])
    assert details["parameters"] == best["parameters"]
    assert details["validated"]["log loss"]["value"] == best["log loss"]


def test_network_gives_the_answers_of_the_regression() -> None:
    model, valid = classic.fit(*LOGISTIC, table(), seed=0), table(seed=1)
    network = classic.network(model)
    with torch.no_grad():
        found = torch.log_softmax(network.head(network.encoder(torch.from_numpy(valid.matrix))), 1).numpy()
    seen = sorted(set(valid.labels))
    np.testing.assert_allclose(found[:, seen], model.scores(valid.matrix)[:, seen], atol=1e-3)
    assert network(torch.zeros(2, 64_000)).shape == (2, 11)


def test_command_writes_metrics_and_models(demo_root, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(models, "TREES", 10)
    monkeypatch.setattr(models, "MODELS", {name: models.MODELS[name] for name in ("k-NN", "extra-trees")})
    arguments = ["classic", "--data-root", str(demo_root), "--budget", "smoke", "--jobs", "1"]
    assert main([*arguments, "--out", str(tmp_path), "--models", str(tmp_path / "models")]) == 0
    result = metrics.read(tmp_path / "metrics" / "02_classic.json")
    assert (result.data, set(result.scores)) == ("demo", {"k-NN", "extra-trees"})
    assert result.details["chosen"] in result.scores
    assert models.load(tmp_path / "models" / "extra_trees.skops").classes == result.classes
    assert "chosen on the pool" in capsys.readouterr().out


def test_missing_corpus_is_one_line(tmp_path, capsys) -> None:
    assert main(["classic", "--data-root", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
