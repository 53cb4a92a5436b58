"""inference.py: the lines it ends with, the files it writes, every kind of folder and audio, and what it loads."""

from __future__ import annotations

import csv
import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from inference_call import infer, loaded, program
from note_folders import NAMES, RATE, tone, write_checkpoint, write_notes, write_split
from note_folders import checkpoint as a_checkpoint

from helpers.datasets.nsynth import FAMILIES


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A checkpoint with random weights."""
    torch.manual_seed(0)
    return write_checkpoint(tmp_path / "model.pt")


@pytest.fixture
def oracle(tmp_path: Path) -> Path:
    """A checkpoint that always says guitar, then organ, then bass, whatever it hears."""
    state = a_checkpoint().state
    state["head.1.weight"].zero_()
    state["head.1.bias"] = torch.tensor([1.0, 0, 0, 3.0, 0, 0, 2.0, 0, 0, 0, 0])
    return write_checkpoint(tmp_path / "oracle.pt", state=state)


def rows_of(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_ends_with_exactly_these_lines(oracle: Path, tmp_path: Path) -> None:
    found = infer("--test_dir", write_split(tmp_path), "--checkpoint", oracle)
    assert found.code == 0
    assert found.out == "notes: 6\ntop-1 accuracy: 16.67%\ntop-3 accuracy: 50.00%\n"


def test_absent_families_are_told_on_stderr(oracle: Path, tmp_path: Path) -> None:
    write_split(tmp_path, names=[name for name in NAMES if "synth_lead" not in name])
    found = infer("--test_dir", tmp_path, "--checkpoint", oracle)
    assert "without a note in this test set: brass, keyboard, mallet, reed, string, synth_lead\n" in found.err
    assert found.out == "notes: 5\ntop-1 accuracy: 20.00%\ntop-3 accuracy: 60.00%\n"


def test_unreadable_notes_are_named_counted_and_wrong(oracle: Path, tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    flute, guitar = (folder / "audio" / f"{name}.wav" for name in NAMES[1:3])
    guitar.write_bytes(b"not audio")
    flute.unlink()
    found = infer("--test_dir", folder, "--checkpoint", oracle, "--json", tmp_path / "s.json", "--batch_size", 2)
    assert found.code == 0
    assert found.out == "notes: 6\nunreadable: 2\ntop-1 accuracy: 0.00%\ntop-3 accuracy: 33.33%\n"
    assert f"{guitar}: cannot be read" in found.err and f"{flute}: no such file" in found.err
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["unreadable"] == list(NAMES[1:3])
    assert np.sum(scores["confusion_matrix"]) == 4
    assert scores["top1_by_family"]["guitar"] == 0


def test_json_holds_all_scores(oracle: Path, tmp_path: Path) -> None:
    write_split(tmp_path)
    infer("--test_dir", tmp_path, "--checkpoint", oracle, "--json", tmp_path / "new" / "s.json")
    scores = json.loads((tmp_path / "new" / "s.json").read_text())
    assert scores["n"] == 6 and scores["classes"] == list(FAMILIES)
    assert scores["top1"] == pytest.approx(1 / 6) and scores["top3"] == pytest.approx(1 / 2)
    assert scores["top1_by_family"] == {"bass": 0, "flute": 0, "guitar": 1, "organ": 0, "synth_lead": 0, "vocal": 0}
    matrix = np.array(scores["confusion_matrix"])
    assert matrix[:, 3].tolist() == [1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1] and matrix.sum() == 6
    assert scores["checkpoint"]["model"] == "compact_cnn" and scores["checkpoint"]["seed"] == 3
    assert re.fullmatch("[0-9a-f]{16}", scores["data_fingerprint"])
    assert scores["unreadable"] == []


def test_fingerprints_tell_other_notes_and_other_weights(oracle: Path, model: Path, tmp_path: Path) -> None:
    write_split(tmp_path / "all")
    write_split(tmp_path / "some", names=NAMES[:3])
    scores = []
    for root, checkpoint in (("all", oracle), ("all", oracle), ("some", oracle), ("all", model)):
        infer("--test_dir", tmp_path / root, "--checkpoint", checkpoint, "--json", tmp_path / "s.json")
        scores.append(json.loads((tmp_path / "s.json").read_text()))
    assert scores[0] == scores[1]
    assert scores[0]["data_fingerprint"] != scores[2]["data_fingerprint"]
    assert scores[0]["checkpoint"]["fingerprint"] != scores[3]["checkpoint"]["fingerprint"]


def test_predictions_are_a_line_a_note(oracle: Path, tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    (folder / "audio" / f"{NAMES[0]}.wav").write_bytes(b"not audio")
    infer("--test_dir", folder, "--checkpoint", oracle, "--predictions", tmp_path / "p.csv")
    head, *rows = rows_of(tmp_path / "p.csv")
    assert ",".join(head) == "file,true_family,family_1,probability_1,family_2,probability_2,family_3,probability_3"
    assert rows[0] == [f"{NAMES[0]}.wav", "bass"]
    assert rows[1][:2] == [f"{NAMES[1]}.wav", "flute"]
    assert rows[1][2::2] == ["guitar", "organ", "bass"]
    odds = np.exp([3, 2, 1])
    assert [float(p) for p in rows[1][3::2]] == pytest.approx(odds / (odds.sum() + 8), abs=1e-4)
    assert len(rows) == 6


def test_confusion_matrix_is_drawn(model: Path, tmp_path: Path) -> None:
    write_split(tmp_path)
    found = infer("--test_dir", tmp_path, "--checkpoint", model, "--confusion_matrix", tmp_path / "c.png")
    assert found.code == 0
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_same_answers_from_folder_bare_folder_and_archive(model: Path, tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    with tarfile.open(tmp_path / "nsynth-test.jsonwav.tar.gz", "w:gz") as tar:
        tar.add(folder, "nsynth-test")
    answers = []
    for place in (folder, folder / "audio", tmp_path, tmp_path / "nsynth-test.jsonwav.tar.gz"):
        found = infer("--test_dir", place, "--checkpoint", model, "--predictions", tmp_path / "p.csv")
        assert found.out.startswith("notes: 6\ntop-1")
        answers.append(sorted([row[0].rsplit("/", 1)[-1], *row[1:]] for row in rows_of(tmp_path / "p.csv")))
    assert all(other == answers[0] for other in answers)


def test_every_sample_rate_channel_count_and_depth(model: Path, tmp_path: Path) -> None:
    """The same sound in every format gets the same answer."""
    kinds = {16_000: ("PCM_16", 1), 44_100: ("PCM_24", 2), 48_000: ("FLOAT", 1), 96_000: ("PCM_16", 6),
             8_000: ("PCM_U8", 1)}  # fmt: skip
    for rate, (subtype, channels) in kinds.items():
        wave = np.tile(tone(300.0, 4.5, rate)[:, None], (1, channels))
        soundfile.write(tmp_path / f"bass_acoustic_001-{rate // 1000:03d}-100.wav", wave, rate, subtype=subtype)
    found = infer("--test_dir", tmp_path, "--checkpoint", model, "--predictions", tmp_path / "p.csv")
    assert found.out.startswith("notes: 5\ntop-1")
    assert len({row[2] for row in rows_of(tmp_path / "p.csv")[1:]}) == 1


def test_short_notes_are_padded_and_long_ones_cut(model: Path, tmp_path: Path) -> None:
    wave, silence = tone(300.0, 4.0), np.zeros(3 * RATE, np.float32)
    notes = [wave, np.append(wave, tone(2_000.0, 3.0)), wave[:RATE], np.append(wave[:RATE], silence), wave[:1]]
    for number, note in enumerate(notes):
        soundfile.write(tmp_path / f"bass_acoustic_001-00{number}-100.wav", note, RATE)
    found = infer("--test_dir", tmp_path, "--checkpoint", model, "--predictions", tmp_path / "p.csv")
    assert found.out.startswith("notes: 5\ntop-1")
    answers = [row[1:] for row in rows_of(tmp_path / "p.csv")[1:]]
    assert answers[0] == answers[1] and answers[2] == answers[3]


def test_a_whole_run_loads_no_training_library(model: Path, tmp_path: Path) -> None:
    write_split(tmp_path)
    outputs = ("--json", tmp_path / "s.json", "--predictions", tmp_path / "p.csv")
    run = program("--test_dir", tmp_path, "--checkpoint", model, *outputs)
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"notes: 6\ntop-1 accuracy: \d+\.\d\d%\ntop-3 accuracy: \d+\.\d\d%\n", run.stdout)
    assert "torch" in loaded(run)
    assert not loaded(run) & {"librosa", "lightning", "sklearn", "pandas", "matplotlib", "scipy", "torchvision", "av"}


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_notes_without_labels_get_predictions_but_no_accuracies(oracle: Path, tmp_path: Path, kind: str) -> None:
    place = write_notes(tmp_path / "notes", ("note 1", "note 2"))
    (place / "note 3.wav").write_bytes(b"not audio")
    if kind == "archive":
        with tarfile.open(tmp_path / "notes.tar.gz", "w:gz") as tar:
            for path in sorted(place.iterdir()):
                tar.add(path, path.name)
        place = tmp_path / "notes.tar.gz"
    found = infer("--test_dir", place, "--checkpoint", oracle, "--predictions", tmp_path / "p.csv")
    assert found.code == 0
    assert found.out == (
        "notes: 3\nunreadable: 1\nno accuracies: neither names nor examples.json tell the families\n"
    )
    rows = rows_of(tmp_path / "p.csv")[1:]
    assert [row[:3] for row in rows] == [["note 1.wav", "", "guitar"], ["note 2.wav", "", "guitar"], ["note 3.wav", ""]]
    for more in ((), ("--predictions", tmp_path / "q.csv", "--json", tmp_path / "q.json")):
        found = infer("--test_dir", place, "--checkpoint", oracle, *more)
        assert (found.code, found.out) == (2, "") and "no label source" in found.err
    assert not (tmp_path / "q.csv").exists()


def test_outputs_may_be_devices(oracle: Path, tmp_path: Path) -> None:
    run = program("--test_dir", write_split(tmp_path), "--checkpoint", oracle, "--predictions", "/dev/stdout")
    assert run.returncode == 0
    assert run.stdout.startswith("file,true_family,") and run.stdout.endswith("top-3 accuracy: 50.00%\n")
