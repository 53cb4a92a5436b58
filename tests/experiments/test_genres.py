"""The genre study: votes, folds, nested cross-validation, protocols, the table that resumes, augmented copies."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from genre_pieces import GENRES, RATE, piece, write

from helpers import audio
from helpers.config import InputError
from helpers.datasets import fmri, gtzan
from helpers.datasets.base import Clip
from helpers.experiments import genre_files, genre_table, genres
from helpers.experiments.genres import GenreConfig, Setting
from helpers.models.checkpoint import load_checkpoint

CONFIG = GenreConfig(epochs=1, batch_size=4, workers=0, pooled_windows=((3.0, 3.0),))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gtzan"))


@pytest.fixture(scope="module")
def tracks(corpus):
    return gtzan.tracks(corpus, GENRES).clips


@pytest.fixture(scope="module")
def checkpoint(corpus, tmp_path_factory):
    """A checkpoint of the pooled model trained on all of the corpus, and what was printed."""
    path = tmp_path_factory.mktemp("checkpoint") / "gtzan.pt"
    job = genre_table.Job(corpus, "all", path, CONFIG, GENRES)
    printed = genre_files.train_checkpoint("pooled_lda", job, False, None, "")
    return path, printed


def test_windows_of_a_track_vote_by_mean_log_probability():
    clips = [Clip(Path(f"{name}.wav"), (label,), name) for name, label in (("b", 1), ("a", 0), ("b", 1))]
    logits = np.log([[0.6, 0.4], [0.9, 0.1], [0.1, 0.9]])
    votes = genres.vote(logits, clips)
    assert votes.tracks.tolist() == ["a", "b"]
    assert votes.labels.tolist() == [0, 1]
    np.testing.assert_allclose(votes.scores[1], np.log([[0.6, 0.4], [0.1, 0.9]]).mean(axis=0))
    assert votes.accuracy()["value"] == 1.0
    assert votes.likelihood == pytest.approx((np.log(0.9) + (np.log(0.4) + np.log(0.9)) / 2) / 2)


@pytest.mark.parametrize(("by_block", "count"), [(False, 6), (True, 3)])
def test_folds_hold_tracks_or_their_neighbours_together(tracks, by_block, count):
    fold = dict(zip((clip.group for clip in tracks), genre_table.folds(tracks, 10, by_block, seed=0), strict=True))
    assert len(set(fold.values())) == count
    for genre in GENRES:
        own = [fold[track] for track in sorted(fold) if track.startswith(genre)]
        assert sorted(own) == sorted([*range(count)] * (6 // count))
        assert not by_block or own[::2] == own[1::2]  # three runs of two neighbours


def test_a_network_trains_by_the_lists_and_its_tracks_vote(corpus, tmp_path):
    job = genre_table.Job(corpus, "filtered", tmp_path / "m.pt", replace(CONFIG, window_s=1.5), GENRES)
    printed = genre_files.train_checkpoint("cnn_2d_4l", job, True, None, "genre train --augment")
    assert "filtered split of GTZAN (subset): trained on 6 tracks" in printed
    assert "test: " in printed and "of 6 tracks" in printed and "baseline (most frequent genre): 33.3%" in printed
    loaded = load_checkpoint(tmp_path / "m.pt", "gtzan")
    assert loaded.network() and loaded.command == "genre train --augment" and loaded.data["recipe"]["epochs"] == 1


def test_nested_cross_validation_separates_what_differs_audibly(checkpoint):
    path, printed = checkpoint
    assert "single tracks held out" in printed and "runs of neighbouring numbers held out" in printed
    assert printed.count("100.0% [") == 2 and printed.count("of 18 tracks") == 2
    assert path.stat().st_size < 20e6


def test_a_setting_is_chosen_without_the_fold_that_judges_it(tracks, monkeypatch):
    fitted, judged = [], []
    solved, vote = genres.solved, genres.vote
    monkeypatch.setattr(genres, "solved", lambda setting, windows, *rest: (
        fitted.append({clip.group for clip in windows}), solved(setting, windows, *rest))[1])
    monkeypatch.setattr(genres, "vote", lambda logits, windows: (
        judged.append({clip.group for clip in windows}), vote(logits, windows))[1])
    candidates = genres.settings("pooled_lda", CONFIG)
    votes, chosen = genre_table.cross_validate(candidates, tracks, CONFIG, len(GENRES))
    assert len(candidates) == 3 and len(chosen) == 6 and sorted(votes.tracks) == sorted(clip.group for clip in tracks)
    each = len(fitted) // 6  # inner folds of all candidates, then the outer fold, six times
    assert each == 1 + 3 * 5 and len(fitted) == len(judged) == 6 * each
    for start in range(0, 6 * each, each):
        held_out = judged[start + each - 1]
        assert not held_out & set().union(*fitted[start : start + each], *judged[start : start + each - 1])


def test_of_equally_accurate_settings_the_likelier_is_chosen(tracks, monkeypatch):
    sure, unsure = Setting("pooled_lda", 3.0, 3.0), Setting("pooled_lda", 3.0, 3.0, shrinkage=1.0)

    def voted(candidates, clips, *rest):
        labels, right = np.array([clip.labels[0] for clip in clips]), 0.9 if candidates == [sure] else 0.4
        scores = np.log(np.where(np.eye(3, dtype=bool)[labels], right, 0.05))
        return genres.Votes(np.array([clip.group for clip in clips]), scores, labels), candidates

    monkeypatch.setattr(genre_table, "cross_validate", voted)
    assert genre_table.choose([unsure, sure], tracks, CONFIG, 3) == sure


def test_too_few_windows_are_refused_and_choose_nothing(tracks):
    few = [next(clip for clip in tracks if clip.labels == (label,)) for label in range(3)]
    candidates = [Setting("pooled_lda", 7.0, 7.0, shrinkage) for shrinkage in (0.1, 0.6)]
    assert genre_table.choose(candidates, few, CONFIG, 3) == candidates[0]
    with pytest.raises(InputError, match="3 training windows"):
        genres.solved(candidates[0], genres.windows_of(few, candidates[0]), CONFIG, 3)


def test_networks_need_validation_tracks():
    with pytest.raises(InputError, match="--split filtered"):
        genre_table.nested(genres.settings("cnn_2d_4l", CONFIG), [], CONFIG, 3)


def test_unknown_models_and_empty_parts_are_refused(corpus, tmp_path):
    with pytest.raises(InputError, match="cnn_2d_4l"):
        genres.model_of("cnn")
    with pytest.raises(InputError, match="no valid tracks"):
        _ = genre_table.Job(corpus, "track", tmp_path, replace(CONFIG, max_tracks=1), GENRES).parts


def test_a_budget_limits_training_and_never_what_is_judged(tracks):
    parts = gtzan.split(tracks, "filtered")
    config = replace(CONFIG, max_windows=5, window_s=1.5)
    (setting,) = genres.settings("scattering_svm", config)
    trained = genres.train("scattering_svm", setting, parts, config, 3)
    assert len(trained.train) == 5 and len({clip.labels for clip in trained.train}) == 3
    votes = genres.votes(trained, setting, parts)
    assert [len(votes[part].tracks) for part in ("valid", "test")] == [6, 6]
    assert set(votes["train"].tracks) == {clip.group for clip in trained.train}


def test_ablations_differ_from_the_network_in_one_thing():
    base = CONFIG.arguments("cnn_2d_4l")
    assert CONFIG.arguments("cnn_2d_4l_no_fc") == base | {"hidden": 0}
    assert CONFIG.arguments("cnn_2d_4l_3_conv") == base | {"channels": (32, 64, 128)}
    (whole,) = genres.settings("cnn_2d_4l_1024", CONFIG)
    assert whole.window_s * 22_050 == pytest.approx(1024 * 512)


def test_the_table_gives_a_row_at_a_time_and_resumes(corpus, tmp_path):
    job = genre_table.Job(corpus, "filtered", tmp_path, CONFIG, GENRES)
    first, whole = list(genre_table.run(job, ["pooled_lda"]))
    assert "Pooled statistics + LDA" in first and first == whole
    row = genre_table.row_of(job, "pooled_lda")
    for column in ("plain", "augmented"):
        assert row[column]["n"] == {"train": 6, "valid": 6, "test": 6}
        assert sum(map(sum, row[column]["confusion"])) == 6
        assert all(0 <= row[column][part]["value"] <= 1 for part in ("train", "valid", "test"))
    assert len(list(genre_table.run(job, ["pooled_lda"]))) == 1  # nothing was trained again
    other = replace(job, config=replace(CONFIG, seed=1))
    assert not other.path("pooled_lda", "plain").is_file()
    job.path("pooled_lda", "augmented").unlink()  # a run that was killed between the two columns
    plain = job.path("pooled_lda", "plain")
    before = plain.stat().st_mtime_ns
    assert list(genre_table.run(job, ["pooled_lda"]))[-1] == whole and plain.stat().st_mtime_ns == before


def scores(valid, likelihood=0.0, test=0.5):
    return {"valid": {"value": valid}, "likelihood": likelihood, "test": {"value": test, "low": 0, "high": 1},
            "train": {"value": 1.0}, "parameters": 1}


def test_the_headline_is_the_best_on_validation_of_both_columns_and_never_looks_at_test():
    rows = [{"model": m, "name": m, "plain": plain, "augmented": augmented} for m, plain, augmented in (
        ("a", scores(0.6, -1.0, test=0.99), scores(0.7, -0.9)),
        ("b", scores(0.7, -0.5, test=0.2), scores(0.5)),
        ("c", scores(0.7, -0.8), scores(0.2, test=1.0)),
    )]  # fmt: skip
    row, column = genre_table.best(rows)
    assert (row["name"], column) == ("b", "plain")
    assert [row["name"] for row in genre_table.by_validation(rows)] == ["b", "c", "a"]


def test_the_documents_figures_stand_beside_ours():
    row = {"model": "cnn_2d_4l", "name": "4L-2D CNN", "plain": scores(0.6), "augmented": scores(0.7)}
    line = genre_table.table([row]).loc["4L-2D CNN"]
    assert line[genre_table.DOCUMENT] == "0.93 / 0.62 / 0.95 / 0.77 / 0.83"


def test_leakage_is_measured_against_the_track_split(corpus, tmp_path):
    job = genre_table.Job(corpus, "track", tmp_path, CONFIG, GENRES)
    found, windows, judged = genre_table.protocols(job, seeds=2)
    assert set(found) == {"filtered", "track", "leaky", "leaky minus track"}
    assert found["leaky minus track"]["value"] == pytest.approx(found["leaky"]["value"] - found["track"]["value"])
    assert 12 < judged <= 18 < windows  # tracks that were judged in some split


def test_leaky_split_rewards_memory_for_recordings(tmp_path):
    """Genres that sound alike and tracks that do not: by track nothing can be known, by window everything."""
    for genre in GENRES:
        for number in range(6):
            wave = piece("jazz", 3 * number + GENRES.index(genre), 8.0)
            audio.write(tmp_path / "genres" / genre / f"{genre}.{number:05d}.wav", wave, RATE)
    found, _, _ = genre_table.protocols(genre_table.Job(tmp_path, "track", tmp_path, CONFIG, GENRES), seeds=2)
    assert found["leaky minus track"]["low"] > 0.2


def test_ten_versions_of_training_tracks_and_of_no_others(corpus, tmp_path):
    out, small = tmp_path / "augmented", tmp_path / "small"
    for name in ("blues.00029.wav", "blues.00012.wav"):
        (small / "genres" / "blues").mkdir(parents=True, exist_ok=True)
        shutil.copy(corpus / "genres" / "blues" / name, small / "genres" / "blues")
    count, first = genre_files.write_augmented(small, "filtered", out, seed=0)
    assert count == 10 and first.name == "blues.00029"
    names = gtzan.list_lines(out / "train_list.txt")
    assert len(names) == 10 and all("blues.00029" in name for name in names)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    (out / "genres" / "blues" / "blues.00029_noise.wav").unlink()
    genre_files.write_augmented(small, "filtered", out, seed=0)
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    assert sum(before[path] != after[path] for path in after) == 1
    training = gtzan.split(gtzan.tracks(small).clips, "filtered")["train"]
    copies = genre_files.copies(out, training, gtzan.GENRES)
    assert {clip.group for clip in copies} == {"blues.00029"}
    assert len({clip.name for clip in copies}) == 9
    with pytest.raises(InputError, match="corpus itself"):
        genre_files.write_augmented(small, "filtered", small, seed=0)


def test_the_whole_experiment_gives_4800_training_rows_and_240_test_rows(tmp_path):
    """Stimuli of a twentieth of a second in all 40 x 12 and 40 x 6 places; a test track is heard four times."""
    wave = 0.1 * np.sin(np.arange(1102) / 5)
    for part, columns in fmri.COLUMNS.items():
        for place in range(40 * columns):
            track = place if part == "train" else 480 + place % 60
            name = f"{part.title()}_run-{place // 40 + 1:02d}-{place % 40 + 1:02d}"
            genre = gtzan.GENRES[track % 10]
            folder = tmp_path / "in" / "run_dataset" / genre
            audio.write(folder / f"{name}_{genre}.{track // 10:05d}_15s.wav", wave, RATE)
    count, _ = genre_files.write_augmented(tmp_path / "in", "filtered", tmp_path / "out", seed=0)
    lists = {part: gtzan.list_lines(tmp_path / "out" / f"{part}_list.txt") for part in fmri.COLUMNS}
    assert count == len(lists["train"]) == len(set(lists["train"])) == 4800 and len(set(lists["test"])) == 240
    table = fmri.order_table([name for name in lists["train"] if name.endswith("15s.wav")], "train")
    assert table.shape == (40, 12) and (table != "").all()
    parts = genre_files.listed_parts(tmp_path / "out", gtzan.GENRES, seed=0)
    assert len(parts["train"]) + len(parts["valid"]) == 4800 and len(parts["test"]) == 240
