"""The classic study: the choice among models, kinds of features, importance, and the command from notes to metrics."""

from __future__ import annotations

import numpy as np

from helpers.__main__ import main
from helpers.evaluation import results as metrics
from helpers.experiments import classic
from helpers.experiments.classic import FEATURES, Table
from helpers.features.pooled import column_names
from helpers.models import classic as models


def test_choice_is_by_weighted_top1_then_top3() -> None:
    validated = {
        "a": {"top1": 0.9, "weighted top1": 0.8, "weighted top3": 0.9},
        "b": {"top1": 0.6, "weighted top1": 0.8, "weighted top3": 0.95},
        "c": {"top1": 0.95, "weighted top1": 0.7, "weighted top3": 1.0},
    }
    assert classic.choose(validated) == "b"


def test_every_column_is_of_exactly_one_kind() -> None:
    indices = np.concatenate(list(classic.kinds().values()))
    assert sorted(indices) == list(range(len(column_names(FEATURES))))


def test_importance_finds_the_kind_that_holds_the_answer() -> None:
    generator, labels = np.random.default_rng(0), np.repeat([0, 1], 40)
    matrix = generator.normal(size=(80, len(column_names(FEATURES)))).astype(np.float32)
    chroma = classic.kinds()["chroma"]
    matrix[:, chroma] += 3 * labels[:, None]
    table = Table(matrix, labels, np.arange(80))
    classifier, _ = models.fit("k-NN", matrix, labels, table.groups, folds=0, seed=0)
    model = models.ClassicModel("k-NN", classifier, ["a", "b"], FEATURES)
    losses = classic.importance(model, table, seed=0)
    assert max(losses, key=losses.get) == "chroma"
    assert losses["chroma"] > 0.3 > 0.1 > losses["MFCC"]


def test_poolings_grow_and_end_with_all_columns() -> None:
    widths = [len(columns) for columns in classic.poolings().values()]
    assert widths == sorted(set(widths)) and widths[-1] == len(column_names(FEATURES))


def test_command_writes_metrics_and_models(demo_root, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(models, "TREES", 10)
    monkeypatch.setattr(models, "MODELS", {name: models.MODELS[name] for name in ("k-NN", "extra-trees")})
    arguments = ["classic", "--data-root", str(demo_root), "--budget", "smoke", "--jobs", "1"]
    assert main([*arguments, "--out", str(tmp_path), "--models", str(tmp_path / "models")]) == 0
    result = metrics.read(tmp_path / "metrics" / "02_classic.json")
    assert (result.data, set(result.scores)) == ("demo", {"k-NN", "extra-trees"})
    assert result.details["chosen"] in result.scores
    assert models.load(tmp_path / "models" / "extra_trees.skops").classes == result.classes
    assert "chosen on validation notes" in capsys.readouterr().out


def test_missing_corpus_is_one_line(tmp_path, capsys) -> None:
    assert main(["classic", "--data-root", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
