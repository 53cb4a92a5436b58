"""Generated corpora on disk: a corpus is complete or absent, and an interrupted run goes on where it stopped.

An NSynth-like training split of any number of notes, to test that nothing grows with the size of the data.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from filelock import FileLock
from tqdm import tqdm

from helpers.config import InputError
from helpers.datasets.base import DEMO_MARK
from helpers.demo import chmusic, films, gtzan, irmas, nsynth
from helpers.demo.jobs import PARTS, run_all
from helpers.files import fingerprint, read_json, write_json, write_text

CORPORA: dict[str, ModuleType] = {"nsynth": nsynth, "irmas": irmas, "chmusic": chmusic, "gtzan": gtzan, "films": films}
SIZES = ("tiny", "small", "large")


class Mark(NamedTuple):
    """What a folder of generated corpora says of itself."""

    size: str
    seed: int
    generator: str  # fingerprint of the code that wrote it


def generator() -> str:
    """Fingerprint of the code in this package."""
    return fingerprint(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py")))


def write(size: str, out: Path, seed: int = 0, corpora: Sequence[str] = tuple(CORPORA), force: bool = False) -> Path:
    """Generate corpora of a size below `out`, except those that are there already.

    Args:
        size: one of SIZES.
        out: the folder; afterwards it holds one folder for each corpus and DEMO.txt.
        seed: other seeds give other instruments and pieces.
        corpora: keys of CORPORA.
        force: replace generated corpora of another size, seed or version.

    Returns:
        `out`.

    Raises:
        InputError: `out` holds other generated corpora (and not `force`), or files that were not generated.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"):
        _claim(out, Mark(size, seed, generator()), force)
        for corpus in corpora:
            if not (out / corpus).is_dir():
                _write_corpus(out, corpus, size, seed)
    return out


def ensure(size: str, out: Path) -> Path:
    """Generate all corpora unless `out` holds them in this or a larger size; smaller or outdated ones are replaced.

    Raises:
        InputError: `out` holds files that were not generated.
    """
    mark = read_mark(out)
    if mark and mark.generator == generator() and SIZES.index(mark.size) >= SIZES.index(size):
        return write(mark.size, out, mark.seed)
    if mark:
        print(f"{out}: replacing generated corpora ({describe(mark)}) by size {size}", file=sys.stderr)
    return write(size, out, force=True)


def read_mark(out: Path) -> Mark | None:
    """What generated corpora `out` holds; None if there are none."""
    path = Path(out) / DEMO_MARK
    if not path.is_file():
        return None
    found = re.search(r"size: (\w+)\nseed: (\d+)\ngenerator: (\w+)", path.read_text(encoding="utf-8"))
    if not found or found[1] not in SIZES:
        raise InputError(f"{path}: was not written by this program; delete the folder or choose another one")
    return Mark(found[1], int(found[2]), found[3])


def describe(mark: Mark) -> str:
    """A mark in words."""
    return f"size {mark.size}, seed {mark.seed}" + ("" if mark.generator == generator() else ", of another version")


def _claim(out: Path, wanted: Mark, force: bool) -> None:
    """Make `out` a folder for these corpora; what is there is theirs, or goes."""
    mark = read_mark(out)
    if mark == wanted:
        return
    if mark is None and any(path.name != ".lock" for path in out.iterdir()):
        raise InputError(f"{out}: holds files that were not generated; choose an empty folder with --out")
    if mark and not force:
        raise InputError(
            f"{out}: holds generated corpora ({describe(mark)}), not {describe(wanted)}; "
            "replace them with --force, or choose another folder with --out"
        )
    for corpus in CORPORA:
        shutil.rmtree(out / corpus, ignore_errors=True)
        shutil.rmtree(_partial(out, corpus), ignore_errors=True)
    head = "Generated corpora, not recordings: every number that stands on them is a demo number.\n"
    write_text(out / DEMO_MARK, f"{head}size: {wanted.size}\nseed: {wanted.seed}\ngenerator: {wanted.generator}\n")


def _write_corpus(out: Path, corpus: str, size: str, seed: int) -> None:
    folder, module = _partial(out, corpus), CORPORA[corpus]
    module.finish(folder, run_all(module.jobs(size), folder, seed, f"demo {corpus}"))
    shutil.rmtree(folder / PARTS)
    folder.rename(out / corpus)


def _partial(out: Path, corpus: str) -> Path:
    """Where a corpus is while it is being written."""
    return out / f".{corpus}.partial"


STEP = 1000  # instrument numbers of the copies lie this far from the originals'


def write_scale(notes: int, out: Path) -> Path:
    """Write the small NSynth corpus below `out` and repeat its training notes under new names until there are `notes`.

    The copies are hard links where the file system has them, so 50,000 notes cost seconds and little space.

    Raises:
        InputError: `out` holds something else.
    """
    train = write("small", out, corpora=("nsynth",)) / "nsynth" / "nsynth-train"
    listed = read_json(train / "examples.json")
    originals = [entry for entry in listed.values() if int(entry["instrument_str"].rsplit("_", 1)[1]) < STEP]
    examples = {}
    for number in tqdm(range(notes), desc="demo scale", unit="note"):
        turn, index = divmod(number, len(originals))
        entry = _renamed(originals[index], turn, number)
        path = train / "audio" / f"{entry['note_str']}.wav"
        if not path.exists():
            _link(train / "audio" / f"{originals[index]['note_str']}.wav", path)
        examples[entry["note_str"]] = entry
    write_json(train / "examples.json", dict(sorted(examples.items())))
    return out


def _renamed(entry: dict, turn: int, number: int) -> dict:
    """The entry of a note's copy: another instrument of the same family and source."""
    stem, instrument = entry["instrument_str"].rsplit("_", 1)
    name = f"{stem}_{int(instrument) + turn * STEP:03d}"
    note = name + entry["note_str"].removeprefix(entry["instrument_str"])
    unique = entry["instrument"] + turn * STEP
    return {**entry, "note": number, "note_str": note, "instrument": unique, "instrument_str": name}


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # no hard links here, or too many of one file
        shutil.copyfile(source, target)
