"""The hand-in: an archive of code, requirements, one checkpoint and the sources of the report; the report beside it.

The rules of the course are a function each: nothing is returned where a rule is met, otherwise the reason. The
inference that is handed in is run as a grader would: unpacked, on a small generated test folder.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.config import InputError
from helpers.demo import build
from helpers.files import atomic
from helpers.reporting import slides

COMMAND = re.compile(r"python inference\.py --test_dir \S+")
MOST_MB = 50
DATA_OR_MODEL = (
    ".wav", ".flac", ".mp3", ".au", ".mp4", ".npy", ".npz", ".parquet", ".pt", ".pth", ".ckpt", ".skops", ".pyc", ".gz"
)  # fmt: skip
CHECKPOINT = "checkpoints/nsynth.pt"
CONTENT = (  # patterns relative to the project's folder; what is not named here is not handed in
    "README.txt", "requirements.txt", "requirements-dev.txt", "pyproject.toml", "inference.py",
    "helpers/**/*.py", "tests/**/*.py", "notebooks/*.ipynb", CHECKPOINT, "checkpoints/README.txt",
    "data/README.txt", "data/sources/*.md", "data/sources/*.json",
    "report/RESULTS.txt", "report/slides.typ", "report/slides/*.typ", "report/metrics/*.json",
    "report/figures/*.svg", "report/figures/*.png",
)  # fmt: skip
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same time for every file, so that the same input gives the same bytes
ACCURACIES = re.compile(r"^top-1 accuracy: \d+\.\d\d%\ntop-3 accuracy: \d+\.\d\d%$", re.MULTILINE)
TRACE = """
import atexit, json, pathlib, runpy, sys
report, sys.argv = pathlib.Path(sys.argv[1]), ["inference.py", *sys.argv[2:]]
files = lambda: {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
atexit.register(lambda: report.write_text(json.dumps(files())))
runpy.run_path("inference.py", run_name="__main__")
"""


def pack(root: Path, cover: slides.Cover, verify: bool) -> tuple[Path, Path]:
    """Check, and write archive and report (set from report/) of a project to its dist/; prints a line for each rule.

    `verify`: also run the inference in a fresh environment.

    Raises:
        InputError: the cover is not complete, or a rule is not met; nothing is written then.
    """
    given = {"--student-id": cover.student, "--name": cover.author, "--link": cover.link}
    if missing := [option for option, value in given.items() if not value]:
        raise InputError(f"{', '.join(missing)}: missing; the first page names the student and the link to the code")
    folder = f"{cover.student}_hw0"
    target, report = root / "dist" / f"{folder}.zip", root / "dist" / f"{cover.student}_report.pdf"
    with tempfile.TemporaryDirectory() as scratch, atomic(target) as packed:
        pdf = Path(scratch).resolve() / report.name
        write(packed, root, members(root), folder)
        failed = 0
        for rule, reason in _verdicts(root, cover, pdf, packed, verify):
            failed += reason is not None
            print(f"NOT {rule}: {reason}" if reason else f"ok  {rule}", flush=True)
        if failed:
            raise InputError(f"not packed: {failed} rule{'s' if failed > 1 else ''} not met, see the list")
        with atomic(report) as copy:
            shutil.copyfile(pdf, copy)
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB) and {report}")
    return target, report


def _verdicts(
    root: Path, cover: slides.Cover, pdf: Path, packed: Path, verify: bool
) -> Iterator[tuple[str, str | None]]:
    """Every rule with None, or with the reason why it is not met."""
    with zipfile.ZipFile(packed) as content:
        content.extractall(pdf.parent)
    project = pdf.parent / f"{cover.student}_hw0"
    try:
        slides.build(root / "report", cover, pdf)
        yield "the report is there and 16:9", report_is_wide(pdf)
    except InputError as error:
        yield "the report is there and 16:9", str(error)
    readme = project / "README.txt"
    named = readme.is_file() and COMMAND.search(readme.read_text(encoding="utf-8"))
    reason = None if named else "it does not name the command `python inference.py --test_dir DIR`"
    yield "README.txt names the inference command", reason
    yield "one checkpoint, no data, no caches", one_checkpoint_no_data(members(root))
    yield f"at most {MOST_MB} MB", small_enough(packed)
    test_folder = build.write("tiny", pdf.parent / "demo", corpora=("nsynth",)) / "nsynth" / "nsynth-test"
    try:
        loaded = loaded_modules(project, test_folder, pdf.parent)
    except InputError as error:
        yield "the unpacked inference.py runs", str(error)
        return
    yield "requirements.txt is what inference imports", requirements_fit(project, loaded)
    if verify:
        try:
            accuracies = fresh_environment(project, test_folder, pdf.parent)
            yield f"runs in a fresh environment ({accuracies} on generated notes)", None
        except InputError as error:
            yield "runs in a fresh environment", str(error)


def report_is_wide(pdf: Path) -> str | None:
    """Every page of the report is 16:9."""
    import pypdf

    try:
        boxes = [page.mediabox for page in pypdf.PdfReader(pdf).pages]
    except pypdf.errors.PyPdfError as error:
        return f"{pdf.name} is not a PDF ({error})"
    narrow = [str(n) for n, box in enumerate(boxes, 1) if abs(9 * float(box.width) / float(box.height) - 16) > 0.02]
    return f"{pdf.name}: not 16:9 on page {', '.join(narrow)}" if narrow or not boxes else None


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
    lines = (project / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}
    brings = {module: set(map(canonicalize_name, names)) for module, names in packages_distributions().items()}
    modules = {name.split(".")[0] for name in loaded}
    used = set().union(*(brings.get(module, ()) for module in modules))
    own = [project / "inference.py", *(Path(path) for path in loaded.values() if path and Path(path).is_relative_to(
        project / "helpers"))]  # fmt: skip
    needed = {module for path in own for module in _imports(path)} & modules
    faults = [f"inference does not import {name}" for name in sorted(listed - used)]
    faults += [f"{module} is missing" for module in sorted(needed) if not listed & brings.get(module, {module})]
    return f"requirements.txt: {'; '.join(faults)}" if faults else None


def small_enough(archive: Path) -> str | None:
    """The archive can be uploaded."""
    size = archive.stat().st_size / 1e6
    return f"the archive has {size:.0f} MB, more than {MOST_MB}" if size > MOST_MB else None


def _imports(path: Path) -> set[str]:
    """Third-party packages that a file imports, at its top or inside of functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"helpers"}


def members(root: Path) -> list[Path]:
    """Files of the project that are handed in, relative to its folder, sorted."""
    found = {path.relative_to(root) for pattern in CONTENT for path in root.glob(pattern) if path.is_file()}
    return sorted((path for path in found if not path.name.startswith(".")), key=Path.as_posix)


def write(path: Path, root: Path, files: list[Path], folder: str) -> None:
    """Zip files of the project below one folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in files:
            info = zipfile.ZipInfo(f"{folder}/{name.as_posix()}", EPOCH)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(info, (root / name).read_bytes())


def loaded_modules(project: Path, test_folder: Path, scratch: Path) -> dict[str, str | None]:
    """Modules, and their files, that the unpacked inference loads when all of its outputs are asked for."""
    report = scratch / "modules.json"
    outputs = "--confusion_matrix", scratch / "c.png", "--predictions", scratch / "p.csv", "--json", scratch / "s.json"
    _run([sys.executable, "-c", TRACE, report, "--test_dir", test_folder, *outputs], project)
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
