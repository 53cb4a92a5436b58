"""IRMAS on disk: what is missing or wrong, and how to get it; downloading and unpacking."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets import irmas
from helpers.datasets.base import Report, data_label
from helpers.datasets.download import fetch
from helpers.files import atomic, inside

COPY_BYTES = 1 << 20


def validate(root: Path) -> Report:
    """Count clips, read every label file and every audio header; faults are collected, not raised.

    Raises:
        InputError: there is no training folder at all.
    """
    train_folder = irmas.split_folders(root, "train")[0]
    train = list(irmas.audio_files(train_folder))
    test = [path for folder in _test_folders(root) for path in irmas.audio_files(folder)]
    label = data_label(train_folder, len(train), irmas.OFFICIAL["train"])
    problems = [*_labels_wrong(train, test), *_unreadable([*train, *test])]
    if label != "demo":
        problems += _missing(train, test)
    unnamed = sum(not irmas.RECORDING.search(path.stem) for path in train)
    notes = [f"{unnamed} training clips have no recording id: a split cannot keep their recordings together"]
    return Report("IRMAS", label, {"train": len(train), "test": len(test)}, problems, notes if unnamed else [])


def download(root: Path) -> None:
    """Fetch the four archives to `root/irmas` and unpack them there; both go on where they were interrupted.

    Raises:
        InputError: the server cannot be reached or an archive is damaged.
    """
    folder = Path(root) / "irmas"
    for archive in irmas.DOWNLOADS:
        unpack(fetch(archive, folder), folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file; members that are there in full already are left as they are.

    Raises:
        InputError: the archive is damaged, or a member points outside of the folder.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            for member in tqdm(members, desc=f"unpack {archive.name}", unit="file", disable=None):
                target = inside(folder, member.filename)
                if not (target.is_file() and target.stat().st_size == member.file_size):
                    _extract(content, member, target)
    except zipfile.BadZipFile as error:
        raise InputError(f"{archive}: damaged archive ({error}); delete it and download it again") from None


def _extract(content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    with atomic(target) as temporary, content.open(member) as source, open(temporary, "wb") as file:
        while block := source.read(COPY_BYTES):
            file.write(block)


def _test_folders(root: Path) -> list[Path]:
    try:
        return irmas.split_folders(root, "test")
    except InputError:
        return []


def _labels_wrong(train: list[Path], test: list[Path]) -> Iterator[str]:
    """Folders that are no code, tags that contradict the folder, and faulty label files."""
    for path in train:
        tagged = irmas.tags(path.stem).code
        if tagged and tagged != path.parent.name:
            yield f"{path}: the name says {tagged!r}, the folder {path.parent.name!r}; move it to the right folder"
        elif path.parent.name not in irmas.CODES:
            yield f"{path}: folder {path.parent.name!r} is none of {', '.join(irmas.CODES)}; move the file"
    for path in test:
        try:
            irmas.read_labels(path.with_suffix(".txt"))
        except InputError as error:
            yield str(error)


def _unreadable(paths: list[Path]) -> Iterator[str]:
    for path in tqdm(paths, desc="read headers", unit="file", disable=None):
        try:
            if audio.length(path) == 0:
                yield f"{path}: holds no audio; unpack it again"
        except InputError as error:
            yield str(error)


def _missing(train: list[Path], test: list[Path]) -> Iterator[str]:
    """Counts that differ from the published ones."""
    found = Counter(path.parent.name for path in train)
    short = {code: n for code, n in irmas.OFFICIAL_TRAIN.items() if found[code] != n}
    if short:
        listed = ", ".join(f"{code} {found[code]} of {n}" for code, n in short.items())
        yield f"training clips: {listed}; {irmas.REMEDY}"
    if len(test) != irmas.OFFICIAL["test"]:
        yield f"test excerpts: {len(test)} of {irmas.OFFICIAL['test']}; {irmas.REMEDY}"
