"""Training on a toy: repeatable, resumable to the same weights, keeps its best epoch, stops early, freezes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toy_training import Tones, config, toy_model

from helpers.augmentation.mixing import Mixup
from helpers.augmentation.spectral import SpecAugment
from helpers.training.fit import fit, trainer_precision
from helpers.training.module import History

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"\[(\d{3})/(\d{3})\] train \d+\.\d{4}/[01]\.\d{4} \| val \d+\.\d{4}/[01]\.\d{4} \| time \d+\.\d+s")


class Killed(BaseException):
    """Stands for the power cut."""


FUSE = [10**9]  # so many items are augmented before the run is killed


def noisy(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Augmentation that shows whether its draws are repeated."""
    FUSE[0] -= 1
    if FUSE[0] < 0:
        raise Killed
    return (waveform + rng.normal(0, 0.05, len(waveform))).astype(np.float32)


def trained(run_dir: Path | None = None, **changes: object) -> tuple[nn.Module, History]:
    """A toy model after training with everything that is random."""
    model = toy_model()
    history = fit(model, Tones(24), Tones(12, seed=1), config(**changes), augment=noisy, batch_augment=Mixup(),
                  spec_augment=SpecAugment(), run_dir=run_dir)  # fmt: skip
    return model, history


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether all weights and statistics are bit-identical."""
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def numbers(history: History) -> list[tuple]:
    return [(e.train_loss, e.train_score, e.valid_loss, e.valid_score) for e in history.epochs]


def valid_loss(model: nn.Module, data: Tones) -> float:
    with torch.inference_mode():
        return float(nn.functional.cross_entropy(model(torch.from_numpy(data.waves)), torch.from_numpy(data.targets)))


def test_it_learns() -> None:
    model = toy_model()
    history = fit(model, Tones(64), Tones(32, seed=1), config(epochs=6, learning_rate=0.003))
    assert history.epochs[-1].train_loss < 0.5 * history.epochs[0].train_loss
    assert history.epochs[history.best].valid_loss < 0.5 * history.epochs[0].valid_loss
    assert history.epochs[history.best].valid_score >= 0.9
    assert not model.training and next(model.parameters()).device.type == "cpu"


def test_one_seed_one_result() -> None:
    torch.manual_seed(123)  # what was drawn before does not matter
    first, history = trained(epochs=2)
    torch.manual_seed(456)
    again, history_again = trained(epochs=2)
    assert same(first, again)
    assert numbers(history) == numbers(history_again)
    other, _ = trained(epochs=2, seed=1)
    assert not same(first, other)


def killed(run_dir: Path, items: int, **changes: object) -> None:
    """A toy run that is killed after so many items."""
    FUSE[0] = items
    with pytest.raises(Killed):
        trained(run_dir, **changes)
    FUSE[0] = 10**9


@pytest.mark.parametrize("items", [24, 24 * 2 + 13], ids=["after the first epoch", "amid the third epoch"])
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, items: int) -> None:
    whole, history = trained(epochs=4, schedule="cosine")
    killed(tmp_path, items, epochs=4, schedule="cosine")
    resumed, resumed_history = trained(tmp_path, epochs=4, schedule="cosine")
    assert numbers(resumed_history) == numbers(history)
    assert resumed_history.best == history.best
    assert same(resumed, whole)


def test_a_run_goes_on_with_reading_processes_too(tmp_path: Path) -> None:
    """They read ahead: from the first batch on it must be the epoch that comes next."""
    whole, history = trained(epochs=3, workers=1)
    killed(tmp_path, 24 * 2 + 5, epochs=3)  # how many processes read does not matter
    resumed, resumed_history = trained(tmp_path, epochs=3, workers=1)
    assert numbers(resumed_history) == numbers(history)
    assert same(resumed, whole)


def test_a_finished_run_is_not_run_again(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    first, history = trained(tmp_path, epochs=2)
    capsys.readouterr()
    FUSE[0] = 0
    again, history_again = trained(tmp_path, epochs=2)
    FUSE[0] = 10**9
    assert same(first, again) and numbers(history_again) == numbers(history)
    assert capsys.readouterr().out == ""


class Swapped(Tones):
    """Wrong labels: the better the training, the worse the validation."""

    def __init__(self, n: int, seed: int) -> None:
        super().__init__(n, seed)
        self.targets = self.targets[:, ::-1].copy()


@pytest.mark.parametrize("monitor", ["loss", "score"])
def test_stops_early_and_keeps_the_best_epoch(tmp_path: Path, monitor: str) -> None:
    model, valid = toy_model(), Swapped(12, seed=1)
    history = fit(model, Tones(24), valid, config(epochs=20, patience=2, monitor=monitor), run_dir=tmp_path)
    scores = history.curve(f"valid_{monitor}")
    assert history.best == (np.argmin(scores) if monitor == "loss" else np.argmax(scores))
    assert len(scores) == history.best + 1 + 2 < 20
    assert valid_loss(model, valid) == pytest.approx(history.epochs[history.best].valid_loss, rel=1e-4)
    again = toy_model()
    resumed = fit(again, Tones(24), valid, config(epochs=20, patience=2, monitor=monitor), run_dir=tmp_path)
    assert same(model, again) and len(resumed.epochs) == len(scores)


def test_one_readable_line_an_epoch(capsys: pytest.CaptureFixture) -> None:
    trained(epochs=3)
    lines = capsys.readouterr().out.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert [LINE.fullmatch(line).groups() for line in lines] == [("001", "003"), ("002", "003"), ("003", "003")]


def test_the_line_counts_right(capsys: pytest.CaptureFixture) -> None:
    model, valid = toy_model(), Tones(12, seed=1)
    history = fit(model, Tones(24), valid, config(epochs=1))
    assert history.epochs[0].valid_loss == pytest.approx(valid_loss(model, valid), rel=1e-4)
    assert f"| val {history.epochs[0].valid_loss:.4f}/{history.epochs[0].valid_score:.4f} |" in capsys.readouterr().out


def test_the_encoder_stays_frozen_and_thaws(capsys: pytest.CaptureFixture) -> None:
    fresh = toy_model()
    frozen, _ = trained(epochs=2, freeze_epochs=2)
    assert same(fresh.encoder, frozen.encoder)  # running statistics too
    assert not same(fresh.head, frozen.head)
    assert "unfrozen" not in capsys.readouterr().out
    thawed, _ = trained(epochs=2, freeze_epochs=1)
    assert not same(fresh.encoder, thawed.encoder)
    out = capsys.readouterr().out
    assert out.count("epoch 2: encoder unfrozen for fine-tuning") == 1


def test_what_came_with_the_encoder_is_kept_after_a_resume(tmp_path: Path) -> None:
    """Killed while frozen: the encoder is as it came, and goes on being trained when its time comes."""
    whole, history = trained(epochs=3, freeze_epochs=2)
    killed(tmp_path, 24 + 5, epochs=3, freeze_epochs=2)
    resumed, resumed_history = trained(tmp_path, epochs=3, freeze_epochs=2)
    assert numbers(resumed_history) == numbers(history)
    assert same(whole, resumed)


@pytest.mark.parametrize("loss", ["bce", "focal", "asymmetric"])
def test_every_loss_and_smoothing_goes_through(loss: str) -> None:
    _, history = trained(epochs=1, loss=loss, label_smoothing=0.1)
    assert np.isfinite(numbers(history)).all()


def test_label_smoothing_raises_the_floor_of_the_training_loss() -> None:
    plain, smooth = (fit(toy_model(), Tones(24), Tones(12), config(epochs=1, learning_rate=0.0, label_smoothing=share))
                     for share in (0.0, 1.0))  # fmt: skip
    assert smooth.epochs[0].train_loss != pytest.approx(plain.epochs[0].train_loss)
    assert smooth.epochs[0].valid_loss == pytest.approx(plain.epochs[0].valid_loss)  # validation is never smoothed


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs libuv, which torch lacks on Windows")
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": path}
    run = subprocess.run([*torchrun, str(Path(__file__).with_name("toy_training.py")), str(tmp_path)],
                         env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["valid_loss"] == second["valid_loss"]
    assert np.isfinite(first["valid_loss"]).all() and min(first["valid_loss"]) < 0.8 * first["valid_loss"][0]
    assert first["batches"] == second["batches"] == 4 * 32 // 2 // 8  # each process hears half of the epoch
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in first["weights"])
    assert len([line for line in run.stdout.splitlines() if LINE.fullmatch(line)]) == 4  # one process speaks


def test_mixed_precision_is_used_where_the_processor_computes_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for capability, precision in ({"avx512_bf16": True}, "bf16-mixed"), ({"avx512": True}, "32-true"), ({}, "32-true"):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda capability=capability: capability)
        assert trainer_precision() == precision


def test_a_long_training_says_how_long(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(toy_model(), Tones(128), Tones(8), config(epochs=2))
    assert "about" not in capsys.readouterr().out
    monkeypatch.setattr("helpers.training.module.WORTH_SAYING_S", 0.0)
    fit(toy_model(), Tones(128), Tones(8), config(epochs=2))
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"about \d+ min for 2 epochs, 32 batches in all", said[0])
    assert [line[:9] for line in said[1:]] == ["[001/002]", "[002/002]"]
