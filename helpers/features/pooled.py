"""One vector for each note, explained in notebook 02: frame-wise features summed up over time, envelope, partials.

Axes: B notes, T frames, K values of a feature, D columns. Columns are named `feature[_number].statistic`, or only
`feature` where it is one value for the note to begin with. A further feature of frames is an entry in
`Frames.tracks`, one of the whole note a function that returns name -> [B] and is added in `_table`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from helpers.features.notes import HELD_S, envelope_features, harmonic_features
from helpers.features.spectral import Frames, SpectralConfig

QUANTILES = (10, 50, 90)  # per cent
PARTS = {"onset": (0.0, 0.2), "early": (0.2, 1.0), "late": (1.0, HELD_S), "released": (HELD_S + 0.1, None)}  # s


def pool_notes(waveforms: np.ndarray, config: SpectralConfig) -> np.ndarray:
    """Pooled features, float32 [B, D], of waveforms float32 [B, samples]; finite for every finite input."""
    rows = [_table(waveform[None], config) for waveform in waveforms]  # one transform fits into the processor's cache
    return np.concatenate([np.stack(list(row.values()), axis=1) for row in rows])


@lru_cache
def column_names(config: SpectralConfig) -> tuple[str, ...]:
    """Names of the D columns that `pool_notes` gives under a configuration."""
    return tuple(_table(np.zeros((1, config.samples), np.float32), config))


def normalise(waveforms: np.ndarray) -> np.ndarray:
    """Waveforms [B, samples] scaled to a peak of 1; silence stays."""
    peak = np.abs(waveforms).max(axis=1, keepdims=True)
    return waveforms / np.where(peak > 0, peak, 1)


def summarise(track: np.ndarray, config: SpectralConfig) -> dict[str, np.ndarray]:
    """Statistics [B, K] of a track [B, T, K] over time: whole note first, then its parts."""
    rate = config.sample_rate / config.hop_length
    quantiles = np.quantile(track, np.array(QUANTILES, np.float32) / 100, axis=1)
    statistics = {"mean": track.mean(axis=1), "std": track.std(axis=1)}
    statistics |= {f"q{q}": values for q, values in zip(QUANTILES, quantiles, strict=True)}
    for name, (start, end) in PARTS.items():
        part = track[:, round(start * rate) : None if end is None else round(end * rate)]
        statistics[name] = part.mean(axis=1) if part.shape[1] else np.zeros_like(statistics["mean"])
    return statistics


def _table(waveforms: np.ndarray, config: SpectralConfig) -> dict[str, np.ndarray]:
    """Column name → values [B]."""
    frames = Frames(normalise(waveforms) if config.normalise else waveforms, config)
    table = {}
    for feature, track in frames.tracks.items():
        for statistic, values in summarise(track, config).items():
            for number in range(track.shape[2]):
                suffix = f"_{number:02d}" if track.shape[2] > 1 else ""
                table[f"{feature}{suffix}.{statistic}"] = values[:, number].astype(np.float32)
    return table | envelope_features(frames.waveforms, config.sample_rate) | harmonic_features(frames)
