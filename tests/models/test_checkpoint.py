"""Checkpoints come back as they were, and nothing else than a checkpoint is ever loaded or run."""

from __future__ import annotations

import pickle
import re
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from note_folders import ARGUMENTS, MEL, checkpoint, write_checkpoint
from refusals import Command, refused

from helpers.config import CHECKPOINTS, InputError
from helpers.datasets.nsynth import TASK
from helpers.models.checkpoint import describe, load_checkpoint, save_checkpoint, stored_network


def test_round_trip_gives_equal_logits(tmp_path: Path) -> None:
    saved = checkpoint(thresholds=[0.5] * 11, scores={"valid": {"top1": 0.9}}, command="train", versions={"torch": "2"})
    save_checkpoint(tmp_path / "new" / "a.pt", saved)
    loaded = load_checkpoint(tmp_path / "new" / "a.pt", TASK)
    waves = torch.randn(2, 64_000)
    assert not loaded.network().training
    torch.testing.assert_close(loaded.network()(waves), saved.network()(waves), rtol=0, atol=0)
    assert describe(loaded) == describe(saved)
    assert "state" not in describe(loaded) and asdict(loaded)["arguments"] == ARGUMENTS


def test_half_precision_halves_the_file_and_keeps_the_answers(tmp_path: Path) -> None:
    saved = checkpoint()
    for half in (False, True):
        save_checkpoint(tmp_path / f"{half}.pt", saved, half=half)
    sizes = [(tmp_path / f"{half}.pt").stat().st_size for half in (True, False)]
    assert sizes[0] < 0.7 * sizes[1]
    network, waves = load_checkpoint(tmp_path / "True.pt", TASK).network(), torch.randn(2, 64_000)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    torch.testing.assert_close(network(waves), saved.network()(waves), rtol=0.01, atol=0.01)


def test_file_is_readable_as_weights_only(tmp_path: Path) -> None:
    content = torch.load(write_checkpoint(tmp_path / "a.pt"), weights_only=True)
    assert content["task"] == TASK and content["format"] == 2


def _malicious(path: Path) -> None:
    torch.save({"format": 2, "task": TASK, "state": Command(path.with_name("executed"))}, path)


def _plain_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Command(path.with_name("executed"))))


def _truncated(path: Path) -> None:
    write_checkpoint(path)
    path.write_bytes(path.read_bytes()[:-1000])


