"""Work cut to pieces with their own seeds: results depend on neither process count nor interruptions."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from tqdm import tqdm

from helpers.files import read_json, write_json

PARTS = ".parts"  # folder of what finished pieces returned, while a corpus is being written


class Job(NamedTuple):
    """One piece: `function(folder, rng, *arguments)` writes files below the folder and returns what JSON can hold."""

    name: str  # unique in its corpus; the random numbers depend on it and on the seed
    function: Callable[..., Any]
    arguments: tuple = ()


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one piece."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def run_all(jobs: list[Job], folder: Path, seed: int, label: str) -> list[Any]:
    """Run the jobs on all cores with a progress bar; what an earlier call finished is not done again.

    Returns:
        what the jobs returned, in their order.
    """
    done = joblib.Parallel(n_jobs=-1, return_as="generator")(joblib.delayed(_run)(job, folder, seed) for job in jobs)
    return list(tqdm(done, total=len(jobs), desc=label, unit="part"))


def _run(job: Job, folder: Path, seed: int) -> Any:
    part = folder / PARTS / f"{zlib.crc32(job.name.encode()):08x}.json"
    if not part.exists():
        write_json(part, job.function(folder, generator(seed, job.name), *job.arguments))
    return read_json(part)
