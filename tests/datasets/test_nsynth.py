"""NSynth as it comes: official folder, parent, bare audio folder, archive; and what cannot be a test set."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from note_folders import NAMES, example, write_examples, write_notes, write_split
from refusals import refused

from helpers.config import InputError
from helpers.datasets import nsynth
from helpers.datasets.archives import archive_members, sources

LABELS = [(0,), (2,), (3,), (6,), (9,), (10,)]


def pack(folder: Path, archive: Path) -> Path:
    """A tar file of a split folder, the way the official ones are packed."""
    with tarfile.open(archive, "w:gz" if archive.suffix == ".gz" else "w") as tar:
        tar.add(folder, folder.name)
    return archive


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_official_folder(tmp_path: Path, suffix: str) -> None:
    folder = write_split(tmp_path, suffix=suffix)
    clips = nsynth.read_folder(folder)
    assert [clip.name for clip in clips] == sorted(NAMES)
    assert [clip.labels for clip in clips] == LABELS
    assert [clip.path for clip in clips] == [folder / "audio" / f"{name}{suffix}" for name in sorted(NAMES)]
    assert clips[4].group == "synth_lead_synthetic_011"


@pytest.mark.parametrize("place", ["nsynth-test", "nsynth-test/audio", ".", "..", "bare"])
def test_the_same_notes_from_wherever_one_points(tmp_path: Path, place: str) -> None:
    root = tmp_path / "nsynth"
    write_split(root)
    write_notes(root / "bare")
    found = nsynth.read_folder(root / place)
    assert [(clip.name, clip.labels) for clip in found] == list(zip(sorted(NAMES), LABELS, strict=True))


def test_what_is_no_note_is_passed_over(tmp_path: Path) -> None:
    write_notes(tmp_path)
    for name in (".hidden-060-100.wav", "notes.txt", "cover.jpg"):
        (tmp_path / name).touch()
    assert len(nsynth.read_folder(tmp_path)) == len(NAMES)


@pytest.mark.parametrize("name", ["nsynth-test.jsonwav.tar.gz", "nsynth-test.tar", "other.tgz"])
def test_archive_is_read_without_unpacking(tmp_path: Path, name: str) -> None:
    folder = write_split(tmp_path / "unpacked")
    (folder / "audio" / "._copied.wav").touch()
    archive = pack(folder, tmp_path / name)
    assert "nsynth-test/audio/._copied.wav" in archive_members(archive)
    clips = nsynth.read_folder(archive)
    assert {(clip.name, clip.labels) for clip in clips} == set(zip(sorted(NAMES), LABELS, strict=True))
    for clip, content in zip(clips, sources(clips), strict=True):
        assert content == (folder / "audio" / f"{clip.name}.wav").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "unpacked"])


def test_archive_that_was_cut_off_is_told(tmp_path: Path) -> None:
    archive = pack(write_split(tmp_path / "unpacked"), tmp_path / "nsynth-test.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-5000])
    with pytest.raises(InputError, match=r"damaged or cut-off archive .* download it again"):
        nsynth.read_folder(archive)


def test_archive_without_notes_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    with pytest.raises(InputError, match="no clips found"):
        nsynth.read_folder(pack(tmp_path / "text", tmp_path / "a.tar"))


def test_splits_are_found_below_the_root_or_its_nsynth(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "nsynth", "valid")
    assert nsynth.find_split(tmp_path, "valid") == nsynth.find_split(tmp_path / "nsynth", "valid") == folder
    archive = pack(folder, tmp_path / "nsynth-train.jsonwav.tar.gz")
    assert nsynth.find_split(tmp_path, "train") == archive
    assert len(nsynth.clips(tmp_path, "valid")) == len(NAMES)
    with pytest.raises(InputError, match="holds no nsynth-test; get NSynth with `python -m helpers nsynth download`"):
        nsynth.clips(tmp_path, "test")


def test_families_may_be_given_by_index_alone(tmp_path: Path) -> None:
    write_notes(tmp_path / "audio", ("a", "b"))
    vocal, reed = {"instrument_family": 10, "instrument_str": "v"}, {"instrument_family_str": "reed"}
    write_examples(tmp_path, {"a": vocal, "b": reed})
    assert [(clip.labels, clip.group) for clip in nsynth.read_folder(tmp_path)] == [((10,), "v"), ((7,), "b")]


def test_listed_note_without_file_stays_in(tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    (folder / "audio" / f"{NAMES[0]}.wav").unlink()
    clips = nsynth.read_folder(folder)
    assert len(clips) == len(NAMES)
    assert not clips[0].path.exists() and clips[0].name == NAMES[0]


def test_surplus_file_is_not_a_note(tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    write_notes(folder / "audio", ("reed_acoustic_001-060-100",))
    assert len(nsynth.read_folder(folder)) == len(NAMES)


NOT_A_SPLIT = {
    "missing": (lambda f: None, "no such folder"),
    "empty": (lambda f: f.mkdir(), "no clips found"),
    "no audio": (lambda f: write_examples(_made(f), {NAMES[0]: example(NAMES[0])}), "names none of the 0 audio files"),
    "no labels": (lambda f: write_notes(f, ("note1", "note2")), "no label source"),
    "other family": (lambda f: write_notes(f, ("drum_acoustic_001-060-100",)), "family 'drum' is none of bass, brass"),
    "not JSON": (lambda f: _examples(f).write_text("{'a': 1}"), r"is not JSON \(line 1, column 2"),
    "a list": (lambda f: write_examples(write_split(f.parent), [1, 2]), "is not a dictionary of notes"),
    "no entries": (lambda f: write_examples(write_split(f.parent), {}), "no clips found"),
    "other data": (lambda f: write_examples(write_split(f.parent), {"a": {}}), "names none of the 6 audio files"),
    "other family listed": (lambda f: _relabel(f, instrument_family_str="drum"), "family 'drum' is none of"),
    "index too large": (lambda f: _relabel(f, instrument_family=11), "family 11 is none of"),
    "name says otherwise": (lambda f: _relabel(f, instrument_family_str="reed"), "bass and reed by its fields"),
    "index says otherwise": (lambda f: _relabel(f, instrument_family=7), "bass and reed by its fields"),
    "label of no kind": (lambda f: _relabel(f, instrument_family_str=["bass"]), r"family \['bass'\] is none of"),
    "climbs out": (lambda f: write_examples(write_split(f.parent), {NAMES[0]: example(NAMES[0]), "../../a": {}}),
                   "points outside"),
}  # fmt: skip


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _examples(folder: Path) -> Path:
    return write_split(folder.parent) / "examples.json"


def _relabel(folder: Path, **changes: object) -> None:
    write_split(folder.parent)
    write_examples(folder, {name: example(name) for name in NAMES} | {NAMES[0]: {**example(NAMES[0]), **changes}})


@pytest.mark.parametrize("kind", NOT_A_SPLIT)
def test_what_is_no_split_is_told_in_one_line(tmp_path: Path, kind: str) -> None:
    spoil, message = NOT_A_SPLIT[kind]
    folder = tmp_path / "nsynth-test"
    spoil(folder)
    with refused(message, "" if "outside" in message else tmp_path):
        nsynth.read_folder(folder)


def test_names_tell_family_instrument_source_and_pitch(tmp_path: Path) -> None:
    (lead,) = nsynth.read_folder(write_notes(tmp_path / "lead", ("synth_lead_synthetic_011-053-127",)))
    assert (lead.labels, lead.group) == ((9,), "synth_lead_synthetic_011")
    clips = nsynth.read_folder(write_notes(tmp_path, ("brass_acoustic_046-083-100", "brass_acoustic_046-084-100")))
    assert [nsynth.pitch_of(clip) for clip in clips] == [83, 84]
    assert {nsynth.kind_of(clip) for clip in clips} == {"brass_acoustic"}
    assert [nsynth.is_noise_only(clip) for clip in clips] == [False, True]
    assert nsynth.family_counts(clips) == {"brass": 2}


def test_published_counts_of_kinds_add_up() -> None:
    assert sum(nsynth.KIND_COUNTS.values()) == sum(nsynth.OFFICIAL.values()) == 305_979
    assert len(nsynth.KIND_COUNTS) == 33 and nsynth.KIND_COUNTS["synth_lead_synthetic"] == 5_501


def test_official_and_partial_sizes_are_told_apart(tmp_path: Path) -> None:
    notes = nsynth.read_folder(write_notes(tmp_path))
    assert nsynth.CORPUS.label(tmp_path, "test", len(notes)) == "subset"
    assert nsynth.CORPUS.label(tmp_path, "test", 1000 * len(notes)) == "subset"
    assert nsynth.CORPUS.label(tmp_path, "test", 4096) == "official"


def test_real_notes(shared_data: Path) -> None:
    notes = {split: nsynth.clips(shared_data, split) for split in nsynth.OFFICIAL}
    assert set(nsynth.family_counts(notes["test"])) == set(nsynth.FAMILIES) - {"synth_lead"}
    kinds = {nsynth.kind_of(clip) for clips in notes.values() for clip in clips}
    assert kinds <= {kind for kind, count in nsynth.KIND_COUNTS.items() if count}
    trained = {clip.group for clip in notes["train"]}
    assert not trained & {clip.group for split in ("valid", "test") for clip in notes[split]}
    noise = [clip for clips in notes.values() for clip in clips if nsynth.is_noise_only(clip)]
    assert {clip.group for clip in noise} == {"brass_acoustic_046"}
    assert np.ptp([nsynth.pitch_of(clip) for clip in notes["train"]]) > 60


def test_training_notes_that_are_also_in_another_split_are_dropped(tmp_path: Path) -> None:
    first, second = (f"mallet_acoustic_{number}-{pitch}-100" for number, pitch in (("000", "068"), ("047", "068")))
    train = write_notes(tmp_path / "train", (*NAMES, first, "mallet_acoustic_000-070-100"))
    test = write_notes(tmp_path / "test", (NAMES[0], second))  # NAMES[0] is identical too, but no known twin
    (test / f"{second}.wav").write_bytes((train / f"{first}.wav").read_bytes())
    notes, others = nsynth.read_folder(train), nsynth.read_folder(test)
    kept = [clip.name for clip in nsynth.without_twins(notes, others)]
    assert kept == sorted({clip.name for clip in notes} - {first})
    (test / f"{second}.wav").write_bytes(b"damaged")
    assert nsynth.without_twins(notes, others) == notes
