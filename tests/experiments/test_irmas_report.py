"""What is derived from scores for the report: swaps, wide scores, tables by class and polyphony."""

from pathlib import Path

import numpy as np
import pytest

from helpers import audio
from helpers.datasets import irmas
from helpers.datasets.base import Clip
from helpers.experiments import irmas as study
from helpers.experiments.common import Trained
from helpers.models.checkpoint import Checkpoint


def test_swaps_by_hand():
    targets = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    decisions = np.array([[0, 1, 1], [0, 1, 1], [0, 1, 1]], bool)
    # missed 0 twice: said 1 wrongly both times, 2 once
    assert study.substitutions(targets, decisions).tolist() == [[0, 2, 1], [0, 0, 0], [0, 0, 0]]


def test_scores_of_a_narrow_checkpoint_fall_into_their_columns(monkeypatch):
    checkpoint = Checkpoint("irmas", "cnn_var_time", {}, ["flu", "voi"], 16_000, 3.0, {})
    monkeypatch.setattr(Checkpoint, "network", lambda self: None)
    monkeypatch.setattr(study, "excerpt_scores", lambda *arguments: np.array([0.25, 0.75]))
    wide = study.score_excerpts(checkpoint, [Clip(Path("a.wav"), (0,), "a")])
    assert wide.shape == (1, 11)
    assert wide[0, irmas.CODES.index("flu")] == 0.25
    assert wide[0, 10] == 0.75
    assert wide.sum() == 1.0


def test_table_by_class_and_by_polyphony():
    clips = [Clip(Path("a.wav"), (0, 1), "a"), Clip(Path("b.wav"), (1,), "b")]
    scores = np.zeros((2, 11))
    scores[0, [0, 2]], scores[1, 1] = 0.9, 0.9
    table = study.class_table(clips, scores, np.full(11, 0.5))
    assert table["classes"]["cel"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1.0}
    assert table["classes"]["cla"]["recall"] == 0.5
    assert table["micro_f1 by number of instruments"] == {"1": 1.0, "2": 0.5}


def test_recordings_do_not_stand_on_two_sides(demo_root):
    train, valid = study.recordings(demo_root, 10**9, seed=0)
    assert not {clip.group for clip in train} & {clip.group for clip in valid}
    assert {clip.labels[0] for clip in train} == {clip.labels[0] for clip in valid} == set(range(11))
    assert len(study.mixtures(study.dataset(valid))) == 2 * len(valid)


@pytest.mark.parametrize(("loss", "epochs"), [("focal", 30), ("asymmetric", 2)])
def test_recipe_takes_its_arguments(loss, epochs):
    recipe = study.recipe(epochs, 3, loss)
    assert (recipe.loss, recipe.epochs, recipe.seed) == (loss, epochs, 3)


def test_silence_has_no_instrument(tmp_path):
    audio.write(tmp_path / "silence.wav", np.zeros(66_150, np.float32), 22_050)
    checkpoint = Checkpoint("irmas", "cnn_var_time", {}, ["flu", "voi"], 16_000, 3.0, {})
    assert not study.excerpt_scores(checkpoint, None, tmp_path / "silence.wav").any()


def test_blocks_are_neighbours_and_hold_every_class():
    clips = [Clip(None, (label,), f"{label}/{n:02d}") for label, count in {0: 12, 1: 11}.items() for n in range(count)]
    fold_of = study.block_folds(clips, 4)
    assert fold_of[:12].tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert np.bincount(fold_of[12:]).tolist() == [3, 3, 3, 2]


def test_clips_of_one_recording_are_in_one_block():
    clips = [Clip(None, (0,), f"{number // 3:04d}") for number in range(30)]
    fold_of = study.block_folds(clips, 4)
    assert all(len(set(fold_of[start : start + 3])) == 1 for start in range(0, 30, 3))


def test_real_clips_are_judged_on_recordings_that_were_left_out(demo_root, monkeypatch):
    clips = [clip for clip in irmas.clips(demo_root, "train") if clip.labels[0] < 2]
    seen = []

    def train(known, valid, config, mix):
        seen.append({clip.group for clip in (*known, *valid)})
        return Trained(None, study.MODEL, {}, [], config, list(known), (0.5,) * 11)

    monkeypatch.setattr(study, "train", train)
    sizes = []
    monkeypatch.setattr(study, "dataset_scores", lambda network, data: sizes.append(len(data)) or data.targets * 0.9)
    found = study.cross_validate(clips, study.RECIPE, folds=3)
    parts = np.split(found["groups"], np.cumsum(sizes)[:-1])
    assert all(not used & set(part) for used, part in zip(seen, parts, strict=True))
    assert study.intervals(**found)["micro_f1"]["value"] == 1.0
