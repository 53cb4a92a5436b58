"""The genre study: votes, folds, protocols, cross-validation, the table that resumes, files of every kind."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from genre_pieces import GENRES, RATE, piece, write

from helpers import audio
from helpers.config import InputError
from helpers.datasets import gtzan
from helpers.datasets.base import Clip
from helpers.experiments import genre_augment, genre_leak, genre_table, genre_train, genres
from helpers.experiments.genre_recipe import GenreConfig

CONFIG = GenreConfig(epochs=1, batch_size=4, workers=0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gtzan"))


@pytest.fixture(scope="module")
def checkpoint(corpus, tmp_path_factory):
    """A checkpoint of the pooled model trained on all of the corpus, and what was said about it."""
    path = tmp_path_factory.mktemp("checkpoint") / "gtzan.pt"
    said = genre_train.run("pooled_lda", corpus, "all", path, CONFIG, GENRES, False, None)
    return path, said


def test_windows_of_a_track_vote_by_mean_log_probability():
    clips = [Clip(Path(f"{name}.wav"), (label,), name) for name, label in (("b", 1), ("a", 0), ("b", 1))]
    logits = np.log([[0.6, 0.4], [0.9, 0.1], [0.1, 0.9]])
    votes = genres.vote(logits, clips)
    assert votes.tracks.tolist() == ["a", "b"]
    assert votes.labels.tolist() == [0, 1]
    np.testing.assert_allclose(votes.scores[1], np.log([[0.6, 0.4], [0.1, 0.9]]).mean(axis=0))
    assert votes.accuracy()["value"] == 1.0


def test_folds_hold_tracks_whole_and_neighbours_together_or_apart():
    names = [f"{genre}.{number:05d}" for genre in ("blues", "jazz") for number in range(6)]
    clips = [Clip(Path("x"), (0,), name) for name in names for _ in range(2)]
    apart = genres.number_folds(clips, 6, contiguous=False)
    assert apart.tolist() == [n for n in range(6) for _ in range(2)] * 2
    assert genres.number_folds(clips, 3, contiguous=True).tolist() == [n // 2 for n in range(6) for _ in range(2)] * 2


def test_a_network_trains_by_the_lists_and_its_tracks_vote(corpus, tmp_path):
    said = genre_train.run("cnn_2d_4l", corpus, "filtered", tmp_path / "m.pt", replace(CONFIG, window_s=1.5), GENRES,
                           True, None)
    assert "filtered split of GTZAN (subset): trained on 6 tracks" in said
    assert "test: " in said and "of 6 tracks" in said and "baseline (most frequent genre): 33.3%" in said


def test_cross_validation_separates_what_differs_audibly(checkpoint):
    path, said = checkpoint
    assert "single tracks held out" in said and "runs of neighbouring numbers held out" in said
    assert said.count("100.0% of 18 tracks") == 2
    assert path.stat().st_size < 20e6


def test_networks_need_validation_tracks():
    with pytest.raises(InputError, match="--split filtered"):
        genre_train.cross_validated("cnn_2d_4l", [], CONFIG, GENRES)


def test_unknown_models_and_empty_parts_are_refused(corpus):
    with pytest.raises(InputError, match="cnn_2d_4l"):
        genre_train.check("cnn")
    few = gtzan.tracks(corpus, GENRES).clips[:2]
    with pytest.raises(InputError, match="no train tracks"):
        genres.dealt(few, "cnn_2d_4l", "filtered", CONFIG)


def test_a_budget_limits_the_windows(corpus):
    clips = gtzan.tracks(corpus, GENRES).clips
    parts = genres.dealt(clips, "cnn_2d_4l", "filtered", replace(CONFIG, max_windows=5))
    assert [len(windows) for windows in parts.values()] == [5, 5, 5]


def test_the_table_gives_a_row_at_a_time_and_resumes(corpus, tmp_path):
    job = genre_table.Job(corpus, "filtered", tmp_path, CONFIG, GENRES)
    first, whole = list(genre_table.run(job, ["pooled_lda"]))
    assert "Pooled statistics + LDA" in first and first == whole
    row = genre_table.rows(job, ["pooled_lda"])[0]
    for column in ("plain", "augmented"):
        assert row[column]["n"] == {"train": 6, "valid": 6, "test": 6}
        assert sum(map(sum, row[column]["confusion"])) == 6
        assert all(0 <= row[column][part]["value"] <= 1 for part in ("train", "valid", "test"))
    assert len(list(genre_table.run(job, ["pooled_lda"]))) == 1  # nothing was trained again
    other = replace(job, config=replace(CONFIG, seed=1))
    assert not genre_table.rows(other, ["pooled_lda"])
    job.path("pooled_lda", "augmented").unlink()  # a run that was killed between the two columns
    plain = job.path("pooled_lda", "plain")
    before = plain.stat().st_mtime_ns
    assert list(genre_table.run(job, ["pooled_lda"]))[-1] == whole and plain.stat().st_mtime_ns == before


def test_leakage_is_measured_against_the_track_split(corpus):
    leak = genre_leak.measure(gtzan.tracks(corpus, GENRES).clips, CONFIG, GENRES, seeds=2, seconds=2.0)
    assert set(leak.scores) == {"filtered", "track", "leaky", "leaky minus track"}
    difference = leak.scores["leaky"]["value"] - leak.scores["track"]["value"]
    assert leak.scores["leaky minus track"]["value"] == pytest.approx(difference)
    assert 12 < leak.tracks <= 18  # those that were judged in some split


def test_leaky_split_rewards_memory_for_recordings(tmp_path):
    """Genres that sound alike and tracks that do not: by track nothing can be known, by window everything."""
    for genre in GENRES:
        for number in range(6):
            wave = piece("jazz", 3 * number + GENRES.index(genre), 8.0)
            audio.write(tmp_path / "genres" / genre / f"{genre}.{number:05d}.wav", wave, RATE)
    leak = genre_leak.measure(gtzan.tracks(tmp_path, GENRES).clips, CONFIG, GENRES, seeds=2, seconds=2.0)
    assert leak.scores["leaky minus track"]["low"] > 0.2


def test_ten_versions_of_training_tracks_and_of_no_others(corpus, tmp_path):
    out = tmp_path / "augmented"
    small = tmp_path / "small"
    for name in ("blues.00029.wav", "blues.00012.wav"):
        (small / "genres" / "blues").mkdir(parents=True, exist_ok=True)
        shutil.copy(corpus / "genres" / "blues" / name, small / "genres" / "blues")
    count, first = genre_augment.write(small, "filtered", out, seed=0)
    assert count == 10 and first.name == "blues.00029"
    names = gtzan.list_lines(out / "train_list.txt")
    assert len(names) == 10 and all("blues.00029" in name for name in names)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    (out / "genres" / "blues" / "blues.00029_noise.wav").unlink()
    genre_augment.write(small, "filtered", out, seed=0)
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    assert sum(before[path] != after[path] for path in after) == 1
    training = gtzan.split(gtzan.tracks(small).clips, "filtered")["train"]
    copies = genre_train.copies(out, training, "cnn_2d_4l", CONFIG, gtzan.GENRES)
    assert {clip.group for clip in copies} == {"blues.00029"}
    assert len({clip.name for clip in copies}) == 9
    with pytest.raises(InputError, match="corpus itself"):
        genre_augment.write(small, "filtered", small, seed=0)
