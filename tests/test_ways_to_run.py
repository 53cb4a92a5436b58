"""Wherever papermill or nbconvert is started, a notebook reads from and writes into the project's folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.config import ROOT, RUNS
from helpers.evaluation import results as metrics
from helpers.reporting import notebooks

NOTEBOOK = notebooks.find(["01"])[0]
PAPERMILL = (sys.executable, "-m", "papermill")
WAYS = {  # name -> folder of the shell (None: one elsewhere), and what is put behind the command
    "papermill in the root": (ROOT, NOTEBOOK.relative_to(ROOT), ()),
    "papermill in notebooks": (NOTEBOOK.parent, NOTEBOOK.name, ()),
    "papermill --cwd": (ROOT, NOTEBOOK.relative_to(ROOT), ("--cwd", "notebooks")),
    "papermill elsewhere": (None, NOTEBOOK, ()),
    "nbconvert elsewhere": (None, None, ()),
}


def nbconvert(folder: Path, parameters: dict[str, str]) -> list[str]:
    """The command for a copy of the notebook whose parameters were changed in its cell, as one does in Jupyter."""
    copy = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cell = next(cell for cell in copy["cells"] if "parameters" in cell["metadata"].get("tags", []))
    cell["source"] = [*cell["source"], *(f"\n{name} = {value!r}" for name, value in parameters.items())]
    (folder / NOTEBOOK.name).write_text(json.dumps(copy), encoding="utf-8")
    return [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", NOTEBOOK.name, "--output", "out.ipynb"]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_notebook_writes_into_the_project(way: str, demo_root: Path, tmp_path: Path) -> None:
    folder, notebook, more = WAYS[way]
    out = RUNS.relative_to(ROOT) / f"ways-{os.getpid()}"
    parameters = {"budget": "smoke", "out": out.as_posix(), "data_root": os.path.relpath(demo_root, ROOT)}
    command = nbconvert(tmp_path, parameters) if notebook is None else [*PAPERMILL, str(notebook), str(
        tmp_path / "out.ipynb"), *more]  # fmt: skip
    if notebook is not None:
        command += [word for name, value in parameters.items() for word in ("-p", name, value)]
    try:
        done = subprocess.run(command, cwd=folder or tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        assert metrics.read(ROOT / out / "metrics" / "01_mel.json").data == "demo"
        assert (ROOT / out / "figures" / "01_notes.svg").is_file()
        assert {path.name for path in tmp_path.iterdir()} <= {"out.ipynb", NOTEBOOK.name}
    finally:
        shutil.rmtree(ROOT / out, ignore_errors=True)
