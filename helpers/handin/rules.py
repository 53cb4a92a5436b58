"""The rules of the course, one function each: nothing is returned where a rule is met, otherwise the reason."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

from helpers.handin.archive import CHECKPOINT

COMMAND = re.compile(r"python inference\.py --test_dir \S+")
MOST_MB = 50
AUDIO = (".wav", ".flac", ".mp3", ".au", ".mp4")
DATA_OR_MODEL = (*AUDIO, ".npy", ".npz", ".parquet", ".pt", ".pth", ".ckpt", ".skops", ".pyc", ".gz")


def report_is_wide(pdf: Path) -> str | None:
    """The report is there and every page is 16:9."""
    import pypdf

    if not pdf.is_file():
        return f"{pdf.name} is not there; make it with `python -m helpers report --student-id {pdf.name.split('_')[0]}`"
    try:
        boxes = [page.mediabox for page in pypdf.PdfReader(pdf).pages]
    except pypdf.errors.PyPdfError as error:
        return f"{pdf.name} is not a PDF ({error})"
    narrow = [str(n) for n, box in enumerate(boxes, 1) if abs(9 * float(box.width) / float(box.height) - 16) > 0.02]
    return f"{pdf.name}: not 16:9 on page {', '.join(narrow)}" if narrow or not boxes else None


def readme_names_command(readme: Path) -> str | None:
    """README.txt tells the grader how to run inference."""
    if not readme.is_file() or not COMMAND.search(readme.read_text(encoding="utf-8")):
        return "README.txt does not name the command `python inference.py --test_dir DIR`"
    return None


def one_checkpoint_no_data(files: list[Path]) -> str | None:
    """The checkpoint for inference is in the archive, and no audio, features, caches or other models are."""
    names = [path.as_posix() for path in files]
    if CHECKPOINT not in names:
        return f"{CHECKPOINT} is not there; train it with `python -m helpers nsynth train`"
    surplus = [name for name in names if name.endswith(DATA_OR_MODEL) and name != CHECKPOINT]
    return f"does not belong into the archive: {', '.join(surplus)}" if surplus else None


def requirements_fit(project: Path, loaded: dict[str, str | None]) -> str | None:
    """requirements.txt has what inference imports, no more and no less.

    Args:
        project: unpacked project.
        loaded: modules, with their files, that a run of inference had loaded at its end.
    """
    listed = {_plain(line) for line in (project / "requirements.txt").read_text(encoding="utf-8").splitlines()} - {""}
    packages = {name.split(".")[0] for name in loaded}
    needed = {name for path in _own_files(project, loaded) for name in _imports(path)} & packages
    modules_of = {name: _modules_of(name) for name in listed}
    surplus = [name for name in sorted(listed) if not packages & modules_of[name]]
    lacking = sorted(needed - set().union(*modules_of.values()))
    faults = [f"inference does not import {name}" for name in surplus] + [f"{name} is missing" for name in lacking]
    return f"requirements.txt: {'; '.join(faults)}" if faults else None


def small_enough(archive: Path) -> str | None:
    """The archive can be uploaded."""
    size = archive.stat().st_size / 1e6
    return f"the archive has {size:.0f} MB, more than {MOST_MB}" if size > MOST_MB else None


def _plain(requirement: str) -> str:
    """Normalised name of a distribution, from a line of requirements.txt; empty for comments and options."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return re.sub(r"[-_.]+", "-", match.group(1)).lower() if match else ""


def _modules_of(distribution: str) -> set[str]:
    """Top-level modules that an installed distribution brings; none if it is not installed."""
    try:
        files = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        return set()
    return {Path(file.parts[0]).name.split(".")[0] for file in files}


def _own_files(project: Path, loaded: dict[str, str | None]) -> list[Path]:
    """The project's own files among the loaded ones."""
    files = [Path(path) for path in loaded.values() if path]
    return [project / "inference.py", *(path for path in files if path.is_relative_to(project / "helpers"))]


def _imports(path: Path) -> set[str]:
    """Third-party packages that a file imports, at its top or inside of functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"helpers"}
