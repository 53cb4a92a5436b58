"""Generated corpora on disk: a corpus is complete or absent, and an interrupted run goes on where it stopped.

Work is cut to jobs with their own seeds, so that results depend on neither process count nor interruptions.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import zlib
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from filelock import FileLock
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from helpers.config import DEMO, InputError
from helpers.datasets.base import DEMO_MARK
from helpers.files import fingerprint, read_json, write_json, write_text

CORPORA: dict[str, str] = {  # name -> module with jobs(size), and finish(folder, results) where something is left to do
    name: f"helpers.demo.{name}" for name in ("nsynth", "irmas", "chmusic", "gtzan", "films")
}
SIZES = ("tiny", "small", "large")
PARTIAL = ".{}.partial"  # folder of a corpus while it is being written
PARTS = ".parts"  # folder of what finished jobs returned, while a corpus is being written
STEP = 1000  # instrument numbers of the copies of `write_scale` lie this far from the originals'


class Job(NamedTuple):
    """One piece: `function(folder, rng, *arguments)` writes files below the folder and returns what JSON can hold."""

    name: str  # unique in its corpus; the random numbers depend on it and on the seed
    function: Callable[..., Any]
    arguments: tuple = ()


class Mark(NamedTuple):
    """What a folder of generated corpora says of itself."""

    size: str
    seed: int
    generator: str  # `version` of the code that wrote it

    def __str__(self) -> str:
        return f"size {self.size}, seed {self.seed}" + ("" if self.generator == version() else ", of another version")


def version() -> str:
    """Fingerprint of the code in this package."""
    return fingerprint(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py")))


def write(size: str, out: Path, seed: int = 0, corpora: Sequence[str] = (), force: bool = False) -> Path:
    """Generate corpora (keys of CORPORA; none: all) of one of SIZES below `out`, except those that are there already.

    Afterwards `out`, which is returned, holds a folder for each corpus and DEMO.txt. Other seeds give other instruments
    and pieces. With `force` generated corpora of another size, seed or version are replaced. Raises InputError: `out`
    cannot be written to, or holds other generated corpora (and not `force`) or other files.
    """
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock"):
            _claim(out, Mark(size, seed, version()), force)
            for corpus in corpora or CORPORA:
                if not (out / corpus).is_dir():
                    _write_corpus(out, corpus, size, seed)
    except OSError as error:
        remedy = "make room or choose another folder with --out; the same command goes on where it stopped"
        raise InputError(f"{out}: cannot be written ({error.strerror or error}); {remedy}") from None
    return out


def ensure(size: str, out: Path = DEMO) -> Path:
    """Generate the corpora unless `out` holds them in this or a larger size; a smaller or outdated one is replaced.

    Raises InputError: `out` holds something else than generated corpora.
    """
    mark = read_mark(out)
    if mark and mark.generator == version() and SIZES.index(mark.size) >= SIZES.index(size):
        return write(mark.size, out, mark.seed)
    if mark:
        print(f"{out}: replacing generated corpora ({mark}) by size {size}", file=sys.stderr)
    return write(size, out, force=True)


def read_mark(out: Path) -> Mark | None:
    """What generated corpora `out` holds; None if there are none."""
    path = Path(out) / DEMO_MARK
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"size: (\w+)\nseed: (\d+)\ngenerator: (\w+)", text)
    if not found or found[1] not in SIZES:
        raise InputError(f"{path}: was not written by this program; delete the folder or choose another one")
    return Mark(found[1], int(found[2]), found[3])


def _claim(out: Path, wanted: Mark, force: bool) -> None:
    """Make `out` a folder for these corpora; what is there is theirs, or goes."""
    mark = read_mark(out)
    if mark == wanted:
        return
    if mark is None and any(path.name != ".lock" for path in out.iterdir()):
        raise InputError(f"{out}: holds files that were not generated; choose an empty folder with --out")
    if mark and not force:
        remedy = "replace them with --force, or choose another folder with --out"
        raise InputError(f"{out}: holds generated corpora ({mark}), not {wanted}; {remedy}")
    for corpus in CORPORA:
        for folder in (corpus, PARTIAL.format(corpus)):
            shutil.rmtree(out / folder, ignore_errors=True)
    head = "Generated corpora, not recordings: every number that stands on them is a demo number.\n"
    write_text(out / DEMO_MARK, f"{head}size: {wanted.size}\nseed: {wanted.seed}\ngenerator: {wanted.generator}\n")


def _write_corpus(out: Path, corpus: str, size: str, seed: int) -> None:
    folder, module = out / PARTIAL.format(corpus), import_module(CORPORA[corpus])
    results = run_all(module.jobs(size), folder, seed, f"demo {corpus}")
    if hasattr(module, "finish"):
        module.finish(folder, results)
    shutil.rmtree(folder / PARTS)
    folder.rename(out / corpus)


def run_all(jobs: list[Job], folder: Path, seed: int, label: str) -> list[Any]:
    """What the jobs return, in their order, run on all cores; what an earlier call finished is not done again."""
    done = joblib.Parallel(n_jobs=-1, return_as="generator")(joblib.delayed(_run)(job, folder, seed) for job in jobs)
    return list(tqdm(done, total=len(jobs), desc=label, unit="part"))


def _run(job: Job, folder: Path, seed: int) -> Any:
    part = folder / PARTS / f"{zlib.crc32(job.name.encode()):08x}.json"
    if not part.exists():
        with threadpool_limits(1):  # sums by more threads round otherwise, and the bytes would depend on the machine
            write_json(part, job.function(folder, generator(seed, job.name), *job.arguments))
    return read_json(part)


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one job."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def write_scale(notes: int, out: Path) -> Path:
    """Write the small NSynth corpus below `out` and repeat its training notes under new names until there are `notes`.

    For tests that nothing grows with the size of the data. The copies are hard links where the file system has them, so
    50,000 notes cost seconds and little space. Raises InputError: `out` holds something else.
    """
    train = write("small", out, corpora=("nsynth",)) / "nsynth" / "nsynth-train"
    listed = read_json(train / "examples.json")
    originals = [entry for entry in listed.values() if int(entry["instrument_str"].rsplit("_", 1)[1]) < STEP]
    examples = {}
    for number in tqdm(range(notes), desc="demo scale", unit="note"):
        turn, index = divmod(number, len(originals))
        entry = originals[index]
        kind, instrument = entry["instrument_str"].rsplit("_", 1)
        name = f"{kind}_{int(instrument) + turn * STEP:03d}"
        note = name + entry["note_str"].removeprefix(entry["instrument_str"])
        unique = entry["instrument"] + turn * STEP
        examples[note] = {**entry, "note": number, "note_str": note, "instrument": unique, "instrument_str": name}
        source, target = (train / "audio" / f"{one}.wav" for one in (entry["note_str"], note))
        if not target.exists():
            try:
                os.link(source, target)
            except OSError:  # no hard links here, or too many of one file
                shutil.copyfile(source, target)
    write_json(train / "examples.json", dict(sorted(examples.items())))
    return out