def _flipped(path: Path) -> None:
    """The archive is complete, its pickle is not."""
    write_checkpoint(path.with_suffix(".whole"))
    with zipfile.ZipFile(path.with_suffix(".whole")) as whole, zipfile.ZipFile(path, "w") as damaged:
        for name in whole.namelist():
            content = whole.read(name)
            damaged.writestr(name, content[: len(content) // 2] if name.endswith("data.pkl") else content)


def _zip_of_text(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")


def _without_field(path: Path) -> None:
    save_checkpoint(path, checkpoint())
    content = torch.load(path, weights_only=True)
    del content["classes"]
    torch.save(content, path)


def _changed(path: Path, **changes: object) -> None:
    """A checkpoint in which fields, but not the digest, are others."""
    torch.save(torch.load(write_checkpoint(path), weights_only=True) | changes, path)


def _compressed(path: Path) -> None:
    write_checkpoint(path.with_suffix(".whole"))
    with zipfile.ZipFile(path.with_suffix(".whole")) as whole, zipfile.ZipFile(path, "w") as small:
        for name in whole.namelist():
            small.writestr(name, whole.read(name), zipfile.ZIP_DEFLATED)


BAD = {
    "missing": (lambda path: None, "no such checkpoint"),
    "a folder": (lambda path: path.mkdir(), "no such checkpoint"),
    "no bytes": (lambda path: path.write_bytes(b""), "not a checkpoint, or cut off"),
    "text": (lambda path: path.write_text("weights"), "not a checkpoint, or cut off"),
    "truncated": (_truncated, "cut off"),
    "damaged": (_flipped, "damaged checkpoint|refused"),
    "zip of text": (_zip_of_text, "damaged checkpoint"),
    "malicious": (_malicious, "refused, it holds code"),
    "malicious pickle": (_plain_pickle, "not a checkpoint"),
    "weights alone": (lambda path: torch.save({"a": torch.zeros(2)}, path), "not a checkpoint of this project"),
    "a tensor": (lambda path: torch.save(torch.zeros(2), path), "not a checkpoint of this project"),
    "later format": (lambda path: torch.save({"format": 3}, path), "not a checkpoint of this project"),
    "odd format": (lambda path: torch.save({"format": torch.zeros(3)}, path), "not a checkpoint of this project"),
    "earlier format": (lambda path: _changed(path, format=1), "from an earlier version, .* train it again"),
    "compressed": (_compressed, "damaged checkpoint"),
    "incomplete": (_without_field, r"incomplete checkpoint \(fields classes\)"),
    "other task": (lambda path: write_checkpoint(path, task="irmas"), "is for the task 'irmas', this command needs"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_checkpoint_is_told_in_one_line_and_never_run(tmp_path: Path, kind: str) -> None:
    spoil, message = BAD[kind]
    path = tmp_path / "a.pt"
    spoil(path)
    with refused(f"^{re.escape(str(path))}.*({message})"):
        load_checkpoint(path, TASK)
    assert not (tmp_path / "executed").exists()


def test_the_malicious_file_would_have_run(tmp_path: Path) -> None:
    _malicious(tmp_path / "a.pt")
    torch.load(tmp_path / "a.pt", weights_only=False)
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ["a", "b"]}, "weights do not fit"),
        ({"model": "resnet_999"}, "unknown"),
        ({"arguments": {"mel": {}, "colour": 1}}, "does not take these arguments"),
        ({"arguments": {"mel": {"f_max": 9_000.0}}}, "does not take these arguments"),
        ({"arguments": {**ARGUMENTS, "channels": [10**7, 10**7]}}, "weights do not fit"),
        ({"arguments": {"mel": MEL, "channels": 3}}, "arguments|weights do not fit"),
        ({"arguments": {"mel": {"n_mels": 10**12}}}, "arguments|weights do not fit"),
        ({"arguments": {"n_classes": 3}}, "arguments|weights do not fit"),
        ({"state": {}}, "weights do not fit"),
    ],
)
def test_recipe_and_weights_must_fit(changes: dict, message: str) -> None:
    with refused(message):
        checkpoint(**changes).network()


ZEROS, NAN = torch.zeros(2, 3), torch.full((2,), float("nan"))
FAULTY = {
    "task": 3, "model": None, "arguments": {"mel": ZEROS}, "classes": [], "sample_rate": 16_000.0,
    "seconds": float("nan"), "state": {"a": NAN}, "thresholds": [2.0] * 11, "seed": -1, "data": {1: 2}, "scores": [],
    "history": [{"loss": 1.0}], "command": b"train", "versions": {"torch": 2},
}  # fmt: skip
STATES = {"list": [ZEROS], "infinite": {"a": ZEROS.log()}, "text": {"a": "b"}, "sparse": {"a": ZEROS.to_sparse()},
          "larger than stored": {"a": torch.zeros(1).expand(10**12)}, "complex": {"a": ZEROS * 1j}}  # fmt: skip


MORE = [("thresholds", [0.5]), ("classes", "ab"), ("sample_rate", True), *(("state", s) for s in STATES.values())]


@pytest.mark.parametrize(("name", "value"), [*FAULTY.items(), *MORE])
def test_every_field_is_checked_for_type_and_range(tmp_path: Path, name: str, value: object) -> None:
    _changed(tmp_path / "a.pt", **{name: value})
    with refused(rf"a\.pt: field {name} of the checkpoint must be"):
        load_checkpoint(tmp_path / "a.pt", TASK)


@pytest.mark.parametrize("name", FAULTY)
def test_every_field_is_under_the_digest(tmp_path: Path, name: str) -> None:
    other = {"task": "irmas", "model": "b", "arguments": {}, "classes": list("abcdefghijk"), "sample_rate": 8_000,
             "seconds": 1.0, "state": {}, "thresholds": [0.1] * 11, "history": [{"loss": [1.0]}], "seed": 1,
             "command": "x"}  # fmt: skip
    _changed(tmp_path / "a.pt", **{name: other.get(name, {"a": "1"})})
    with pytest.raises(InputError, match=r"damaged checkpoint .its digest is that of other weights"):
        load_checkpoint(tmp_path / "a.pt")


def test_a_single_changed_weight_is_found(tmp_path: Path) -> None:
    content = torch.load(write_checkpoint(tmp_path / "a.pt"), weights_only=True)
    next(iter(content["state"].values())).view(-1)[0] += 1e-3
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(InputError, match="digest"):
        load_checkpoint(tmp_path / "a.pt")


def test_damage_anywhere_in_the_file_is_found(tmp_path: Path) -> None:
    """Zeroed stretches and flipped bits; what does not matter (padding) changes nothing."""
    path, generator = write_checkpoint(tmp_path / "a.pt"), np.random.default_rng(0)
    whole, wanted, found = path.read_bytes(), load_checkpoint(path), 0
    for number in range(120):
        content, place = bytearray(whole), int(generator.integers(len(whole) - 64))
        if number % 2:
            content[place : place + 64] = bytes(64)
        else:
            content[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        try:
            same = load_checkpoint(path)
        except InputError as error:
            found += 1
            assert str(error).startswith(f"{path}: ") and str(error).isprintable()
        else:
            assert describe(same) == describe(wanted)
            assert all(torch.equal(same.state[name], wanted.state[name]) for name in wanted.state)
    assert found > 60


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_diverged_weights_are_not_saved(tmp_path: Path, value: float) -> None:
    state = checkpoint().state
    next(iter(state.values())).view(-1)[0] = value
    with pytest.raises(InputError, match="field state of the checkpoint must be finite weights"):
        write_checkpoint(tmp_path / "a.pt", state=state)
    assert list(tmp_path.iterdir()) == []


def test_weights_too_large_for_float16_are_not_saved_as_such(tmp_path: Path) -> None:
    state = {name: value * 1e6 if value.ndim > 1 else value for name, value in checkpoint().state.items()}
    save_checkpoint(tmp_path / "a.pt", checkpoint(state=state))
    with pytest.raises(InputError, match="finite weights"):
        save_checkpoint(tmp_path / "b.pt", checkpoint(state=state), half=True)


@pytest.mark.parametrize("half", [True, False])
def test_the_stored_network_is_the_one_that_is_loaded(tmp_path: Path, half: bool) -> None:
    saved, waves = checkpoint(), torch.randn(2, 64_000)
    save_checkpoint(tmp_path / "a.pt", saved, half)
    stored, loaded = stored_network(saved, half), load_checkpoint(tmp_path / "a.pt").network()
    torch.testing.assert_close(stored(waves), loaded(waves), rtol=0, atol=0)
    assert torch.equal(stored(waves), saved.network()(waves)) != half


def test_numbers_of_numpy_are_saved_as_plain_ones(tmp_path: Path) -> None:
    scores = {"f1": np.float64(0.5), "n": np.int64(3), "low": np.float32(0.25)}
    written = write_checkpoint(tmp_path / "a.pt", scores=scores)
    assert load_checkpoint(written).scores == {"f1": 0.5, "n": 3, "low": 0.25}


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.pt")), ids=lambda path: path.name)
def test_shipped_checkpoints_are_small_and_plain(path: Path) -> None:
    assert path.stat().st_size <= 20e6
    content = torch.load(path, map_location="cpu", weights_only=True)
    assert load_checkpoint(path, content["task"]).command
