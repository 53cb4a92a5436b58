"""Known answers for labels of Audacity, Praat and ELAN: taken in, written, and told apart from what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from film_files import source, tone, write_sources

from helpers import audio
from helpers.config import InputError
from helpers.datasets import film_checks as films_checks
from helpers.datasets import film_sources as label_files

TRACK = "0.300000\t0.900000\terhu\n1.000000\t1,500000\tErhu, pipa @0.7 # far away\n\\\t440\t880\n1.6\t1.9\tnone\n"


def test_labels_become_segments(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(TRACK, encoding="utf-8-sig")
    assert label_files.read_labels(path) == [
        {"start": 0.3, "end": 0.9, "instruments": ["erhu"], "certainty": 1.0, "comment": ""},
        {"start": 1.0, "end": 1.5, "instruments": ["erhu", "pipa"], "certainty": 0.7, "comment": "far away"},
        {"start": 1.6, "end": 1.9, "instruments": [], "certainty": 1.0, "comment": ""},
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    label_files.write_audacity(tmp_path / "labels.txt", [(0.3, 0.9, "erhu"), (1.25, 2.0, "gong @0.6")])
    found = label_files.read_labels(tmp_path / "labels.txt")
    assert [(s["start"], s["end"], s["instruments"], s["certainty"]) for s in found] == [
        (0.3, 0.9, ["erhu"], 1.0), (1.25, 2.0, ["gong"], 0.6)]


def test_taken_into_a_sources_file_that_passes_the_check(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(TRACK, encoding="utf-8")
    for number, name in enumerate("ab"):
        audio.write(tmp_path / f"{name}.wav", tone(440 + number, 2.0, 16_000), 16_000)
    listed = write_sources(tmp_path / "s.json", source("a"))
    about = {key: value for key, value in source("b").items() if key != "segments"}
    for _ in range(2):  # the second time it is replaced
        assert label_files.take_in(tmp_path / "labels.txt", listed, about) == 3
    sources, _ = films_checks.read(listed, tmp_path)
    assert [(one.id, len(one.segments)) for one in sources.sources] == [("a", 1), ("b", 3)]


def test_a_sources_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(TRACK, encoding="utf-8")
    label_files.take_in(tmp_path / "labels.txt", tmp_path / "new.json", {"id": "b"})
    assert json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))["version"] == 1


PRAAT = """File type = "ooTextFile"
Object class = "TextGrid"
xmin = 0
xmax = 4
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "strings"
        xmin = 0
        xmax = 4
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "erhu # „far"" away"
        intervals [2]:
            xmin = 1.25
            xmax = 4
            text = ""
    item [2]:
        class = "IntervalTier"
        name = "others"
        xmin = 0
        xmax = 4
        intervals: size = 1
        intervals [1]:
            xmin = 0.5
            xmax = 2
            text = "gong @0.5"
"""
ELAN = """<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/></TIME_ORDER>
<TIER TIER_ID="any"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>Erhu, pipa</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_praat_tiers_are_laid_over_each_other(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.TextGrid").write_text(PRAAT, encoding=encoding)
    assert label_files.read_labels(tmp_path / "a.TextGrid") == [
        {"start": 0.0, "end": 1.25, "instruments": ["erhu"], "certainty": 1.0, "comment": '„far" away'},
        {"start": 0.5, "end": 2.0, "instruments": ["gong"], "certainty": 0.5, "comment": ""},
    ]


def test_elan_annotations_have_times_in_milliseconds(tmp_path: Path) -> None:
    (tmp_path / "a.eaf").write_text(ELAN, encoding="utf-8")
    (segment,) = label_files.read_labels(tmp_path / "a.eaf")
    assert (segment["start"], segment["end"], segment["instruments"]) == (0.5, 2.0, ["erhu", "pipa"])


@pytest.mark.parametrize(("name", "text", "message"), [
    ("a.TextGrid", '"ooTextFile"\n"TextGrid"\n0\n4', "Save as text file"), ("a.eaf", "<ANNOTATION", "cannot be read"),
    ("a.eaf", ELAN.replace('REF2="ts2"', 'REF2="ts1"'), "annotation a1"), ("a.csv", "", "is not a label file"),
])
def test_other_files_are_refused_in_words(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        label_files.read_labels(tmp_path / name)


@pytest.mark.parametrize(("text", "message"), [
    ("1\t2\terhu\n3\t3\tgong\nx\ty\tpipa\n", "line 2, line 3"), ("only text\n", "line 1"), ("", "no labels"),
    ("1\tinf\terhu\n", "line 1"), ("nan\t2\terhu\n", "line 1"), ("1\t1e300\terhu\n", "line 1"),
    ("1\t2\terhu @1.2.3\n", "line 1"), ("1\t2\t@0.5\n", "line 1"), ("1\t2\terhu @much\n", "line 1"),
])
def test_what_is_no_label_track_is_told_with_its_lines(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        label_files.read_labels(tmp_path / "labels.txt")


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        label_files.read_labels(tmp_path / "labels.txt")
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfa\x00")
    with pytest.raises(InputError, match="cannot be read"):
        label_files.read_labels(tmp_path / "labels.txt")
