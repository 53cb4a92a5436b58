"""The command line itself: what it refuses, how it ends, how fast its help is, and commands that were recorded."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from helpers.__main__ import build_app, main
from helpers.config import CHECKPOINTS, REPORT, ROOT
from helpers.models.checkpoint import load_checkpoint
from helpers.reporting import slides

HEAVY = {"numpy", "torch", "scipy", "sklearn", "librosa", "matplotlib", "seaborn", "pandas", "pydantic", "lightning"}


def program(*arguments: str, **options) -> subprocess.CompletedProcess:
    """The program in a process of its own."""
    command = [sys.executable, "-m", "helpers", *arguments]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False, **options)


def commands(group: typer.core.TyperGroup, path: tuple[str, ...] = ()):
    """Every command with its path."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        if command.callback:
            yield (*path, name), command


def parsed(line: str) -> list[str]:
    """Parse a recorded command with the real parser; the names of the functions that it would have called."""
    called = []
    app = typer.main.get_command(build_app())
    for path, command in commands(app):
        command.callback = lambda *_, path=path, **__: called.append(" ".join(path))
    python, *prefix = shlex.split(line)[:3]
    assert (python, prefix) == ("python", ["-m", "helpers"])
    with app.make_context("helpers", shlex.split(line)[3:]) as context:
        app.invoke(context)
    return called


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.pt")), ids=lambda path: path.name)
def test_the_recorded_command_of_every_checkpoint_can_be_typed(path: Path) -> None:
    command = load_checkpoint(path).command
    assert parsed(command)
    assert "--data" in command  # or --data-root


@pytest.mark.parametrize("path", sorted((REPORT / "metrics").glob("*.json")), ids=lambda path: path.name)
def test_the_recorded_command_of_every_result_can_be_typed(path: Path) -> None:
    assert parsed(json.loads(path.read_text(encoding="utf-8"))["command"])


def test_a_recorded_command_with_an_unknown_option_is_not_parsed() -> None:
    with pytest.raises(typer.TyperException):
        parsed("python -m helpers nsynth train --datas data")


@pytest.mark.parametrize(
    "line",
    [
        "nsynth train --members 0", "nsynth train --epochs 0", "nsynth train --workers -1", "nsynth train --seed -1",
        "nsynth train --seed 4294967296", "nsynth train --compression cubic", "nsynth crossvalidate --folds 0",
        "nsynth crossvalidate --folds 99", "nsynth download --split dev", "classic --jobs 0", "classic --jobs -2",
        "classic --budget huge", "irmas train --epochs x", "irmas train --max-clips 0", "irmas predict",
        "predominant train --epochs 0", "predominant", "chmusic compare --seed -1", "films train --context 0",
        "films train --epochs 0", "films tag x.mp4 --checkpoint c --track -1", "films check", "genre similar x --in . "
        "--count 0", "genre train --learning-rate 0", "genre train --learning-rate nan", "genre predict",
        "augment --split leaky", "demo --size huge", "demo --corpora nsynth,polka", "demo --notes 0",
        "demo --notes 5", "demo --seed -1", "run --budget huge", "run --only 99", "report --part some",
        "report --student-id ../x", "pack", "pack --student-id r1 --name A", "nonsense", "nsynth",
        "nsynth train surplus", "nsynth train --nonsense", "",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line_and_two(line: str, capsys: pytest.CaptureFixture) -> None:
    assert main(shlex.split(line)) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ") and printed.err.count("\n") == 1


def test_pack_names_what_is_missing(capsys: pytest.CaptureFixture) -> None:
    assert main(["pack", "--student-id", "r1"]) == 2
    assert capsys.readouterr().err.startswith("error: --name, --link: missing")


def test_help_of_every_command_has_examples_and_a_sentence(capsys: pytest.CaptureFixture) -> None:
    for path, _ in commands(typer.main.get_command(build_app())):
        assert main([*path, "--help"]) == 0
        usage, _, sentence, *_ = (printed := capsys.readouterr().out).splitlines()
        assert usage.startswith("Usage: python -m helpers ") and len(sentence.split()) > 3
        assert "examples:\n    python -m helpers " in printed


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    before = os.times()
    code = "import sys; from helpers.__main__ import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5
    assert not HEAVY & set(run.stderr.split())


def test_interrupted_is_one_line_and_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(slides, "build", interrupted)
    assert main(["report"]) == 130
    assert capsys.readouterr().err == "interrupted; the same command goes on where it stopped\n"


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def full(*_):
        raise OSError(28, "No space left on device", "x.pdf")

    monkeypatch.setattr(slides, "build", full)
    assert main(["report"]) == 2
    assert capsys.readouterr().err == "error: x.pdf: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_standard_output_that_is_full_or_closed_or_left_gives_no_traceback() -> None:
    with open("/dev/full", "w") as full:
        run = program("--help", stdout=full)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "No space left" in run.stderr
    reader, writer = os.pipe()
    os.close(reader)
    run = program("--help", stdout=writer)
    os.close(writer)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "Broken pipe" in run.stderr
    closed = f"{sys.executable} -m helpers --help >&-"
    run = subprocess.run(closed, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and run.stderr == ""
