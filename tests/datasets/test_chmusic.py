"""ChMusic as it comes: names, splits by piece, clips of five seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from film_files import tone

from helpers import audio
from helpers.config import InputError
from helpers.datasets import chmusic


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two instruments with five pieces of eleven seconds."""
    for instrument in (1, 11):
        for piece in range(1, 6):
            audio.write(tmp_path / "ChMusic" / f"{instrument}.{piece}.wav", tone(440, 11.0, 8_000), 8_000)
    (tmp_path / "ChMusic" / "notes.txt").write_text("read me", encoding="utf-8")
    return tmp_path


def test_pieces_one_to_four_train_and_five_tests(corpus: Path) -> None:
    train, test = chmusic.clips(corpus, "train"), chmusic.clips(corpus, "test")
    assert (len(train), len(test)) == (2 * 4 * 2, 2 * 2)
    assert {clip.group for clip in train} == {f"{i}.{p}" for i in (1, 11) for p in (1, 2, 3, 4)}
    assert {clip.group for clip in test} == {"1.5", "11.5"}
    assert {(clip.start, clip.duration) for clip in test} == {(0.0, 5.0), (5.0, 5.0)}
    assert {chmusic.CLASSES[clip.labels[0]] for clip in train} == {"erhu", "sheng"}


def test_solos_are_labelled_for_another_vocabulary(corpus: Path) -> None:
    found = chmusic.solos(corpus, ["gong", "erhu"])
    assert [(clip.group, clip.labels) for clip in found] == [(f"1.{piece}", (1,)) for piece in (1, 2, 3, 4)]


def test_validation_names_what_is_missing(corpus: Path) -> None:
    (corpus / "ChMusic" / "1.3.wav").unlink()
    report = chmusic.validate(corpus)
    assert report.data == "subset" and report.counts == {"pieces": 9, "train clips": 14, "test clips": 4}
    assert "erhu: pieces [3] are missing" in report.problems[0] and len(report.problems) == 10


def test_damage_is_a_problem_not_a_crash(corpus: Path) -> None:
    (corpus / "ChMusic" / "1.5.wav").write_bytes(b"nothing")
    assert any("1.5.wav" in problem for problem in chmusic.validate(corpus).problems)


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="get ChMusic"):
        chmusic.clips(tmp_path, "train")


def test_the_generated_corpus(demo_root: Path) -> None:
    assert chmusic.CORPUS.label(demo_root, "pieces", 55) == "demo"
    assert {clip.labels[0] for clip in chmusic.clips(demo_root, "test")} == set(range(11))
    assert chmusic.validate(demo_root).problems == []
