"""Pooled features of many files: on all cores or on a cluster, kept on disk in shards, resumed after a kill.

A shard is the feature matrix of SHARD_NOTES files. Its name is a digest of the code that computes the features, and
of the files' names, sizes and times: what is found under that name is right, whatever run wrote it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from helpers import audio
from helpers.config import CACHE, InputError
from helpers.features import mel, notes, partials, pooled
from helpers.files import atomic, fingerprint

FOLDER = CACHE / "pooled"
SHARD_NOTES = 128


def extract(paths: Sequence[Path]) -> np.ndarray:
    """Pooled features, float32 [paths, D], in the order of the paths; only missing shards are computed.

    Runs where `workers` says: in this process if nothing is said. An InputError if a file is missing or cannot be read.
    """
    code = [Path(module.__file__).read_text(encoding="utf-8") for module in (mel, notes, partials, pooled)]
    shards = [paths[start : start + SHARD_NOTES] for start in range(0, len(paths), SHARD_NOTES)]
    files = [FOLDER / f"{fingerprint([*code, *map(_identity, shard)])}.npy" for shard in shards]
    matrices = [_load(file, len(shard)) for file, shard in zip(files, shards, strict=True)]
    missing = [number for number, matrix in enumerate(matrices) if matrix is None]
    jobs = None if len(missing) > 1 else 1  # a single shard is done here before other processes have started
    done = joblib.Parallel(jobs, return_as="generator")(joblib.delayed(pool_files)(shards[n]) for n in missing)
    with tqdm(total=len(paths), desc="features", unit="note", disable=not missing) as bar:
        bar.update(sum(len(matrix) for matrix in matrices if matrix is not None))
        for number, matrix in zip(missing, done, strict=True):
            with atomic(files[number]) as temporary:
                np.save(temporary, matrix)
            matrices[number] = matrix
            bar.update(len(matrix))
    return np.concatenate(matrices)


def pool_files(paths: Sequence[Path]) -> np.ndarray:
    """Pooled features, float32 [paths, D], of audio files, without the cache."""
    waveforms = (audio.read(path, notes.SAMPLE_RATE, duration=notes.SAMPLES / notes.SAMPLE_RATE) for path in paths)
    return pooled.pool_notes(np.stack([audio.fit_length(waveform, notes.SAMPLES) for waveform in waveforms]))


@contextlib.contextmanager
def workers(jobs: int = -1, dask: str = "") -> Iterator[None]:
    """Let joblib, inside the block, use so many processes (-1: one for each core), or the cluster at `dask`.

    The workers of a cluster need this package and the same paths to the audio. An InputError if there is no scheduler
    at the address.
    """
    if not dask:
        with joblib.parallel_config("loky", n_jobs=jobs):
            yield
        return
    from dask.distributed import Client

    try:
        client = Client(dask, timeout=10)
    except (OSError, ValueError) as error:
        reason = f"no Dask scheduler answers ({type(error).__name__})"
        raise InputError(f"--dask {dask}: {reason}; start one with `dask scheduler`") from None
    with client, joblib.parallel_config("dask", n_jobs=-1):
        yield


def _identity(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; examples.json and audio/ belong to different data") from None
    return path.name, status.st_size, status.st_mtime_ns


def _load(file: Path, count: int) -> np.ndarray | None:
    """A stored shard; None if it is absent or damaged."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        matrix = np.load(file, allow_pickle=False)
        if matrix.ndim == 2 and len(matrix) == count:
            return matrix
    return None
