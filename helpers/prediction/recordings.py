"""Recordings of any length through a network, window by window: memory depends on the window, not on the recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers import audio
from helpers.datasets.film_sources import SAMPLE_RATE, WINDOW_S
from helpers.prediction.clips import BATCH_SIZE, batches, infer

WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
EXCERPTS = 8  # at a time


def windows(blocks: Iterable[np.ndarray], size: int, hop: int, margin: int | None = None) -> Iterator[np.ndarray]:
    """Overlapping windows [size] of a recording that comes in blocks [samples] of any size, one every `hop` samples.

    The last window ends with the recording, so that none is mostly silence; a recording shorter than a window gives
    one, padded at its end. With a `margin` the recording is surrounded by silence instead, so that what the windows
    hold between their margins covers all of it.
    """
    buffer, total, start = np.zeros(margin or 0, np.float32), 0, 0
    ahead = hop if margin is None else 0  # samples that are kept back for the last window
    for block in blocks:
        buffer, total = np.concatenate([buffer, block]), total + len(block)
        while len(buffer) >= size + ahead:
            yield buffer[:size]
            buffer, start = buffer[hop:], start + hop
    if margin is not None:
        for _ in range(start, total, hop):
            yield audio.fit_length(buffer, size)
            buffer = buffer[hop:]
    elif total:
        yield audio.fit_length(buffer, size)
        if len(buffer) > size:
            yield buffer[-size:]


def predict_windows(
    network: Callable[[torch.Tensor], torch.Tensor], path: Path, sample_rate: int, seconds: float, hop_s: float
) -> Iterator[np.ndarray]:
    """Logits [classes] of the windows of a file of any length, `hop_s` seconds apart, in their order.

    Raises:
        InputError: the file is missing, unreadable, empty, or holds values that are not finite.
    """
    cut = windows(audio.stream(path, sample_rate), round(seconds * sample_rate), round(hop_s * sample_rate))
    for logits in infer(network, batches(cut, BATCH_SIZE), np.stack):
        yield from logits


def predict_frames(network: nn.Module, blocks: Iterable[np.ndarray], context: int) -> np.ndarray:
    """Probabilities float32 [windows, classes], every 30 ms, of a recording that comes in blocks [samples].

    Excerpts of `context` windows overlap by half, and of each only the middle half is kept, so that every answer has
    a quarter of the context or more on both sides. The memory for an hour is that of a minute and 2 MB.
    """
    network.eval()
    quarter, total = context // 4, 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal total
        for block in blocks:
            total += len(block)
            yield block

    hop = context // 2
    excerpts = windows(counted(), context * WINDOW, hop * WINDOW, margin=(context - hop) * WINDOW // 2)
    kept = [
        probability[:, quarter : quarter + hop].reshape(-1, probability.shape[2])  # of [excerpts, context, classes]
        for probability in infer(lambda waves: network(waves).sigmoid(), batches(excerpts, EXCERPTS), np.stack)
    ]
    return np.concatenate(kept)[: total // WINDOW] if kept else np.zeros((0, 0), np.float32)
