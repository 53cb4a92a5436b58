"""Whatever inference.py is given that it cannot use: one line on stderr, exit code 2, no traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from inference_call import PROGRAM, infer, loaded, messages, program
from note_folders import NAMES, example, write_checkpoint, write_examples, write_notes, write_split
from refusals import Command

import helpers.plotting


def is_one_line(found: SimpleNamespace, message: str) -> bool:
    """Exit code 2, nothing on stdout, one line on stderr that says this."""
    said = re.fullmatch(f"error: .*{re.escape(message)}.*\n", found.err)
    return (found.code, found.out) == (2, "") and said is not None


def _examples(folder: Path, content: str) -> None:
    (write_split(folder.parent) / "examples.json").write_text(content)


def _contradicting(folder: Path) -> None:
    write_split(folder.parent)
    write_examples(folder, {NAMES[0]: {**example(NAMES[0]), "instrument_family_str": "reed"}})


FOLDERS = {
    "missing": (lambda f: None, "no such folder"),
    "empty": (lambda f: f.mkdir(), "no clips found"),
    "a file": (lambda f: f.write_text("hello"), "no such folder"),
    "cut-off archive": (lambda f: f.with_name("nsynth-test.tar.gz").write_bytes(b"\x1f\x8b\x08"), "cut-off archive"),
    "no label source": (lambda f: write_notes(f, ("note 1",)), "no label source"),
    "other family": (lambda f: write_notes(f, ("drum_acoustic_001-060-100",)), "family 'drum' is none of"),
    "not JSON": (lambda f: _examples(f, "{oops"), "is not JSON"),
    "no dictionary": (lambda f: _examples(f, "[]"), "is not a dictionary of notes"),
    "contradicting": (_contradicting, "bass and reed by its fields"),
    "other notes": (lambda f: _examples(f, '{"a": {}}'), "names none of the 6 audio files"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_bad_folder(tmp_path: Path, kind: str) -> None:
    spoil, message = FOLDERS[kind]
    spoil(tmp_path / "nsynth-test")
    place = next(tmp_path.glob("*.tar.gz"), tmp_path / "nsynth-test")
    found = infer("--test_dir", place, "--checkpoint", write_checkpoint(tmp_path / "model.pt"))
    assert is_one_line(found, message), found


def _malicious(path: Path) -> None:
    torch.save({"format": 2, "task": Command(path.with_name("executed"))}, path)


CHECKPOINTS = {
    "missing": (lambda p: None, "no such checkpoint"),
    "truncated": (lambda p: write_checkpoint(p) and p.write_bytes(p.read_bytes()[:-999]), "cut off"),
    "other task": (lambda p: write_checkpoint(p, task="irmas"), "is for the task 'irmas'"),
    "malicious": (_malicious, "refused, it holds code"),
    "no weights": (lambda p: write_checkpoint(p, state={}), "weights do not fit"),
    "other classes": (lambda p: write_checkpoint(p, classes=[str(n) for n in range(11)]), "other families"),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_bad_checkpoint(tmp_path: Path, kind: str) -> None:
    spoil, message = CHECKPOINTS[kind]
    write_split(tmp_path)
    spoil(tmp_path / "bad.pt")
    found = infer("--test_dir", tmp_path, "--checkpoint", tmp_path / "bad.pt")
    assert is_one_line(found, message), found
    assert not (tmp_path / "executed").exists()


def test_absent_device(tmp_path: Path) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has mps")
    write_split(tmp_path)
    found = infer("--test_dir", tmp_path, "--checkpoint", write_checkpoint(tmp_path / "model.pt"), "--device", "mps")
    assert is_one_line(found, "device 'mps': not on this machine"), found


@pytest.mark.parametrize("option", ["--json", "--predictions", "--confusion_matrix"])
def test_output_that_cannot_be_written(tmp_path: Path, option: str) -> None:
    write_split(tmp_path)
    model = write_checkpoint(tmp_path / "model.pt")
    (tmp_path / "taken").write_text("a file where a folder is needed")
    found = infer("--test_dir", tmp_path, "--checkpoint", model, option, tmp_path / "taken" / "out.png")
    assert (found.code, found.out) == (2, "")
    assert found.err.endswith("out.png: cannot be written (File exists); choose another place\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--test_dir", "x", "--batch_size", "0"], ["--test_dir", "x", "--workers", "many"],
     ["--test_dir", "x", "--confusion_matrix", "c.txt"], ["--test_dir", "x", "--device", "tpu"]],
)  # fmt: skip
def test_misuse_is_refused_by_the_parser(arguments: list[str]) -> None:
    found = infer(*arguments)
    assert (found.code, found.out) == (2, "") and found.err.startswith("usage: ")


def test_help_and_wrong_paths_load_nothing_heavy(tmp_path: Path) -> None:
    run = program("--help")
    assert run.returncode == 0 and "--confusion_matrix" in run.stdout
    assert not loaded(run) & {"torch", "numpy", "soundfile", "helpers"}
    run = program("--test_dir", tmp_path / "nowhere")
    assert (run.returncode, run.stdout) == (2, "")
    assert len(messages(run)) == 1 and messages(run)[0].startswith("error: ")
    assert "torch" not in loaded(run)


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "| true"])
def test_a_stdout_that_takes_nothing_is_one_line(tmp_path: Path, redirection: str) -> None:
    write_split(tmp_path)
    model = write_checkpoint(tmp_path / "model.pt")
    command = f"{sys.executable} {PROGRAM} --test_dir {tmp_path} --checkpoint {model} {redirection}"
    run = subprocess.run(["bash", "-c", command + "; exit ${PIPESTATUS[0]}"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1].startswith("error: stdout: ") and "Traceback" not in run.stderr
    assert "ignored" not in run.stderr


def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    write_split(tmp_path)
    model, waiting = write_checkpoint(tmp_path / "model.pt"), tmp_path / "temporary"
    waiting.mkdir()
    os.mkfifo(tmp_path / "pipe")  # nobody reads it, so the program waits
    command = [sys.executable, PROGRAM, "--test_dir", tmp_path, "--checkpoint", model]
    command += ["--predictions", tmp_path / "pipe"]
    environment = os.environ | {"TMPDIR": str(waiting)}
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    deadline = time.monotonic() + 100
    while not any(path.stat().st_size for path in waiting.glob(".pipe*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (130, "") and err.splitlines()[-1] == "interrupted" and "Traceback" not in err


def test_drawing_without_its_library_is_told_before_predicting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "helpers.plotting.scores", raising=False)
    monkeypatch.delattr(helpers.plotting, "scores", raising=False)
    monkeypatch.setitem(sys.modules, "seaborn", None)
    write_split(tmp_path)
    missing = tmp_path / "no.pt"  # a checkpoint that is missing would be told next
    found = infer("--test_dir", tmp_path, "--checkpoint", missing, "--confusion_matrix", tmp_path / "c.png")
    assert is_one_line(found, "--confusion_matrix: needs seaborn; install it"), found


@pytest.mark.parametrize("option", ["--test_dir", "--checkpoint", "--json", "--predictions"])
@pytest.mark.parametrize("name", ["a\ud800", "a" * 5_000, "a\n"])
def test_impossible_names_are_one_line(tmp_path: Path, option: str, name: str) -> None:
    options = {"--test_dir": write_split(tmp_path), "--checkpoint": write_checkpoint(tmp_path / "model.pt")}
    found = infer(*(part for pair in (options | {option: name + "/\0"}).items() for part in pair))
    assert is_one_line(found, name[:1]), found


def test_only_regular_files_are_notes(tmp_path: Path) -> None:
    folder = write_split(tmp_path)
    os.mkfifo(folder / "audio" / "bass_electronic_018-041-100.wav")
    (folder / "examples.json").unlink()
    found = infer("--test_dir", tmp_path, "--checkpoint", write_checkpoint(tmp_path / "model.pt"))
    assert found.code == 0 and found.out.startswith("notes: 7\nunreadable: 1\n")
    assert "bass_electronic_018-041-100.wav: is no regular file" in found.err
