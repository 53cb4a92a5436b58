"""The commands `irmas` and `predominant`, on recordings made here and on the tiny generated corpus."""

import json

import numpy as np
import pytest
import soundfile
import torch

from helpers.__main__ import main
from helpers.datasets import irmas
from helpers.experiments.irmas import ARGUMENTS, MEL, MODEL, TASK
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint

CLASSES = ["flu", "pia", "voi"]


def checkpoint(path, thresholds=()):
    """An untrained network whose bias always prefers piano, then voice."""
    torch.manual_seed(0)
    network = build(MODEL, len(CLASSES), **ARGUMENTS).eval()
    with torch.no_grad():
        network.head[-1].weight.zero_()
        network.head[-1].bias.copy_(torch.tensor([-2.0, 2.0, 1.0]))
    save_checkpoint(path, Checkpoint(TASK, MODEL, ARGUMENTS, CLASSES, MEL.sample_rate, irmas.SECONDS,
                                     network.state_dict(), list(thresholds)))
    return path


@pytest.fixture
def recordings(tmp_path):
    """A piano by its folder, flute and voice by a label file, one without any label; several rates and channels."""
    rng = np.random.default_rng(0)
    for name, rate, seconds, channels in (
        ("pia/a.wav", 96_000, 1.0, 1), ("test/b.wav", 44_100, 7.0, 2), ("test/c.wav", 22_050, 0.05, 1),
    ):  # fmt: skip
        path = tmp_path / "audio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal((round(rate * seconds), channels)), rate)
    (tmp_path / "audio" / "test" / "b.txt").write_bytes(b"FLU\t\r\nvoi\r\n")
    return tmp_path / "audio"


def test_predominant_prints_what_the_slides_print(recordings, tmp_path, capsys):
    weights = checkpoint(tmp_path / "irmas.pt")
    assert main(["predominant", "--audio", str(recordings), "--checkpoint", str(weights)]) == 0
    out = capsys.readouterr().out
    probability = np.exp(2) / (np.exp(-2) + np.exp(2) + np.exp(1))
    first, second, third, summary = out.split("🎵 ")[1:3] + out.split("🎵 ")[3].split("\n\n", 1)
    assert first.splitlines()[:5] == [
        "1/3 a.wav", "🎯 Ground truth: piano", f"🏆 Top prediction: piano ({probability:.4f})",
        "📊 Evaluation: ✅ CORRECT", "📈 Running accuracy: 1/1 = 100.0%",
    ]  # fmt: skip
    assert "🎯 Ground truth: flute, voice" in second
    assert "📊 Evaluation: ❌ INCORRECT" in second
    assert "📈 Running accuracy: 1/2 = 50.0%" in second
    assert "🎯 Ground truth: unknown" in third
    assert "Evaluation" not in third
    for line in ("Total files processed: 3", "Files with ground truth: 2", "Correct predictions: 1",
                 "Overall accuracy: 50.0%", "official test excerpts: 36.3%"):  # fmt: skip
        assert line in summary


def test_predict_lists_what_is_above_its_threshold(recordings, tmp_path, capsys):
    weights = checkpoint(tmp_path / "multi.pt", thresholds=[0.5, 0.5, 0.8])
    assert main(["irmas", "predict", "--audio", str(recordings / "pia"), "--checkpoint", str(weights)]) == 0
    assert capsys.readouterr().out.strip().endswith("a.wav: pia 0.88")


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda audio: (audio / "test" / "b.txt").write_text("kazoo"), "b.txt: line 1: 'kazoo'"),
        (lambda audio: (audio / "pia" / "a.wav").write_bytes(b""), "a.wav"),
        (lambda audio: soundfile.write(audio / "pia" / "a.wav", np.zeros(0), 8_000), "a.wav: holds no audio"),
    ],
)
def test_bad_input_is_one_line(recordings, tmp_path, capsys, break_it, fault):
    break_it(recordings)
    weights = checkpoint(tmp_path / "irmas.pt")
    assert main(["predominant", "--audio", str(recordings), "--checkpoint", str(weights)]) == 2
    error = capsys.readouterr().err
    assert fault in error
    assert error.count("\n") == 1


def test_missing_pieces_are_one_line(tmp_path, capsys):
    weights = checkpoint(tmp_path / "irmas.pt")
    for arguments in (
        ["predominant"],
        ["predominant", "--audio", str(tmp_path / "nowhere"), "--checkpoint", str(weights)],
        ["predominant", "--audio", str(tmp_path), "--checkpoint", str(tmp_path / "no.pt")],
        ["irmas", "predict", "--audio", str(tmp_path), "--checkpoint", str(weights)],
        ["irmas", "evaluate", "--data-root", str(tmp_path), "--checkpoint", str(weights)],
        ["irmas", "train", "--data-root", str(tmp_path)],
        ["predominant", "train", "--data-root", str(tmp_path)],
    ):
        assert main(arguments) == 2, arguments
        assert capsys.readouterr().err.count("\n") == 1, arguments


def test_train_and_evaluate_on_the_generated_corpus(demo_root, tmp_path, capsys):
    weights = tmp_path / "multi.pt"
    run_dir = ["--run-dir", str(tmp_path / "run")]
    root = ["--data-root", str(demo_root)]
    assert main(["irmas", "train", *root, "--epochs", "1", "--max-clips", "22", "--out", str(weights), *run_dir]) == 0
    assert "[001/001] train " in capsys.readouterr().out
    assert main(["irmas", "evaluate", *root, "--checkpoint", str(weights), "--out", str(tmp_path)]) == 0
    assert "IRMAS, demo, n=9, 3 tracks" in capsys.readouterr().out
    result = json.loads((tmp_path / "metrics" / "irmas_evaluation.json").read_text())
    assert result["data"] == "demo"
    assert result["n"] == 9
    assert set(result["scores"]["validation thresholds"]) == {"micro_f1", "macro_f1", "lrap", "hit_at_1"}
    assert "always voi" in result["baselines"]
    assert set(result["details"]["classes"]) == set(irmas.CODES)


def test_validate_says_demo_and_finds_nothing(demo_root, capsys):
    assert main(["irmas", "validate", "--data-root", str(demo_root)]) == 0
    assert "IRMAS (demo): train 44, test 9" in capsys.readouterr().out
