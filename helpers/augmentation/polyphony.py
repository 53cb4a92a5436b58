"""Mixing that makes polyphony out of clips of one instrument, and backgrounds behind a clip.

Axis letters: B batch, T samples, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from helpers import audio
from helpers.datasets.base import Clip

QUIET = 1e-6  # root mean square below which a signal is left alone


@dataclass(frozen=True)
class MixAndUnite:
    """Sums of clips with the union of their labels: single-label training data teach polyphony.

    Each clip keeps its place and, with `probability`, gets up to `voices - 1` others of the batch added at a random
    level below its own. Targets that are not known (NaN) stay unknown unless a partner is known to sound.
    """

    voices: int = 3  # instruments at once, at most
    probability: float = 0.7  # of a clip being mixed at all
    level_db: tuple[float, float] = (-9.0, 0.0)  # of an added clip relative to the first

    def __call__(self, waveforms: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, T], [B, C] -> the same."""
        batch, device = len(waveforms), waveforms.device
        loud = waveforms / waveforms.square().mean(dim=1, keepdim=True).sqrt().clamp_min(QUIET)
        added = torch.randint(1, self.voices, (batch, 1), device=device)  # how many join each clip
        added = added * (torch.rand(batch, 1, device=device) < self.probability)
        mixed, united = loud, targets
        for voice in range(self.voices - 1):
            partner = torch.randperm(batch, device=device)
            joins = voice < added  # [B, 1]
            level = torch.empty(batch, 1, device=device).uniform_(*self.level_db)
            mixed = mixed + joins * 10 ** (level / 20) * loud[partner]
            united = torch.where(joins, torch.fmax(united, targets[partner]), united)
        return mixed / mixed.abs().amax(dim=1, keepdim=True).clamp_min(1.0), united


@dataclass(frozen=True)
class Background:
    """Another recording behind the clip at a random signal-to-noise ratio; the labels are those of the clip alone.

    For each item a stretch of one of the clips is read from disk, so that memory does not grow with their number.
    """

    clips: Sequence[Clip] = field(repr=False)
    sample_rate: int  # Hz
    snr_db: tuple[float, float] = (-2.0, 20.0)

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[T] -> [T]."""
        clip = self.clips[int(rng.integers(len(self.clips)))]
        behind = stretch(clip, len(waveform), self.sample_rate, rng)
        signal, noise = np.sqrt(np.mean(waveform**2)), np.sqrt(np.mean(behind**2))
        if min(signal, noise) < QUIET:
            return waveform
        return waveform + behind * (signal / noise * 10 ** (-rng.uniform(*self.snr_db) / 20))


def stretch(clip: Clip, samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """So many samples from a random place in a clip; a shorter clip is padded."""
    length = clip.duration if clip.duration is not None else audio.length(clip.path) - clip.start
    seconds = samples / sample_rate
    start = clip.start + rng.uniform(0, max(0.0, length - seconds))
    return audio.fit_length(audio.read(clip.path, sample_rate, start, seconds), samples)
