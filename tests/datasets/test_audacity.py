"""Known answers for Audacity label tracks: taken in, written, and told apart from what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from film_files import source, tone, write_sources

from helpers import audio
from helpers.config import InputError
from helpers.datasets import audacity, films_checks

TRACK = "0.300000\t0.900000\terhu\n1.000000\t1,500000\tErhu, pipa @0.7 # far away\n\\\t440\t880\n1.6\t1.9\tnone\n"


def test_labels_become_segments(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(TRACK, encoding="utf-8-sig")
    assert audacity.read(path) == [
        {"start": 0.3, "end": 0.9, "instruments": ["erhu"], "certainty": 1.0, "comment": ""},
        {"start": 1.0, "end": 1.5, "instruments": ["erhu", "pipa"], "certainty": 0.7, "comment": "far away"},
        {"start": 1.6, "end": 1.9, "instruments": [], "certainty": 1.0, "comment": ""},
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    audacity.write(tmp_path / "labels.txt", [(0.3, 0.9, "erhu"), (1.25, 2.0, "gong @0.6")])
    assert [(s["start"], s["end"], s["instruments"], s["certainty"]) for s in audacity.read(tmp_path / "labels.txt")] == [
        (0.3, 0.9, ["erhu"], 1.0), (1.25, 2.0, ["gong"], 0.6)]


def test_taken_into_a_sources_file_that_passes_the_check(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(TRACK, encoding="utf-8")
    for number, name in enumerate("ab"):
        audio.write(tmp_path / f"{name}.wav", tone(440 + number, 2.0, 16_000), 16_000)
    listed = write_sources(tmp_path / "s.json", source("a"))
    about = {key: value for key, value in source("b").items() if key != "segments"}
    for _ in range(2):  # the second time it is replaced
        assert audacity.take_in(tmp_path / "labels.txt", listed, about) == 3
    sources, _ = films_checks.read(listed, tmp_path)
    assert [(one.id, len(one.segments)) for one in sources.sources] == [("a", 1), ("b", 3)]


def test_a_sources_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(TRACK, encoding="utf-8")
    audacity.take_in(tmp_path / "labels.txt", tmp_path / "new.json", {"id": "b"})
    assert json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))["version"] == 1


@pytest.mark.parametrize(("text", "message"), [
    ("1\t2\terhu\n3\t3\tgong\nx\ty\tpipa\n", "line 2, 3"), ("only text\n", "line 1"), ("", "no labels"),
    ("1\t2\t@0.5\n", "line 1"), ("1\t2\terhu @much\n", "line 1"),
])
def test_what_is_no_label_track_is_told_with_its_lines(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        audacity.read(tmp_path / "labels.txt")


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        audacity.read(tmp_path / "labels.txt")
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        audacity.read(tmp_path / "labels.txt")
