"""`python -m helpers nsynth`: from folders of notes to a checkpoint that inference.py takes; and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from inference_call import infer
from note_folders import NAMES, write_notes, write_split

from helpers.__main__ import main
from helpers.datasets.nsynth import FAMILIES, TASK
from helpers.evaluation import results as metrics
from helpers.experiments import hybrid
from helpers.experiments import nsynth as study
from helpers.models.checkpoint import load_checkpoint

TRAIN = tuple(f"{family}_acoustic_10{n}-060-100" for family in FAMILIES[:3] for n in range(2))
RECIPE = ("--epochs", "1", "--workers", "0")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three small splits of different instruments."""
    root = tmp_path / "corpus"
    for split, names in (("train", TRAIN), ("valid", NAMES), ("test", NAMES)):
        write_split(root, split, names)
    write_notes(root / "nsynth-valid" / "audio", NAMES, seconds=0.4)  # else the same as those of the test
    write_notes(root / "nsynth-train" / "audio", TRAIN, seconds=0.3)
    return root


def test_training_gives_a_checkpoint_for_inference(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "new" / "nsynth.pt"
    places = ("--data-root", str(corpus), "--out", str(out), "--run-dir", str(tmp_path / "runs"))
    command = ["nsynth", "train", *places, "--members", "2", "--compression", "linear", *RECIPE]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.count("[001/001] train ") == 2
    assert "valid (subset, n=6): top-1" in said and "test (subset, n=6): top-1" in said
    assert infer("--test_dir", corpus, "--checkpoint", out).out.startswith("notes: 6\ntop-1 accuracy: ")
    before = out.read_bytes()
    assert main(command) == 0
    assert "[001/001]" not in capsys.readouterr().out  # both are trained already
    assert out.read_bytes() == before


def test_log_mel_is_averaged_with_note_statistics_and_judged_on_instruments_left_out(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, places = tmp_path / "nsynth.pt", ("--data-root", str(corpus), "--run-dir", str(tmp_path / "runs"))
    assert main(["nsynth", "train", *places, "--out", str(out), *RECIPE]) == 0
    stored = load_checkpoint(out, TASK)
    assert [member["name"] for member in stored.arguments["members"]] == ["compact_cnn", "note_statistics"]
    assert set(stored.scores) == {"valid", "valid, kinds weighted as in all of NSynth", "test"}
    report = ("--checkpoint", str(out), "--out", str(tmp_path / "report"))
    capsys.readouterr()
    assert main(["nsynth", "crossvalidate", *places, "--folds", "2", *report, *RECIPE]) == 0
    printed = capsys.readouterr().out
    assert printed.count("[001/001] train ") == 2  # validation notes are those of the checkpoint
    assert "instruments left out, weighted by kind (n=12): top-1" in printed
    result = metrics.read(tmp_path / "report" / "metrics" / "03_crossvalidation.json")
    assert (result.n, result.groups, result.data) == (12, 12, "subset")
    alone = result.details["shares"]["1.0"]["top1"]["value"], result.details["shares"]["0.0"]["top1"]["value"]
    assert alone == tuple(result.details["weighted"][part]["top1"]["value"] for part in ("CNN", "statistics"))


def test_linear_mel_is_cross_validated_alone_and_beside_the_other(corpus: Path, tmp_path: Path) -> None:
    places = ("--data-root", str(corpus), "--run-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "report"))
    assert main(["nsynth", "crossvalidate", *places, "--folds", "2", "--compression", "linear", *RECIPE]) == 0
    result = metrics.read(tmp_path / "report" / "metrics" / "03_crossvalidation_linear.json")
    assert list(result.scores) == list(result.details["weighted"]) == ["CNN"]
    assert "--compression linear" in result.command and result.command.count("checkpoints/nsynth_linear.pt") == 1
    assert set(result.details["expected"]) == {"top1", "top3"}


def test_networks_are_compared_and_found_again_for_the_same_notes_only(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ("--data-root", str(corpus), "--run-dir", str(tmp_path / "runs"), "--out", str(tmp_path))
    assert main(["nsynth", "networks", *places, "--channels", "2", *RECIPE]) == 0
    result = metrics.read(tmp_path / hybrid.NETWORKS_FILE)
    assert tuple(result.scores) == tuple(result.details["networks"]) == hybrid.NETWORKS
    assert "--channels 2" in result.command
    monkeypatch.setattr(hybrid, "REPORT", tmp_path)
    notes = study.load_notes(corpus)
    assert hybrid.stored_networks(notes) == result
    assert hybrid.stored_networks(replace(notes, train=notes.train[1:])) is None


def test_validation_tells_problems_by_its_exit_code(corpus: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["nsynth", "validate", "--data-root", str(corpus)]) == 0
    assert "no problems found" in capsys.readouterr().out
    (corpus / "nsynth-test" / "audio" / f"{NAMES[0]}.wav").unlink()
    assert main(["nsynth", "validate", "--data-root", str(corpus)]) == 1
    assert "problem: test: 1 files are missing" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["train", "crossvalidate", "validate"])
def test_missing_data_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, action: str) -> None:
    assert main(["nsynth", action, "--data-root", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"error: {tmp_path}: holds no nsynth-train") and err.count("\n") == 1


def test_unknown_model_is_one_line(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    places = ("--data-root", str(corpus), "--run-dir", str(tmp_path / "runs"))
    assert main(["nsynth", "train", *places, "--model", "resnet_999", *RECIPE]) == 2
    assert "model 'resnet_999': unknown; choose one of" in capsys.readouterr().err
