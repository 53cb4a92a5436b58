"""A mel spectrogram of a whole film at the resolution of a figure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import torch

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend

COLUMNS = 1500  # about as many as a figure has pixels
CHUNK_S = 5.0


def overview(blocks: Iterable[np.ndarray], seconds: float, config: MelConfig) -> tuple[np.ndarray, float]:
    """Mean mel level of a recording that comes in blocks [samples].

    Returns:
        level in dB, float32 [n_mels, columns]; and the seconds that a column stands for. Memory does not depend on
        the length.
    """
    pooled = max(1, round(seconds * config.frame_rate / COLUMNS))  # frames in a column
    size = pooled * config.hop_length * max(1, round(CHUNK_S * config.frame_rate / pooled))
    mel, columns, buffer = MelFrontend(config).mel, [], np.zeros(0, np.float32)
    for block in itertools.chain(blocks, [np.zeros(size, np.float32)]):  # the zeros push out the rest
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= size:
            power = mel(torch.from_numpy(buffer[:size]))[:, : size // config.hop_length]  # [n_mels, frames]
            columns.append(power.reshape(len(power), -1, pooled).mean(dim=2).numpy())
            buffer = buffer[size:]
    count = max(1, round(seconds * config.frame_rate / pooled))
    return 10 * np.log10(np.concatenate(columns, axis=1)[:, :count] + 1e-10), pooled / config.frame_rate
