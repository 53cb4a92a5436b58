"""Splits by group, targets, clips as waveforms, and augmentation that depends on (seed, epoch, index) alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from note_folders import RATE, tone

from helpers import audio
from helpers.config import InputError
from helpers.datasets import base, nsynth
from helpers.datasets.base import AugmentedDataset, Clip, ClipDataset, grouped_folds, split_by_group, subset


def clips_of(groups_per_class: int = 10, classes: int = 4) -> list[Clip]:
    """Groups of 1 to 7 clips."""
    return [
        Clip(Path(f"{label}_{group}_{number}.wav"), (label,), f"{label}_{group}")
        for label in range(classes)
        for group in range(groups_per_class)
        for number in range(1 + (3 * label + group) % 7)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fractions", [(0.8, 0.2), (3, 1, 1), (0.5, 0.5)])
def test_no_group_stands_on_two_sides(fractions: tuple[float, ...], seed: int) -> None:
    clips = clips_of()
    parts = split_by_group(clips, fractions, seed)
    assert sorted(c.name for part in parts for c in part) == sorted(c.name for c in clips)
    sides = [set(base.groups(part)) for part in parts]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 40


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_on_every_side_in_its_share(seed: int) -> None:
    for part, share in zip(split_by_group(clips_of(), (0.6, 0.2, 0.2), seed), (6, 2, 2), strict=True):
        found = {clip.group: clip.labels[0] for clip in part}
        assert np.bincount(list(found.values())).tolist() == [share] * 4


def test_split_does_not_depend_on_the_order_of_the_clips() -> None:
    clips = clips_of()
    shuffled = [clips[i] for i in np.random.default_rng(0).permutation(len(clips))]
    for one, other in zip(split_by_group(clips, (3, 1)), split_by_group(shuffled, (3, 1)), strict=True):
        assert set(one) == set(other)


def test_split_depends_on_the_seed_and_on_nothing_global() -> None:
    first = split_by_group(clips_of(), (3, 1), seed=1)
    np.random.seed(0)
    assert split_by_group(clips_of(), (3, 1), seed=1) == first
    assert split_by_group(clips_of(), (3, 1), seed=2) != first


def test_a_class_of_one_group_and_clips_without_label_are_kept_whole() -> None:
    alone = [Clip(Path(f"{n}.wav"), (0,), "only") for n in range(3)] + [Clip(Path("noise.wav"), (), "none")]
    assert split_by_group(alone, (3, 1)) == [[alone[3], *alone[:3]], []]


@pytest.mark.parametrize("most", [4, 10, 40, 100])
def test_a_subset_keeps_shares_of_classes_and_as_many_groups_as_it_can(most: int) -> None:
    clips = clips_of()
    chosen = subset(clips, most, seed=3)
    assert len(chosen) == most == len(set(chosen))
    assert chosen == [clip for clip in clips if clip in chosen] and subset(clips, most, seed=3) == chosen
    everything, found = (np.bincount([clip.labels[0] for clip in some], minlength=4) for some in (clips, chosen))
    assert (np.abs(found - everything * most / len(clips)) <= 1).all()
    assert len({clip.group for clip in chosen}) == sum(np.minimum(found, 10))


def test_a_subset_differs_by_seed_and_is_all_clips_if_they_are_few() -> None:
    clips = clips_of()
    assert subset(clips, 20, seed=1) != subset(clips, 20, seed=2)
    assert subset(clips, len(clips)) == clips and subset(clips, 0) == []
    rare = [*clips, Clip(Path("rare.wav"), (9,), "rare")]
    assert rare[-1] in subset(rare, 5)


@pytest.mark.parametrize("seed", range(3))
def test_folds_keep_groups_whole_and_classes_in_their_shares(seed: int) -> None:
    clips = [clip for clip in clips_of() for _ in range(2)]
    labels, groups = [clip.labels[0] for clip in clips], base.groups(clips)
    fold = grouped_folds(labels, groups, 5, seed)
    assert set(fold) == set(range(5)) and len(fold) == len(clips)
    assert all(len(set(fold[groups == group])) == 1 for group in groups)
    assert all(len(set(np.array(labels)[fold == number])) == 4 for number in range(5))
    np.testing.assert_array_equal(fold, grouped_folds(labels, groups, 5, seed))


@pytest.mark.parametrize("n_splits", [-1, 0, 1, 4, 99])
def test_impossible_numbers_of_folds_are_bad_input(n_splits: int) -> None:
    with pytest.raises(InputError, match="choose from 2 to 3"):
        grouped_folds([0, 0, 0, 0], ["a", "b", "b", "c"], n_splits)


def test_targets_are_multi_hot() -> None:
    clips = [Clip(Path("a"), (0, 2), ""), Clip(Path("b"), (), ""), Clip(Path("c"), (1,), "")]
    np.testing.assert_array_equal(base.multi_hot(clips, 3), [[1, 0, 1], [0, 0, 0], [0, 1, 0]])


def test_clips_come_as_waveforms_of_one_length(tmp_path: Path) -> None:
    wave = tone(seconds=2.0)
    audio.write(tmp_path / "a.flac", wave, RATE)
    path = tmp_path / "a.flac"
    data = ClipDataset([Clip(path, (1,), "g"), Clip(path, (0,), "g", start=1.5), Clip(path, (0,), "g", 1.0, 0.25)],
                       2, RATE, 1.0)  # fmt: skip
    waveforms = [data[index][0] for index in range(3)]
    assert [len(w) for w in waveforms] == [RATE] * 3
    np.testing.assert_allclose(waveforms[0], wave[:RATE], atol=1e-4)
    np.testing.assert_allclose(waveforms[1][: RATE // 2], wave[RATE * 3 // 2 :], atol=1e-4)
    assert np.flatnonzero(waveforms[1]).max() < RATE // 2 and np.flatnonzero(waveforms[2]).max() < RATE // 4
    np.testing.assert_array_equal([data[index][1] for index in range(3)], [[0, 1], [1, 0], [1, 0]])


class Zeros:
    """Five silent items."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return np.zeros(4, np.float32), index


