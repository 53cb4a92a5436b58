"""Splits given by list files: parts, genres of stimuli, tracks in both lists, paths that climb out."""

import pytest
from genre_pieces import GENRES, RATE, piece, write

from helpers import audio
from helpers.config import InputError
from helpers.experiments import genre_files, genre_table
from helpers.experiments.genres import GenreConfig

TRAINING = {"blues": (0, 1, 12, 13), "jazz": (2, 3, 73, 74), "metal": (0, 1, 12, 13)}
TEST = {"blues": (29,), "jazz": (0,), "metal": (2,)}


def lines(numbers):
    return "\n".join(f"{genre}/{genre}.{n:05d}.wav" for genre, tracks in numbers.items() for n in tracks)


@pytest.fixture
def corpus(tmp_path):
    """Eighteen tracks and two lists."""
    write(tmp_path)
    (tmp_path / "train_list.txt").write_text(lines(TRAINING), encoding="utf-8")
    (tmp_path / "test_list.txt").write_text(lines(TEST), encoding="utf-8")
    return tmp_path


@pytest.fixture
def stimuli(tmp_path):
    """Fifteen-second stimuli named by their place in the experiment, and two lists of them."""
    for part, numbers, column in (("Train", (1, 2, 3, 5), 12), ("Test", (4,), 6)):
        names = [f"run_dataset/{genre}/{part}_run-{column:02d}-{10 * g + n:02d}_{genre}.{n:05d}_15s.wav"
                 for g, genre in enumerate(GENRES) for n in numbers]
        for name in names:
            genre, number = name.split("_")[-2].split(".")
            audio.write(tmp_path / name, piece(genre, int(number), 15.0), RATE)
        (tmp_path / f"{part.lower()}_list.txt").write_text("\n".join(names), encoding="utf-8")
    return tmp_path


def test_lists_of_tracks_give_the_parts(corpus):
    parts = genre_files.listed_parts(corpus, GENRES, seed=0)
    assert sorted(clip.name for clip in parts["test"]) == ["blues.00029", "jazz.00000", "metal.00002"]
    dealt = {part: {clip.group for clip in clips} for part, clips in parts.items()}
    assert len(dealt["train"]) == 9 and len(dealt["valid"]) == 3
    assert not dealt["train"] & dealt["valid"] and not (dealt["train"] | dealt["valid"]) & dealt["test"]


def test_stimuli_are_recognised_by_their_names_and_labelled_by_the_chosen_genres(stimuli):
    parts = genre_files.listed_parts(stimuli, ("metal", "jazz"), seed=0)
    assert {clip.group: clip.labels for clip in parts["test"]} == {"jazz.00004": (1,), "metal.00004": (0,)}


@pytest.mark.parametrize("kind", ["corpus", "stimuli"])
def test_a_model_trains_by_lists(kind, request, tmp_path):
    root = request.getfixturevalue(kind)
    config = GenreConfig(workers=0, pooled_windows=((3.0, 3.0),))
    job = genre_table.Job(root, "lists", tmp_path / "m.pt", config, GENRES)
    printed = genre_files.train_checkpoint("pooled_lda", job, False, None, "")
    assert "lists split of GTZAN (subset)" in printed and "test: 100.0% [" in printed and "of 3 tracks" in printed


def test_a_track_in_both_lists_is_refused(corpus):
    (corpus / "test_list.txt").write_text("blues.00012.wav", encoding="utf-8")
    with pytest.raises(InputError, match=r"blues\.00012 stands in train_list.txt too"):
        genre_files.listed_parts(corpus, GENRES, seed=0)


@pytest.mark.parametrize(("folder", "complaint"), [("../", "outside of"), ("", "not there")])
def test_stimuli_outside_of_the_folder_or_missing_are_refused(stimuli, folder, complaint):
    (stimuli / "test_list.txt").write_text(f"{folder}Test_run-06-01_blues.00009_15s.wav", encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        genre_files.listed_parts(stimuli, GENRES, seed=0)


def test_without_lists_the_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"train_list\.txt: no such file"):
        genre_files.listed_parts(tmp_path, GENRES, seed=0)
