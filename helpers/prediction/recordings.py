"""Let a frame-level network listen to a recording of any length, with constant memory.

Long recordings through a network window by window: memory depends on the window, not on the recording.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers import audio
from helpers.config import InputError
from helpers.datasets.film_sources import SAMPLE_RATE, WINDOW_S

WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
BATCH = 8  # excerpts at a time


def listen(network: nn.Module, blocks: Iterable[np.ndarray], context: int) -> np.ndarray:
    """Probabilities float32 [windows, classes] of a recording that comes in blocks [samples] of any size.

    Excerpts of `context` windows overlap by half, and of each only the middle half is kept, so that every answer has
    a quarter of the context or more on both sides. What is kept of a window is a few numbers: the memory for an hour
    is that of a minute and 2 MB.
    """
    network.eval()
    answers, total = [], 0
    for batch, heard in _batches(_excerpts(blocks, context)):
        total = heard
        with torch.inference_mode():
            probability = torch.sigmoid(network(torch.from_numpy(batch))).numpy()  # [excerpts, context, classes]
        answers += list(probability[:, context // 4 : context // 4 + context // 2])
    return np.concatenate(answers)[: total // WINDOW] if answers else np.zeros((0, 0), np.float32)


def _excerpts(blocks: Iterable[np.ndarray], context: int) -> Iterator[tuple[np.ndarray, int]]:
    """Half-overlapping excerpts [samples], padded with silence at both ends, and the length heard so far."""
    size, hop = context * WINDOW, context // 2 * WINDOW
    buffer, heard, given = np.zeros((size - hop) // 2, np.float32), 0, 0
    for block in blocks:
        buffer, heard = np.concatenate([buffer, block]), heard + len(block)
        while len(buffer) >= size:
            yield buffer[:size], heard
            buffer, given = buffer[hop:], given + hop
    while given < heard:
        yield np.pad(buffer[:size], (0, max(0, size - len(buffer)))), heard
        buffer, given = buffer[hop:], given + hop


def _batches(excerpts: Iterator[tuple[np.ndarray, int]]) -> Iterator[tuple[np.ndarray, int]]:
    """Stacks [up to BATCH, samples] and the length heard when they were complete."""
    while pairs := list(itertools.islice(excerpts, BATCH)):
        yield np.stack([excerpt for excerpt, _ in pairs]), pairs[-1][1]


def windows(path: Path, sample_rate: int, seconds: float, hop_s: float) -> Iterator[np.ndarray]:
    """Overlapping windows [samples] of a file of any length, decoded as they are needed.

    The windows start every `hop_s` seconds; the last one ends with the file, so that no window is mostly silence. A
    file shorter than a window gives one, padded at its end.

    Raises:
        InputError: the file is missing, unreadable, empty, or holds values that are not finite.
    """
    size, hop = round(seconds * sample_rate), round(hop_s * sample_rate)
    buffer = np.zeros(0, np.float32)
    for block in audio.stream(path, sample_rate):
        buffer = np.concatenate([buffer, _finite(block, path)])
        while len(buffer) >= size + hop:
            yield buffer[:size]
            buffer = buffer[hop:]
    if not len(buffer):
        raise InputError(f"{path}: holds no audio")
    yield audio.fit_length(buffer, size)
    if len(buffer) > size:
        yield buffer[-size:]


def predict_windows(
    network: nn.Module, path: Path, sample_rate: int, seconds: float, hop_s: float, batch_size: int = 16
) -> Iterator[np.ndarray]:
    """Logits [classes] of every window of a file, in their order."""
    pieces = windows(path, sample_rate, seconds, hop_s)
    with torch.inference_mode():
        while batch := list(islice(pieces, batch_size)):
            yield from network(torch.from_numpy(np.stack(batch))).float().numpy()


def _finite(block: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(block).all():
        raise InputError(f"{path}: holds values that are not finite numbers; encode it again")
    return block
