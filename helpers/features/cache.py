"""Pooled features of many files: on all cores or on a cluster, kept on disk in shards, resumed after a kill.

A shard is the feature matrix of SHARD_NOTES files. Its name is a digest of the configuration, of the code that
computes the features, and of the files' names, sizes and times: what is found under that name is right, whatever run
wrote it, and a changed file or setting leads to another name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from helpers import audio
from helpers.config import CACHE, InputError
from helpers.features import notes, pooled, spectral
from helpers.features.spectral import SpectralConfig
from helpers.files import atomic, fingerprint

SHARD_NOTES = 128
CODE = (spectral, notes, pooled)


def extract(
    paths: Sequence[Path], config: SpectralConfig, cache: Path = CACHE / "pooled", progress: bool = True
) -> np.ndarray:
    """Pooled features, float32 [paths, D], in the order of the paths; only missing shards are computed.

    Runs where `workers` says: in this process if nothing is said.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    code = [Path(module.__file__).read_text(encoding="utf-8") for module in CODE]
    shards = [list(paths[start : start + SHARD_NOTES]) for start in range(0, len(paths), SHARD_NOTES)]
    files = [Path(cache) / f"{shard_key(shard, config, code)}.npy" for shard in shards]
    stored = [_load(file, len(shard)) for file, shard in zip(files, shards, strict=True)]
    missing = [number for number, matrix in enumerate(stored) if matrix is None]
    tasks = (joblib.delayed(_numbered)(number, shards[number], config) for number in missing)
    jobs = None if len(missing) > 1 else 1  # a single shard is done here before other processes have started
    done = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
    with tqdm(total=len(paths), desc="features", unit="note", disable=not progress or not missing) as bar:
        bar.update(sum(len(matrix) for matrix in stored if matrix is not None))
        for number, matrix in done:
            with atomic(files[number]) as temporary:
                np.save(temporary, matrix)
            stored[number] = matrix
            bar.update(len(matrix))
    return np.concatenate(stored)


def pool_files(paths: Sequence[Path], config: SpectralConfig) -> np.ndarray:
    """Pooled features, float32 [paths, D], of audio files, without the cache."""
    waveforms = [audio.read(path, config.sample_rate, duration=config.seconds) for path in paths]
    return pooled.pool_notes(np.stack([audio.fit_length(wave, config.samples) for wave in waveforms]), config)


def shard_key(paths: Sequence[Path], config: SpectralConfig, code: Sequence[str]) -> str:
    """Digest of everything that the features of these files depend on."""
    return fingerprint([*code, asdict(config), *(_identity(Path(path)) for path in paths)])


@contextlib.contextmanager
def workers(jobs: int = -1, dask: str = "") -> Iterator[None]:
    """Let joblib, inside the block, use so many processes (-1: one for each core), or the cluster at `dask`.

    The workers of a cluster need this package and the same paths to the audio.

    Raises:
        InputError: there is no scheduler at the address.
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


def _numbered(number: int, paths: Sequence[Path], config: SpectralConfig) -> tuple[int, np.ndarray]:
    return number, pool_files(paths, config)


def _identity(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; examples.json and audio/ belong to different data") from None
    return path.name, status.st_size, status.st_mtime_ns


def _load(file: Path, notes: int) -> np.ndarray | None:
    """A stored shard; None if it is absent or damaged."""
    try:
        matrix = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return matrix if matrix.ndim == 2 and len(matrix) == notes else None
