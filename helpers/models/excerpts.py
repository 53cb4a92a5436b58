"""Long recordings through a network window by window: memory depends on the window, not on the recording."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers import audio
from helpers.config import InputError


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
