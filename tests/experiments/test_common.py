"""What all experiments share: the recorded command can be typed, and the result says what it stands on."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import typer

from helpers.__main__ import build_app
from helpers.config import ROOT, InputError
from helpers.datasets.base import Clip
from helpers.experiments import common


def test_command_line_says_every_option_and_quotes() -> None:
    line = common.command_line(
        "nsynth", "train", data_root=ROOT.parent / "my data", mixup=True, seed=0, out=None, dask="", split=["a", "b"]
    )
    assert shlex.split(line)[3:] == [
        "nsynth", "train", "--data-root", "../my data", "--mixup", "--seed", "0", "--split", "a", "--split", "b",
    ]  # fmt: skip


def test_paths_inside_the_project_are_recorded_relative_to_it() -> None:
    line = common.command("03", ROOT / "data", "full")
    assert line == "python -m helpers run --only 03 --data-root data --budget full"
    assert common.command("03", "", "quick") == "python -m helpers run --only 03 --budget quick"


def test_missing_data_root_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--data-root"):
        common.data_root("nsynth", tmp_path / "nowhere")


def test_result_counts_clips_and_groups_and_depends_on_what_was_trained_on() -> None:
    clips = [Clip(Path(f"{n}.wav"), (n % 2,), f"g{n // 2}") for n in range(6)]
    logits = {"always 0": np.tile([1.0, 0.0], (6, 1))}
    about = {"group_kind": "instrument", "seed": 0, "command": "c"}
    first, second = (
        common.single_label_result("t", "NSynth", "demo", clips, logits, ["a", "b"], clips[:part], used=[clips[:part]],
                                   **about)
        for part in (3, 4)
    )  # fmt: skip
    assert (first.n, first.groups, first.confusion["always 0"]) == (6, 3, [[3, 0], [3, 0]])
    assert first.scores["always 0"]["top1"].value == 0.5
    assert first.fingerprint != second.fingerprint


ODD = ("my data", "it's", 'say "hi"', "a;b&&c", "$HOME", "*", "--seed", "-x", "ümlaut", "new\nline")


@pytest.mark.parametrize("name", ODD)
def test_odd_paths_come_back_from_the_real_parser(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)  # paths on the command line are seen from here, recorded ones from the project
    options = {"data_root": Path(name), "out": tmp_path / name / "n.pt", "members": 2, "mixup": True}
    line = common.command_line("nsynth", "train", **options)
    app, read = typer.main.get_command(build_app()), {}
    app.commands["nsynth"].commands["train"].callback = lambda **options: read.update(options)
    monkeypatch.chdir(ROOT)
    app(shlex.split(line)[3:], standalone_mode=False)
    assert Path(read["data_root"]).resolve() == tmp_path / name
    assert Path(read["out"]).resolve() == tmp_path / name / "n.pt"
    assert (read["members"], read["mixup"]) == (2, True)