def test_augmentation_depends_on_seed_epoch_and_index_alone() -> None:
    def noise(waveform, rng):
        return waveform + rng.standard_normal(len(waveform))

    def heard(key: int, seed: int = 1) -> list[float]:
        return AugmentedDataset(Zeros(), noise, seed)[key][0].tolist()

    assert heard(13) == heard(13)  # epoch 2, index 3
    assert AugmentedDataset(Zeros(), noise, 1)[13][1] == 3
    assert len({tuple(wave) for wave in (heard(13), heard(8), heard(14), heard(13, seed=2))}) == 4
    assert AugmentedDataset(Zeros(), None, 1)[13][0].tolist() == [0, 0, 0, 0]


def test_fingerprint_of_clips_ignores_order_and_folder() -> None:
    clips = clips_of()
    moved = [Clip(Path("elsewhere") / c.path, c.labels, c.group) for c in reversed(clips)]
    assert base.clips_fingerprint(moved) == base.clips_fingerprint(clips)
    relabelled = [Clip(clips[0].path, (3,), clips[0].group), *clips[1:]]
    assert base.clips_fingerprint(relabelled) != base.clips_fingerprint(clips)


def test_data_are_labelled_by_where_they_lie_and_how_many_they_are(tmp_path: Path) -> None:
    assert [base.data_label(tmp_path, n, 10) for n in (10, 9, 11)] == ["official", "subset", "subset"]
    (tmp_path / base.DEMO_MARK).touch()
    assert base.data_label(tmp_path / "nsynth" / "nsynth-test", 10, 10) == "demo"


def test_locate_takes_the_first_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    assert base.locate(("a", "b"), tmp_path, "") == tmp_path / "b"
    with pytest.raises(InputError, match="holds none of a, c; get it from there"):
        base.locate(("a", "c"), tmp_path, "get it from there")


def test_report_reads_as_text() -> None:
    text = str(base.Report("NSynth", "subset", {"train": 3, "test": 1}, ["files are missing"], ["one note is noise"]))
    assert text.splitlines() == ["NSynth (subset): train 3, test 1", "  note: one note is noise",
                                 "  problem: files are missing"]  # fmt: skip
    assert "no problems found" in str(base.Report("NSynth", "official", {}))


def test_no_clips_is_bad_input() -> None:
    with pytest.raises(InputError, match="here: no clips found"):
        base.require([], "here")


def test_a_generated_corpus_that_is_linked_into_a_data_root_stays_demo(tmp_path: Path) -> None:
    (tmp_path / "made" / "nsynth").mkdir(parents=True)
    (tmp_path / "made" / base.DEMO_MARK).write_text("generated")
    root = tmp_path / "data"
    root.mkdir()
    assert nsynth.CORPUS.label(root, "test", 4_096) == "official"
    (root / "nsynth").symlink_to(tmp_path / "made" / "nsynth")
    assert nsynth.CORPUS.label(root, "test", 4_096) == "demo"
