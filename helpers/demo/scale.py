"""An NSynth-like training split of any number of notes, to test that nothing grows with the size of the data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tqdm import tqdm

from helpers.demo.build import write
from helpers.files import read_json, write_json

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
