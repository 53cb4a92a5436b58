"""inference.py called in this process, or as a program of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

PROGRAM = Path(__file__).resolve().parent.parent / "inference.py"


def infer(*arguments: object) -> SimpleNamespace:
    """Exit code, stdout and stderr of a call in this process."""
    spec = importlib.util.spec_from_file_location("inference", PROGRAM)
    inference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inference)
    out, err = io.StringIO(), io.StringIO()
    argv = mock.patch.object(sys, "argv", [PROGRAM.name, *map(str, arguments)])
    with argv, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = inference.run()
        except SystemExit as end:
            code = end.code
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def program(*arguments: object) -> subprocess.CompletedProcess:
    """A run as a program; what it imports is listed on stderr."""
    command = [sys.executable, "-X", "importtime", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def loaded(run: subprocess.CompletedProcess) -> set[str]:
    """Top-level packages that a program imported."""
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in run.stderr.splitlines() if "import time:" in line}


def messages(run: subprocess.CompletedProcess) -> list[str]:
    """What else it said on stderr."""
    return [line for line in run.stderr.splitlines() if "import time:" not in line]
