"""Run the handed-in inference as a grader would: unpacked, on a small generated test folder."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from helpers import audio
from helpers.config import InputError
from helpers.datasets.nsynth import FAMILIES, SAMPLE_RATE, SECONDS
from helpers.files import write_json

ACCURACIES = re.compile(r"^top-1 accuracy: \d+\.\d\d%\ntop-3 accuracy: \d+\.\d\d%$", re.MULTILINE)
TRACE = """
import atexit, json, pathlib, runpy, sys
report, sys.argv = pathlib.Path(sys.argv[1]), ["inference.py", *sys.argv[2:]]
files = lambda: {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
atexit.register(lambda: report.write_text(json.dumps(files())))
runpy.run_path("inference.py", run_name="__main__")
"""


def write_test_folder(folder: Path) -> Path:
    """An `nsynth-test` folder with one harmonic tone for each family; returns it."""
    time = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    examples = {}
    for number, family in enumerate(FAMILIES):
        name, pitch = f"{family}_synthetic_000-{48 + number:03d}-100", 48 + number
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        tone = sum(np.sin(2 * math.pi * k * frequency * time) / k for k in range(1, number + 2))
        audio.write(folder / "nsynth-test" / "audio" / f"{name}.wav", 0.3 * tone, SAMPLE_RATE)
        examples[name] = {"instrument_family": number, "instrument_family_str": family, "pitch": pitch}
    write_json(folder / "nsynth-test" / "examples.json", examples)
    return folder / "nsynth-test"


def loaded_modules(project: Path, test_folder: Path, scratch: Path) -> dict[str, str | None]:
    """Modules, and their files, that the unpacked inference loads when all of its outputs are asked for.

    Raises:
        InputError: it fails.
    """
    report = scratch / "modules.json"
    outputs = {"--confusion_matrix": "matrix.png", "--predictions": "notes.csv", "--json": "scores.json"}
    options = [part for option, name in outputs.items() for part in (option, scratch / name)]
    _run([sys.executable, "-c", TRACE, report, "--test_dir", test_folder, *options], project)
    return json.loads(report.read_text())


def fresh_environment(project: Path, test_folder: Path, scratch: Path) -> str:
    """Create an environment, install requirements.txt, run inference; returns what it printed about accuracy.

    Raises:
        InputError: a step fails, or the two accuracies are not the last lines.
    """
    environment = scratch / "environment"
    _run([sys.executable, "-m", "venv", environment], project)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"], project)
    printed = _run([python, "inference.py", "--test_dir", test_folder], project).strip()
    found = ACCURACIES.search(printed)
    if not found or not printed.endswith(found.group()):
        raise InputError(f"inference.py does not end with the two accuracies but with {printed[-80:]!r}")
    return found.group().replace("\n", ", ")


def _run(command: list, folder: Path) -> str:
    """Standard output of a command, in a folder, that sees no other copy of this project.

    Raises:
        InputError: it fails; the last line that it wrote is quoted.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InputError(f"{Path(str(command[0])).name} {command[1]} {command[2]}: {last}")
    return done.stdout
