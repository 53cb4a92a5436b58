"""The hand-in: an archive of code, requirements, one checkpoint and the sources of the report; the report beside it.

The rules of the course are a function each, which raises `InputError` with the reason where a rule is not met. The
inference that is handed in is run as a grader would: unpacked, on a small generated test folder.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.config import InputError
from helpers.demo import build
from helpers.files import atomic
from helpers.reporting import slides

IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)
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
TRACED = re.compile(r"import time: .*\| +(\S+)$", re.MULTILINE)  # what Python writes of an import when it is asked to
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same time for every file, so that the same input gives the same bytes
ACCURACIES = re.compile(r"^top-1 accuracy: \d+\.\d\d%\ntop-3 accuracy: \d+\.\d\d%$", re.MULTILINE)


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
        pdf, project = Path(scratch).resolve() / report.name, Path(scratch).resolve() / folder
        write(packed, root, members(root), folder)
        shutil.unpack_archive(packed, project.parent, "zip")
        notes = build.write("tiny", project.parent / "demo", corpora=("nsynth",)) / "nsynth" / "nsynth-test"
        rules = {
            "the report is there and 16:9": lambda: report_is_wide(slides.build(root / "report", cover, pdf).path),
            "README.txt names the inference command": lambda: readme_names_the_command(project),
            "one checkpoint, no data, no caches": lambda: one_checkpoint_no_data(members(root)),
            f"at most {MOST_MB} MB": lambda: small_enough(packed),
            "requirements.txt is what inference imports": lambda: requirements_fit(project, imported(project, notes)),
            "runs in a fresh environment": lambda: fresh_environment(project, notes),
        }
        unmet = 0
        for rule, check in list(rules.items())[: None if verify else -1]:
            try:
                found = check()
                print(f"ok  {rule}{f' ({found} on generated notes)' if found else ''}", flush=True)
            except InputError as error:
                unmet += 1
                print(f"NOT {rule}: {error}", flush=True)
        if unmet:
            raise InputError(f"not packed: {unmet} rule{'s' if unmet > 1 else ''} not met, see the list")
        with atomic(report) as copy:
            shutil.copyfile(pdf, copy)
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB) and {report}")
    return target, report


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


def report_is_wide(pdf: Path) -> None:
    """Every page of the report is 16:9."""
    import pypdf

    try:
        boxes = [page.mediabox for page in pypdf.PdfReader(pdf).pages]
    except pypdf.errors.PyPdfError as error:
        raise InputError(f"{pdf.name} is not a PDF ({error})") from None
    narrow = [str(n) for n, box in enumerate(boxes, 1) if abs(9 * float(box.width) / float(box.height) - 16) > 0.02]
    if narrow or not boxes:
        raise InputError(f"{pdf.name}: not 16:9 on page {', '.join(narrow)}")


def readme_names_the_command(project: Path) -> None:
    """The grader finds how inference is run."""
    readme = project / "README.txt"
    if not readme.is_file() or not COMMAND.search(readme.read_text(encoding="utf-8")):
        raise InputError("it does not name the command `python inference.py --test_dir DIR`")


def one_checkpoint_no_data(files: list[Path]) -> None:
    """The checkpoint for inference is in the archive, and no audio, features, caches or other models are."""
    names = [path.as_posix() for path in files]
    if CHECKPOINT not in names:
        raise InputError(f"{CHECKPOINT} is not there; train it with `python -m helpers nsynth train`")
    if surplus := [name for name in names if name.endswith(DATA_OR_MODEL) and name != CHECKPOINT]:
        raise InputError(f"does not belong into the archive: {', '.join(surplus)}")


def small_enough(archive: Path) -> None:
    """The archive can be uploaded."""
    size = archive.stat().st_size / 1e6
    if size > MOST_MB:
        raise InputError(f"the archive has {size:.0f} MB, more than {MOST_MB}")


def requirements_fit(project: Path, loaded: set[str]) -> None:
    """requirements.txt has what inference imports, no more and no less; `loaded`: modules that a run of it loads."""
    lines = (project / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}
    packages = {name.partition(".")[0] for name in loaded}
    brings = {package: set(map(canonicalize_name, names)) for package, names in packages_distributions().items()}
    surplus = listed.difference(*(brings.get(package, ()) for package in packages))
    modules = {".".join(path.relative_to(project).with_suffix("").parts).removesuffix(".__init__"): path
               for path in project.glob("helpers/**/*.py")}  # fmt: skip
    own = [project / "inference.py", *(path for name, path in modules.items() if name in loaded)]
    named = {name for path in own for name in IMPORT.findall(path.read_text(encoding="utf-8"))}
    needed = named & packages & (brings.keys() - {"helpers"})  # own code names it, at a file's top or in a function
    faults = [f"inference does not import {name}" for name in sorted(surplus)]
    faults += [f"{package} is missing" for package in sorted(needed) if not listed & brings[package]]
    if faults:
        raise InputError(f"requirements.txt: {'; '.join(faults)}")


def imported(project: Path, notes: Path) -> set[str]:
    """Modules that the unpacked inference loads when all of its outputs are asked for."""
    outputs = "--confusion_matrix", "c.png", "--predictions", "p.csv", "--json", "s.json"
    done = _run([sys.executable, "-X", "importtime", "inference.py", "--test_dir", notes, *outputs], project)
    return set(TRACED.findall(done.stderr))


def fresh_environment(project: Path, notes: Path) -> str:
    """Create an environment, install requirements.txt, run inference; returns what it printed about accuracy.

    Raises:
        InputError: a step fails, or the two accuracies are not the last lines.
    """
    environment = project.parent / "environment"
    _run([sys.executable, "-m", "venv", environment], project)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"], project)
    printed = _run([python, "inference.py", "--test_dir", notes], project).stdout.strip()
    found = ACCURACIES.search(printed)
    if not found or not printed.endswith(found.group()):
        raise InputError(f"inference.py does not end with the two accuracies but with {printed[-80:]!r}")
    return found.group().replace("\n", ", ")


def _run(command: list, folder: Path) -> subprocess.CompletedProcess:
    """Run a command in a folder so that it sees no other copy of this project.

    Raises:
        InputError: it fails; the last line that it wrote is quoted.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = TRACED.sub("", f"{done.stdout}\n{done.stderr}").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "no message")
        raise InputError(f"{Path(words[0]).name} {' '.join(words[1:4])}: {last}")
    return done
