"""The floors of the house: who may import whom, and who owns the heavy libraries. Imports in functions count too."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ROOT / "helpers"
FLOORS = {
    "config": 0,
    "files": 1, "video": 1,
    "audio": 2,
    "datasets": 3, "features": 3, "evaluation": 3, "plotting": 3,
    "augmentation": 4, "demo": 4, "models": 4,
    "training": 5, "prediction": 5,
    "experiments": 6,
    "reporting": 7,
    "commands": 8,
    "__main__": 9,
}  # fmt: skip
ONLY = {
    "evaluation": {"config", "files"},
    "plotting": {"config", "files"},
}
OWNERS = {
    "torch": {"features", "augmentation", "models", "training", "prediction"},
    "torchaudio": {"features", "augmentation", "models"},
    "torchvision": {"models"},
    "kymatio": {"features", "models"},
    "librosa": {"features", "augmentation", "demo"},
    "matplotlib": {"plotting"},
    "seaborn": {"plotting"},
    "lightning": {"training"},
    "torchmetrics": {"training"},
    "sklearn": {"datasets", "features", "models", "evaluation"},
    "skops": {"models"},
}
CONDUCTORS = {"experiments", "reporting", "commands", "__main__"}


def rooms() -> list[Path]:
    """All source files of the package."""
    return sorted(path for path in HELPERS.rglob("*.py") if path != HELPERS / "__init__.py")


def room_of(path: Path) -> str:
    """First part of the module path: `datasets` for helpers/datasets/nsynth.py."""
    return path.relative_to(HELPERS).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def test_imports_only_from_floors_below() -> None:
    breaches = []
    for path in rooms():
        room = room_of(path)
        used = {name.split(".")[1] for name in imports(path) if name.startswith("helpers.")} - {room}
        allowed = ONLY.get(room, {other for other in FLOORS if FLOORS[other] < FLOORS[room]})
        breaches += [f"{path.relative_to(ROOT)} imports {other}" for other in used - allowed]
    assert not breaches


def test_heavy_libraries_have_owners() -> None:
    breaches = []
    for path in rooms():
        for library in {name.split(".")[0] for name in imports(path)} & OWNERS.keys():
            owners = OWNERS[library] | (CONDUCTORS if library == "torch" else set())
            if room_of(path) not in owners:
                breaches.append(f"{path.relative_to(ROOT)} imports {library}, which belongs in {sorted(owners)}")
    assert not breaches


def test_one_idea_a_file() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in rooms()}
    assert not {name: lines for name, lines in lengths.items() if lines > 250}


def test_the_house_does_not_grow() -> None:
    """A ratchet: lower these with every room that gets smaller; the house is drawn for 90 files and 11,000 lines."""
    files = sorted(HELPERS.rglob("*.py"))
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    assert len(files) <= 93
    assert lines <= 13_860


def test_package_docstring_maps_every_room() -> None:
    text = (HELPERS / "__init__.py").read_text(encoding="utf-8")
    assert not imports(HELPERS / "__init__.py")
    missing = {room_of(path) for path in rooms()} - {"__main__"} - {line.split(" ")[0] for line in text.splitlines()}
    assert not missing


def test_top_level_is_as_drawn() -> None:
    drawn = {"notebooks", "helpers", "data", "checkpoints", "report", "tests"}
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    tracked = listing.stdout.splitlines()
    folders = {name.split("/")[0] for name in tracked if "/" in name and not name.startswith(".")}
    assert folders <= drawn


def test_inference_loads_no_training_library() -> None:
    code = (
        "import sys, helpers.audio, helpers.datasets.nsynth, helpers.features.mel, helpers.models.notes, "
        "helpers.models.checkpoint, helpers.prediction.clips, helpers.evaluation.single\n"
        "print(sorted({'librosa', 'lightning', 'sklearn', 'pandas', 'matplotlib', 'seaborn', 'scipy', 'pooch', "
        "'pydantic', 'torchvision', 'kymatio', 'av'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
