"""What is derived from scores for the report: swaps, wide scores, the median run, tables by class and polyphony."""

from pathlib import Path

import numpy as np
import pytest

from helpers.datasets import irmas
from helpers.datasets.base import Clip, ClipDataset
from helpers.experiments import irmas as study
from helpers.experiments import irmas_report
from helpers.models.checkpoint import Checkpoint


def test_swaps_by_hand():
    targets = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    decisions = np.array([[0, 1, 1], [0, 1, 1], [0, 1, 1]], bool)
    # missed 0 twice: said 1 wrongly both times, 2 once
    assert irmas_report.substitutions(targets, decisions).tolist() == [[0, 2, 1], [0, 0, 0], [0, 0, 0]]


def test_scores_of_a_narrow_checkpoint_fall_into_their_columns():
    checkpoint = Checkpoint("irmas", "cnn_var_time", {}, ["flu", "voi"], 16_000, 3.0, {})
    wide = irmas_report.widened(checkpoint, np.array([[0.25, 0.75]]))
    assert wide.shape == (1, 11)
    assert wide[0, irmas.CODES.index("flu")] == 0.25
    assert wide[0, 10] == 0.75
    assert wide.sum() == 1.0


def test_median_run():
    runs = [{"table": {"micro_f1": {"value": value}}} for value in (0.5, 0.1, 0.3)]
    assert irmas_report.median_run(runs) is runs[2]
    assert irmas_report.median_run(runs[:2]) is runs[1]


def test_table_by_class_and_by_polyphony():
    clips = [Clip(Path("a.wav"), (0, 1), "a"), Clip(Path("b.wav"), (1,), "b")]
    scores = np.zeros((2, 11))
    scores[0, [0, 2]], scores[1, 1] = 0.9, 0.9
    table = irmas_report.class_table(clips, scores, np.full(11, 0.5))
    assert table["classes"]["cel"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1.0}
    assert table["classes"]["cla"]["recall"] == 0.5
    assert table["micro_f1 by number of instruments"] == {"1": 1.0, "2": 0.5}


def test_thinning_keeps_the_order_and_the_shares():
    clips = [Clip(Path(f"{n}.wav"), (n // 10,), str(n)) for n in range(100)]
    kept = study.thinned(clips, 20)
    assert len(kept) == 20
    assert np.bincount([clip.labels[0] for clip in kept]).tolist() == [2] * 10
    assert [int(clip.group) for clip in kept] == sorted(int(clip.group) for clip in kept)
    assert study.thinned(clips, 500) == clips


def test_recordings_do_not_stand_on_two_sides(demo_root):
    train, valid = study.recordings(demo_root, 10**9, seed=0)
    assert not {clip.group for clip in train} & {clip.group for clip in valid}
    assert {clip.labels[0] for clip in train} == {clip.labels[0] for clip in valid} == set(range(11))
    data = ClipDataset(valid, 11, study.MEL.sample_rate, irmas.SECONDS)
    assert len(study.validation_mixtures(data)) == 2 * len(valid)


@pytest.mark.parametrize(("loss", "epochs"), [("focal", 30), ("asymmetric", 2)])
def test_recipe_takes_its_arguments(loss, epochs):
    recipe = study.recipe(epochs, 3, loss)
    assert (recipe.loss, recipe.epochs, recipe.seed) == (loss, epochs, 3)
