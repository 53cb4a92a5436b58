"""Whose state is gone on from: same run, another recipe, other data; damaged state, full disk, hopeless training."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toy_training import MEL, Tones, config, toy_model

from helpers.augmentation.mixing import Mixup
from helpers.config import InputError
from helpers.models import build
from helpers.training import state
from helpers.training.fit import fit
from helpers.training.module import History
from helpers.training.state import digest, state_folder

PARTS = {"recipe": "1", "model": "1", "data": "1", "augmentation": "1", "code": "1"}


def run(run_dir: Path, seed: int = 0, n: int = 16, model: nn.Module | None = None, **changes: object) -> nn.Module:
    """A toy model after two epochs with its state in a folder; `seed` is that of the data."""
    model = model or toy_model()
    changes = {"epochs": 2, **changes}
    augment = {"batch_augment": changes.pop("batch_augment", None)}
    fit(model, Tones(n, seed), Tones(8, seed=9), config(**changes), run_dir=run_dir, **augment)
    return model


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"seed": 1}, "data"),
        ({"loss": "bce"}, "recipe"),
        ({"epochs": 1}, "recipe"),
        ({"epochs": 3}, "recipe"),
        ({"select": "last"}, "recipe"),
        ({"batch_augment": Mixup()}, "augmentation"),
        ({"batch_augment": Mixup(), "loss": "bce"}, "recipe and augmentation"),
    ],
)
def test_another_run_starts_from_the_beginning_and_says_so(tmp_path, capsys, changes, what) -> None:
    run(tmp_path)
    capsys.readouterr()
    other = run(tmp_path, **changes)
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("[0")]
    assert lines == [f"{tmp_path}: keeps training with another {what}; this one starts from the beginning"]
    assert same(other, run(tmp_path / "elsewhere", **changes))


@pytest.mark.parametrize("other", [{"seed": 1, "channels": [4, 4]}, {"channels": [4, 8]}], ids=["seed", "size"])
def test_another_model_starts_from_the_beginning(tmp_path, capsys, other) -> None:
    model = build("compact_cnn", 2, mel=MEL, **other)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run(tmp_path)
    capsys.readouterr()
    run(tmp_path, model=model)
    assert "another model;" in capsys.readouterr().out
    assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_other_code_starts_from_the_beginning(tmp_path, capsys, monkeypatch) -> None:
    run(tmp_path)
    capsys.readouterr()
    monkeypatch.setattr(state, "CODE", ("training",))
    run(tmp_path)
    assert "another code;" in capsys.readouterr().out


def test_how_many_processes_read_is_no_other_run(tmp_path, capsys) -> None:
    run(tmp_path)
    capsys.readouterr()
    run(tmp_path, workers=1)
    assert capsys.readouterr().out == ""


def test_states_of_other_runs_do_not_pile_up(tmp_path) -> None:
    for number in range(8):
        folder = state_folder(tmp_path, {**PARTS, "recipe": str(number)})
        os.utime(folder / state.PARTS, (number, number))
    assert len(list(tmp_path.iterdir())) == state.KEPT + 1
    assert state_folder(tmp_path, {**PARTS, "recipe": "6"}).is_dir()


@pytest.mark.parametrize("damage", ["half", "zeros", "empty", "text"])
def test_damaged_state_is_set_aside_with_a_line(tmp_path, capsys, damage) -> None:
    whole = run(tmp_path)
    last, = tmp_path.glob("*/last.ckpt")
    content = last.read_bytes()
    zeros = content[: len(content) // 2] + bytes(64) + content[len(content) // 2 + 64 :]
    last.write_bytes({"half": content[: len(content) // 2], "zeros": zeros, "empty": b"", "text": b"x" * 99}[damage])
    capsys.readouterr()
    again = run(tmp_path)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("is damaged; set aside as last.unreadable, training starts from the beginning")
    assert len(rest) == 2 and same(again, whole)
    assert last.with_name("last.unreadable").is_file()


def test_a_full_disk_is_one_line_and_leaves_no_half_state(tmp_path, monkeypatch) -> None:
    def full(self: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"last\.ckpt: cannot be written \(No space left on device\)"):
        run(tmp_path)
    assert [path.name for path in tmp_path.glob("*/*")] == [state.PARTS]


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
def test_diverged_training_stops_with_one_line_and_keeps_nothing(tmp_path, loss) -> None:
    with pytest.raises(InputError, match=r"loss is (nan|inf) in epoch 1; lower the learning rate") as caught:
        run(tmp_path, learning_rate=1e30, loss=loss)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*/last.ckpt"))


@pytest.mark.parametrize(
    ("n", "changes", "message"),
    [
        (0, {}, "0 training clips; give at least 2"),
        (1, {}, "1 training clips; give at least 2"),
        (8, {"epochs": 0}, "0 epochs; give at least 1"),
        (8, {"batch_size": 1}, "1 clips in a batch; give at least 2"),
    ],
)
def test_nothing_to_train_on_is_one_line(tmp_path, n, changes, message) -> None:
    with pytest.raises(InputError, match=message):
        run(tmp_path, n=n, **changes)
    with pytest.raises(InputError, match="0 validation clips"):
        fit(toy_model(), Tones(8), Tones(0), config())


class Unreadable(Tones):
    """A data set one of whose files is broken."""

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if index == 5:
            raise InputError("x.wav: is no audio file; replace it")
        return super().__getitem__(index)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_is_one_line_also_from_a_reading_process(workers) -> None:
    with pytest.raises(InputError, match=r"^x\.wav: is no audio file; replace it$"):
        fit(toy_model(), Unreadable(16), Tones(8), config(workers=workers))


class Interrupting(Tones):
    """Ctrl-C while its clips are read."""

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        raise KeyboardInterrupt


def test_ctrl_c_comes_out_as_such() -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(toy_model(), Interrupting(8), Tones(8), config())


def test_digest_is_of_the_content() -> None:
    assert digest(Mixup(0.2), np.ones(3)) == digest(Mixup(0.2), np.ones(3)) != digest(Mixup(0.3), np.ones(3))
    assert digest(partial(max, 1)) != digest(partial(max, 2))
    assert digest(object()) == digest(object())
    assert digest([1], [2]) != digest([1, 2], [])

    def closed(value: float):
        return lambda wave, rng: wave * value

    assert digest(closed(1.0)) == digest(closed(1.0)) != digest(closed(2.0))


def test_every_epoch_is_shown_while_training_goes_on() -> None:
    seen: list[int] = []
    history = fit(toy_model(), Tones(16), Tones(8), config(epochs=3), on_epoch=lambda h: seen.append(len(h.epochs)))
    assert seen == [1, 2, 3] and isinstance(history, History)


def test_the_last_weights_are_kept_and_every_epoch_runs() -> None:
    model, valid = toy_model(), Tones(12, seed=1)
    history = fit(model, Tones(32), valid, config(epochs=5, patience=1, select="last", monitor="score"))
    assert len(history.epochs) == 5 and history.best == 4
    with torch.inference_mode():
        loss = nn.functional.cross_entropy(model(torch.from_numpy(valid.waves)), torch.from_numpy(valid.targets))
    assert float(loss) == pytest.approx(history.epochs[-1].valid_loss, rel=1e-4)


def test_power_augmentation_stands_in_for_the_mel_filters() -> None:
    plain, called = toy_model(), []

    def filters(power: torch.Tensor) -> torch.Tensor:
        called.append(tuple(power.shape))
        return plain.frontend.mel.mel_scale.fb.T @ power

    history = fit(plain, Tones(16), Tones(8), config(epochs=1), power_augment=filters)
    assert called == [(8, 65, 17)] * 2  # [batch, bins, frames]
    assert numbers(history) == pytest.approx(numbers(fit(toy_model(), Tones(16), Tones(8), config(epochs=1))), rel=1e-3)


def numbers(history: History) -> list[float]:
    return [history.epochs[0].train_loss, history.epochs[0].valid_loss]


def test_a_front_end_that_compresses_otherwise_is_another_model(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    run(tmp_path)
    linear = build("compact_cnn", 2, mel={**MEL, "compression": "linear"}, channels=[4, 4])
    run(tmp_path, model=linear)
    assert "keeps training with another model; this one" in capsys.readouterr().out


TASKS = """
import sys, hashlib, torch
from toy_training import MEL, Tones, config
from helpers.models import build
from helpers.training.fit import fit
torch.rand(int(sys.argv[1]))  # what was drawn before does not matter
mel = {"sample_rate": 4000, "n_fft": 128, "hop_length": 16, "n_mels": 16, "f_max": 2000.0}
for name, data, arguments in (
    ("compact_cnn", Tones(16), {"mel": mel, "channels": [4, 4]}),
    ("cnn_var_time", Tones(16), {"mel": mel, "channels": [4, 4]}),
    ("three_band", Tones(16), {"channels": [2, 2, 4, 4]}),
):
    model = build(name, 2, seed=3, **arguments)
    fit(model, data, data, config(epochs=1))
    state = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    print(name, hashlib.sha256(state).hexdigest())
"""


def test_one_seed_gives_the_same_weights_in_fresh_processes() -> None:
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here.parents[1]), str(here)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    outputs = []
    for drawn, hash_seed in (("1", "1"), ("7", "2")):
        found = subprocess.run([sys.executable, "-c", TASKS, drawn], env={**environment, "PYTHONHASHSEED": hash_seed},
                               capture_output=True, text=True, check=True)  # fmt: skip
        outputs.append([line for line in found.stdout.splitlines() if not line.startswith("[")])
    assert outputs[0] == outputs[1] and len(outputs[0]) == 3


def test_built_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first, following = toy_model(), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), following)  # the generator of the caller is left as it was
    assert same(first, toy_model()) and not same(first, toy_model(1))
