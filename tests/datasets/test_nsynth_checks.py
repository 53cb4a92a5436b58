"""`validate` names what is missing, surplus, unreadable, only noise, or in two splits."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from note_folders import NAMES, write_notes, write_split

from helpers.config import InputError
from helpers.datasets.nsynth import validate

TRAIN = ("bass_acoustic_001-040-100", "reed_acoustic_002-050-100")
PITCHED = tuple(f"keyboard_electronic_00{n}-060-100" for n in range(6))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three splits without a fault; the notes of each have their own pitches."""
    write_split(tmp_path, "test", NAMES)
    write_split(tmp_path, "valid", (*NAMES, "string_acoustic_003-060-100"))
    write_split(tmp_path, "train", (*PITCHED, *PITCHED[:1], *TRAIN))
    for split, number in (("valid", 6), ("train", 8)):  # other lengths, so that no two notes are the same
        write_notes(tmp_path / f"nsynth-{split}" / "audio", _names(tmp_path, split), seconds=0.1 * number)
    return tmp_path


def _names(root: Path, split: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (root / f"nsynth-{split}" / "audio").iterdir()))


def test_a_sound_corpus_has_no_problems(corpus: Path) -> None:
    report = validate(corpus)
    assert report.problems == []
    assert report.data == "subset"
    assert report.counts == {"train": 8, "valid": 7, "test": 6}
    assert "train: bass 1, keyboard 6, reed 1" in report.notes


def test_missing_and_surplus_files_are_named(corpus: Path) -> None:
    audio = corpus / "nsynth-test" / "audio"
    (audio / f"{NAMES[0]}.wav").rename(audio / "bass_electronic_019-040-100.wav")
    missing, surplus, unreadable = validate(corpus).problems
    assert missing == f"test: 1 files are missing ({NAMES[0]}); unpack the archive again"
    assert surplus == "test: 1 files are not in examples.json (bass_electronic_019-040-100); remove them"
    assert "1 notes cannot be read" in unreadable and "no such file" in unreadable


def test_identical_notes_across_splits_are_named(corpus: Path) -> None:
    shutil.copy(corpus / "nsynth-train/audio" / f"{TRAIN[0]}.wav", corpus / "nsynth-test/audio" / f"{NAMES[1]}.wav")
    (problem,) = validate(corpus).problems
    assert problem.startswith(f"1 notes are bit-identical to one of another split ({NAMES[1]} = {TRAIN[0]} of train)")


def test_identical_notes_within_a_split_are_no_problem(corpus: Path) -> None:
    audio = corpus / "nsynth-test" / "audio"
    shutil.copy(audio / f"{NAMES[0]}.wav", audio / f"{NAMES[1]}.wav")
    assert validate(corpus).problems == []


def test_instruments_of_train_in_other_splits_are_named(corpus: Path) -> None:
    shutil.rmtree(corpus / "nsynth-valid")
    write_split(corpus, "valid", ("reed_acoustic_002-099-025",))
    write_notes(corpus / "nsynth-valid" / "audio", ("reed_acoustic_002-099-025",), seconds=0.3)
    (problem,) = validate(corpus).problems
    assert problem == "valid: 1 instruments are in train too (reed_acoustic_002); scores would be too good"


def test_noise_only_notes_are_noted(corpus: Path) -> None:
    shutil.rmtree(corpus / "nsynth-test")
    write_split(corpus, "test", ("brass_acoustic_046-083-100", "brass_acoustic_046-103-075"))
    report = validate(corpus)
    assert report.notes[-1] == "test: 1 notes of only noise (brass_acoustic_046-103-075)"
    assert report.problems == []


def test_unreadable_notes_are_named(corpus: Path) -> None:
    path = corpus / "nsynth-valid" / "audio" / f"{NAMES[2]}.wav"
    path.write_bytes(b"not audio")
    (problem,) = validate(corpus).problems
    assert problem.startswith(f"1 notes cannot be read (valid: {path}: cannot be read as audio")


def test_long_lists_are_cut(corpus: Path) -> None:
    for name in PITCHED:
        (corpus / "nsynth-train" / "audio" / f"{name}.wav").unlink()
    assert validate(corpus).problems[0].startswith("train: 6 files are missing (keyboard_electronic_000-060-100, ")
    assert "004-060-100, …)" in validate(corpus).problems[0]


def test_nothing_to_check_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no nsynth-train, nsynth-valid or nsynth-test"):
        validate(tmp_path)


def test_real_notes_are_sound(shared_data: Path) -> None:
    report = validate(shared_data)
    assert not [problem for problem in report.problems if "bit-identical" not in problem]
    assert any("notes of only noise (brass_acoustic_046" in note for note in report.notes)
