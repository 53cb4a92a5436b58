"""IRMAS: 6,705 three-second training clips of one instrument each, 2,874 test excerpts with one or more; 44.1 kHz.

Read as it comes: `IRMAS-TrainingData/<code>/[<code>][…]NNNN__K.wav`, where the tags after the code may say drums and
genre, NNNN is the recording (the group) and K the clip; `IRMAS-TestingData-Part{1,2,3}/…/*.wav`, each with a `.txt`
of codes. Clips without the usual name load with the folder as label; each is then its own group.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import Archive, fetch
from helpers.datasets.base import Clip, Corpus, Report, locate, require
from helpers.files import atomic, inside, read_text

CODES = ("cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi")
NAMES = (
    "cello", "clarinet", "flute", "acoustic_guitar", "electric_guitar", "organ", "piano", "saxophone", "trumpet",
    "violin", "voice",
)  # fmt: skip
SECONDS = 3.0  # of a training clip; test excerpts last 5 to 20 s
OFFICIAL = {"train": 6_705, "test": 2_874}
OFFICIAL_TRAIN = dict(zip(CODES, (388, 505, 451, 637, 760, 682, 721, 626, 577, 580, 778), strict=True))
OFFICIAL_TEST_LABELS = dict(zip(CODES, (111, 62, 163, 535, 942, 361, 995, 326, 167, 211, 1_044), strict=True))
DOWNLOADS = {
    part: Archive(f"https://zenodo.org/records/1290750/files/IRMAS-{part}.zip?download=1", f"md5:{md5}", size)
    for part, md5, size in (("TrainingData", "4fd9f5ed5a18d8e2687e6360b5f60afe", "about 3 GB"),
                            ("TestingData-Part1", "5a2e65520dcedada565dff2050bb2a56", "2 to 3 GB"),
                            ("TestingData-Part2", "afb0c8ea92f34ee653693106be95c895", "2 to 3 GB"),
                            ("TestingData-Part3", "9b3fb2d0c89cdc98037121c25bd5b556", "2 to 3 GB"))
}
REMEDY = "get IRMAS with `python -m helpers irmas download`, or see data/README.txt"
RECORDING = re.compile(r"(\d+)__\d+$")  # at the end of the name of a training clip
EXCERPT = re.compile(r"-\d+$")  # at the end of the name of a test excerpt; what is before it is the track
TAG = re.compile(r"\[([a-z_]+)\]")  # the first is the instrument; `[cla]` after it is the genre classical


def clips(root: Path, split: str) -> list[Clip]:
    """Clips of "train" or "test" in the order of their paths; group = recording (train) or track (test).

    Raises InputError: the split is not there or empty, or a folder or label file holds no instrument code.
    """
    return require([_clip(path, split) for path in _paths(root, split)], f"{root} ({split} clips of IRMAS)")


def _paths(root: Path, split: str) -> list[Path]:
    """Audio files of the training folder, or of the test folders that are there, in `root` or in `root/irmas`."""
    train = locate(("irmas/IRMAS-TrainingData", "IRMAS-TrainingData"), root, REMEDY)
    folders = [train] if split == "train" else sorted(train.parent.glob("IRMAS-TestingData*"))
    return [path for folder in folders for path in audio_files(folder)]


def _clip(path: Path, split: str) -> Clip:
    """A test excerpt with the labels beside it, or a training clip: label from the folder, recording from the name."""
    if split == "test":
        return Clip(path, read_labels(path.with_suffix(".txt")), EXCERPT.sub("", path.stem))
    if path.parent.name not in CODES:
        raise InputError(f"{path}: folder {path.parent.name!r} is none of {', '.join(CODES)}; move the file")
    recording = RECORDING.search(path.stem)
    group = recording[1] if recording else f"{path.parent.name}/{path.stem}"
    return Clip(path, (CODES.index(path.parent.name),), group)


def read_labels(path: Path) -> tuple[int, ...]:
    """Sorted class indices of a test excerpt: one code a line, whatever its case; an InputError if it holds none."""
    lines = enumerate(read_text(path).splitlines(), start=1)
    codes = [(number, code) for number, line in lines for code in line.lower().split()]
    for number, code in codes:
        if code not in CODES:
            raise InputError(f"{path}: line {number}: {code!r} is none of {', '.join(CODES)}")
    if not codes:
        raise InputError(f"{path}: holds no instrument code; write one of {', '.join(CODES)} a line")
    return tuple(sorted({CODES.index(code) for _, code in codes}))


def ground_truth(path: Path) -> tuple[int, ...] | None:
    """Labels of any audio file: from the `.txt` beside it (raises as `read_labels`), else its folder, else None."""
    if path.with_suffix(".txt").is_file():
        return read_labels(path.with_suffix(".txt"))
    return (CODES.index(path.parent.name),) if path.parent.name in CODES else None


def audio_files(folder: Path) -> Iterator[Path]:
    """Audio files below a folder in order, without the hidden ones that archives from macOS hold."""
    return (path for path in sorted(Path(folder).rglob("*"))
            if path.suffix.lower() in (".wav", ".flac") and not path.name.startswith("."))


def validate(root: Path) -> Report:
    """Count clips, read every label file and audio header; faults are collected, not raised."""
    train, test = _paths(root, "train"), _paths(root, "test")
    label = CORPUS.label(root, "train", len(train))
    problems, checked = [], [*((path, "train") for path in train), *((path, "test") for path in test)]
    for path, split in tqdm(checked, desc="check", unit="file", disable=None, leave=False):
        for check in (_clip, _check):
            try:
                check(path, split)
            except InputError as error:
                problems.append(str(error))
    found = Counter(path.parent.name for path in train)
    short = [f"{code} {found[code]} of {n}" for code, n in OFFICIAL_TRAIN.items() if found[code] != n]
    if short and label != "demo":
        problems.append(f"training clips: {', '.join(short)}; {REMEDY}")
    if len(test) != OFFICIAL["test"] and label != "demo":
        problems.append(f"test excerpts: {len(test)} of {OFFICIAL['test']}; {REMEDY}")
    unnamed = sum(not RECORDING.search(path.stem) for path in train)
    notes = [f"{unnamed} training clips have no recording id: a split cannot keep their recordings together"]
    return CORPUS.report(label, {"train": len(train), "test": len(test)}, problems, notes if unnamed else [])


def download(root: Path) -> None:
    """Fetch the four archives to `root/irmas` and unpack them there, going on after a break; raises as both do."""
    folder = Path(root) / "irmas"
    for archive in DOWNLOADS.values():
        unpack(fetch(archive, folder), folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file; what is there in full stays. An InputError if it is damaged or leaves the folder."""
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            for member in tqdm(members, desc=f"unpack {archive.name}", unit="file", disable=None):
                target = inside(folder, member.filename)
                if target.is_file() and target.stat().st_size == member.file_size:
                    continue
                with atomic(target) as temporary, content.open(member) as source, open(temporary, "wb") as file:
                    shutil.copyfileobj(source, file)
    except zipfile.BadZipFile as error:
        raise InputError(f"{archive}: damaged archive ({error}); delete it and download it again") from None


def _check(path: Path, split: str) -> None:
    """Raise an InputError for a tag that contradicts the folder, or for sound that cannot be read."""
    tagged, folder = TAG.search(path.stem), path.parent.name
    if split == "train" and tagged and folder in CODES and tagged[1] != folder:
        raise InputError(f"{path}: the name says {tagged[1]!r}, the folder {folder!r}; move it to the right folder")
    if audio.length(path) == 0:
        raise InputError(f"{path}: holds no audio; unpack it again")


CORPUS = Corpus(
    name="irmas", title="IRMAS", classes=CODES, group="recording", places=("IRMAS-*",),
    test_places=("IRMAS-TestingData*", "irmas/IRMAS-TestingData*"), official=OFFICIAL, licence="CC BY-NC-SA 3.0",
    citation="Bosch, Janer, Fuhrmann, Herrera, A comparison of sound segregation techniques for predominant instrument "
             "recognition in musical audio signals, ISMIR 2012; Zenodo record 1290750",
    clips=clips, validate=validate, downloads=DOWNLOADS,
)  # fmt: skip
