"""GTZAN: names, faulty files, the three protocols, list files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers import audio
from helpers.config import InputError
from helpers.datasets import gtzan
from helpers.datasets.gtzan import filtered_tracks


@pytest.fixture
def corpus(tmp_path):
    """Ten tracks of 7 s in two genres, alternately .wav and .au."""
    generator = np.random.default_rng(0)
    for genre in ("blues", "jazz"):
        for number in range(5):
            suffix = "au" if number % 2 else "wav"
            waveform = 0.1 * generator.standard_normal(7 * 8000)
            audio.write(tmp_path / "genres" / genre / f"{genre}.{number:05d}.{suffix}", waveform, 8000)
    return tmp_path


def test_tracks_of_both_formats_carry_genre_group_and_length(corpus):
    found = gtzan.tracks(corpus)
    assert [clip.group for clip in found.clips[:5]] == [f"blues.{n:05d}" for n in range(5)]
    assert {clip.labels for clip in found.clips} == {(0,), (5,)}
    assert all(clip.duration == pytest.approx(7.0) for clip in found.clips)
    assert not found.skipped


def test_a_subset_of_genres_has_its_own_label_numbers(corpus):
    found = gtzan.tracks(corpus, gtzan.EIGHT_GENRES)
    assert {clip.labels for clip in found.clips} == {(gtzan.EIGHT_GENRES.index("jazz"),)}
    with pytest.raises(InputError, match="polka"):
        gtzan.tracks(corpus, ("polka",))


def test_unreadable_short_and_foreign_files_are_left_out_by_name(corpus):
    folder = corpus / "genres" / "jazz"
    (folder / "jazz.00054.wav").write_bytes(b"this is not audio")
    (folder / "jazz.00055.wav").write_bytes(b"")
    audio.write(folder / "jazz.00056.wav", np.zeros(800), 8000)
    (folder / "._jazz.00001.au").write_bytes(b"Mac OS X")
    (folder / "notes.txt").write_text("x")
    found = gtzan.tracks(corpus)
    assert len(found.clips) == 10
    assert [Path(line.split(": ")[0]).name for line in found.skipped] == [f"jazz.000{n}.wav" for n in (54, 55, 56)]
    problems = gtzan.validate(corpus).problems
    assert sum("jazz.00054.wav" in line for line in problems) == 1
    assert all("\n" not in line for line in problems)


def test_a_damaged_copy_does_not_hide_a_good_one(corpus):
    folder = corpus / "genres" / "jazz"
    (folder / "jazz.00000.au").write_bytes(b"cut off")  # read before jazz.00000.wav
    audio.write(folder / "jazz.00001.wav", np.full(8000, 0.1), 8000)  # read after jazz.00001.au
    found = gtzan.tracks(corpus)
    assert [clip.path.name for clip in found.clips if clip.labels == (5,)][:2] == ["jazz.00000.wav", "jazz.00001.au"]
    assert len(found.clips) == 10
    assert not found.skipped


def test_augmented_copies_share_the_group_of_their_track(corpus):
    audio.write(corpus / "genres" / "jazz" / "jazz.00001_noise.wav", np.full(8000, 0.1), 8000)
    by_name = {clip.name: clip.group for clip in gtzan.tracks(corpus).clips}
    assert by_name["jazz.00001_noise"] == by_name["jazz.00001"] == "jazz.00001"


def test_windows_lie_inside_what_is_heard(corpus):
    track = gtzan.tracks(corpus).clips[0]
    cut = gtzan.windows([track], seconds=2.0, hop=2.0, used=30.0)
    assert [clip.start for clip in cut] == [0.0, 2.0, 4.0]
    assert {clip.duration for clip in cut} == {2.0}
    assert [clip.start for clip in gtzan.windows([track], 4.0, 1.5, 30.0)] == [0.0, 1.5, 3.0]
    assert len(gtzan.windows([track], 2.0, 2.0, used=4.5)) == 2
    assert len(gtzan.windows([track], 30.0, 30.0, 30.0)) == 1


def test_track_protocol_keeps_tracks_whole_and_leaky_does_not(corpus):
    windows = gtzan.windows(gtzan.tracks(corpus).clips, 1.0, 1.0, 30.0)
    for protocol, shared in (("track", False), ("leaky", True)):
        parts = gtzan.split(windows, protocol, seed=1)
        assert sum(map(len, parts.values())) == len(windows)
        groups = {part: {clip.group for clip in dealt} for part, dealt in parts.items()}
        assert bool(groups["train"] & groups["test"]) is shared
    with pytest.raises(InputError, match="random"):
        gtzan.split(windows, "random")


def test_leaky_split_deals_about_seventy_fifteen_fifteen(corpus):
    windows = gtzan.windows(gtzan.tracks(corpus).clips, 0.5, 0.5, 30.0)
    parts = gtzan.split(windows, "leaky")
    assert len(parts["train"]) / len(windows) == pytest.approx(0.70, abs=0.02)
    assert len(parts["test"]) / len(windows) == pytest.approx(0.15, abs=0.02)


def test_filtered_lists_have_the_published_sizes_and_are_disjoint():
    parts = filtered_tracks()
    assert {part: len(names) for part, names in parts.items()} == gtzan.FILTERED
    assert max(Counter(name for names in parts.values() for name in names).values()) == 1
    assert "jazz.00054" in parts["train"]


def test_filtered_lists_equal_the_published_ones(shared_data):
    for part, names in filtered_tracks().items():
        assert names == {Path(line).stem for line in gtzan.list_lines(shared_data / "gtzan" / f"{part}_filtered.txt")}


def test_filtered_protocol_follows_the_lists(corpus):
    parts = gtzan.split(gtzan.tracks(corpus).clips, "filtered")
    assert {clip.group for clip in parts["valid"]} == {f"blues.{n:05d}" for n in range(5)} | {
        f"jazz.{n:05d}" for n in (2, 3, 4)}
    assert {clip.group for clip in gtzan.clips(corpus, "train")} == {"jazz.00000", "jazz.00001"}


def test_list_files_choose_clips_in_their_order(corpus, tmp_path):
    clips = gtzan.tracks(corpus).clips
    list_file = tmp_path / "train_list.txt"
    list_file.write_text("jazz/jazz.00002.wav\n\nsomewhere\\blues\\blues.00001.au\n")
    assert [clip.name for clip in gtzan.listed(clips, list_file)] == ["jazz.00002", "blues.00001"]
    list_file.write_text("rock/rock.00000.wav\n")
    with pytest.raises(InputError, match="line 1"):
        gtzan.listed(clips, list_file)
    with pytest.raises(InputError, match="no such file"):
        gtzan.listed(clips, tmp_path / "missing.txt")


def test_a_folder_without_genres_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="genre download"):
        gtzan.tracks(tmp_path)


def test_real_clips_are_complete(shared_data):
    report = gtzan.validate(shared_data)
    assert report.counts["tracks"] == 60
    assert report.data == "subset"
    assert not report.problems
