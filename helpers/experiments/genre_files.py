"""Genre of audio files of any length and format, and the files that sound most alike, by a checkpoint.

A file is read block by block and cut to windows as they come, so that memory does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.models.checkpoint import Checkpoint

BATCH = 8  # windows at a time
SHORTEST_S = 0.5  # s; the genre of less cannot be told
HOP = 1 / 2  # of a window
SILENCE = 1e-4  # of full scale: a file that stays below says nothing
SUFFIXES = (".wav", ".au", ".mp3", ".flac", ".ogg", ".aiff", ".m4a", ".opus", ".mp4")


@dataclass(frozen=True)
class Heard:
    """What a model makes of a file."""

    path: Path
    probabilities: np.ndarray  # [classes]
    embedding: np.ndarray  # [width], of unit length

    def top(self, classes: Sequence[str], k: int = 3) -> list[tuple[str, float]]:
        """The k likeliest genres with their probabilities."""
        return [(classes[index], float(self.probabilities[index])) for index in np.argsort(-self.probabilities)[:k]]


def hear(checkpoint: Checkpoint, paths: Sequence[Path]) -> Iterator[Heard | InputError]:
    """Listen to one file after the other; what cannot be used comes as the error that names it."""
    model = checkpoint.network()
    for path in tqdm(paths, unit="file", disable=None, leave=False):
        try:
            yield _hear(model, checkpoint, path)
        except InputError as error:
            yield error


def similar(query: Heard, others: Sequence[Heard], k: int) -> list[tuple[Path, float]]:
    """The k files nearest to the query with the cosines of their embeddings, nearest first, without the query."""
    candidates = [other for other in others if other.path.resolve() != query.path.resolve()]
    cosines = np.array([float(query.embedding @ other.embedding) for other in candidates])
    return [(candidates[index].path, cosines[index]) for index in np.argsort(-cosines, kind="stable")[:k]]


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below a folder, sorted.

    Raises:
        InputError: there are none.
    """
    paths = sorted(path for path in Path(folder).rglob("*")
                   if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder}: holds no audio files; give a folder with {', '.join(SUFFIXES[:4])} files")
    return paths


def _hear(model: torch.nn.Module, checkpoint: Checkpoint, path: Path) -> Heard:
    size = round(checkpoint.seconds * checkpoint.sample_rate)
    heard, log, embedding = 0, 0.0, 0.0
    windows = _windows(path, audio.stream(path, checkpoint.sample_rate), size, checkpoint.sample_rate)
    while batch := list(islice(windows, BATCH)):
        with torch.inference_mode():
            embedded = model.embed(torch.from_numpy(np.stack(batch)))
            log = log + torch.log_softmax(model.head(embedded), dim=1).double().sum(dim=0)
        embedding = embedding + embedded.double().sum(dim=0)
        heard += len(batch)
    if not heard:
        raise InputError(f"{path}: silent throughout; give a file with music in it")
    return Heard(Path(path), torch.softmax(log / heard, dim=0).numpy(), (embedding / embedding.norm()).numpy())


def _windows(path: Path, blocks: Iterable[np.ndarray], size: int, sample_rate: int) -> Iterator[np.ndarray]:
    """Whole windows [size] that are not silent; a file shorter than one is repeated to its length."""
    hop, buffer, found = round(size * HOP), np.zeros(0, np.float32), False
    for block in blocks:
        if not np.isfinite(block).all():
            raise InputError(f"{path}: holds values that are not finite numbers; encode it again")
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= size:
            found = True
            if np.abs(buffer[:size]).max() > SILENCE:
                yield buffer[:size]
            buffer = buffer[hop:]
    if found:
        return
    if len(buffer) < SHORTEST_S * sample_rate:
        raise InputError(f"{path}: too short ({len(buffer) / sample_rate:.2f} s); give at least {SHORTEST_S:g} s")
    if np.abs(buffer).max() > SILENCE:
        yield np.resize(buffer, size)
