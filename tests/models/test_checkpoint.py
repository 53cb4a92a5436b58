"""Checkpoints come back as they were, and nothing else than a checkpoint is ever loaded or run."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from note_folders import ARGUMENTS, checkpoint, write_checkpoint

from helpers.config import CHECKPOINTS, InputError
from helpers.datasets.nsynth import TASK
from helpers.models.checkpoint import describe, load_checkpoint, save_checkpoint


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
    assert content["task"] == TASK and content["format"] == 1


class Command:
    """A pickle that creates a file when it is loaded by something that trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def _malicious(path: Path) -> None:
    torch.save({"format": 1, "task": TASK, "state": Command(path.with_name("executed"))}, path)


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
    "later format": (lambda path: torch.save({"format": 2}, path), "not a checkpoint of this project"),
    "incomplete": (_without_field, r"incomplete checkpoint \(fields classes\)"),
    "other task": (lambda path: write_checkpoint(path, task="irmas"), "is for the task 'irmas', this command needs"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_checkpoint_is_told_in_one_line_and_never_run(tmp_path: Path, kind: str) -> None:
    spoil, message = BAD[kind]
    path = tmp_path / "a.pt"
    spoil(path)
    with pytest.raises(InputError, match=message) as caught:
        load_checkpoint(path, TASK)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
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
        ({"state": {}}, "weights do not fit"),
    ],
)
def test_recipe_and_weights_must_fit(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        checkpoint(**changes).network()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.pt")), ids=lambda path: path.name)
def test_shipped_checkpoints_are_small_and_plain(path: Path) -> None:
    assert path.stat().st_size <= 20e6
    content = torch.load(path, map_location="cpu", weights_only=True)
    assert load_checkpoint(path, content["task"]).command
