"""The hand-in archive: code, README.txt, requirements, one checkpoint, and the sources of the report; nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

CHECKPOINT = "checkpoints/nsynth.pt"
CONTENT = (  # patterns relative to the project's folder; what is not named here is not handed in
    "README.txt",
    "requirements.txt",
    "requirements-dev.txt",
    "pyproject.toml",
    "inference.py",
    "helpers/**/*.py",
    "tests/**/*.py",
    "notebooks/*.ipynb",
    CHECKPOINT,
    "checkpoints/README.txt",
    "data/README.txt",
    "data/sources/*.md",
    "report/slides.typ",
    "report/slides/*.typ",
    "report/metrics/*.json",
    "report/figures/*.svg",
    "report/figures/*.png",
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same time for every file, so that the same input gives the same bytes


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
