"""Polyphony with known labels: solos added to excerpts of films, window by window.

Axis letters: B batch, T samples, N windows, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.ndimage import binary_closing

from helpers import audio
from helpers.datasets.base import Clip

GATE_DB = -32.0  # a solo sounds where its level is within so much of its loudest window
BRIDGE = 13  # windows; a listener does not call a shorter gap a pause
FADE = 400  # samples at both ends of an added stretch
QUIET = 1e-3  # root mean square of the quietest film that a solo is levelled against


@dataclass(frozen=True)
class AddSolos:
    """Adds up to `voices` solos to each excerpt, at a random place, level and speed; they are labelled as heard.

    A solo is a clip with one label: of ChMusic, a single note, or a stretch of a film in which one instrument plays
    alone. Classes are drawn alike often. Reading at another rate changes speed, pitch and timbre together, as if
    another player sat there with a larger or smaller instrument. Stretches are read from disk when they are drawn, so
    that memory does not grow with their number.
    """

    solos: Sequence[Clip] = field(repr=False)
    sample_rate: int  # Hz
    voices: int = 2
    snr_db: tuple[float, float] = (-8.0, 10.0)  # of a solo relative to the excerpt
    speed: tuple[float, float] = (0.8, 1.25)

    def __call__(self, waveforms: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, T], [B, N, C] -> the same; labels that are not known (NaN) stay unknown for the other classes."""
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        sound, labels = waveforms.cpu().numpy().copy(), targets.cpu().numpy().copy()
        for row in range(len(sound)):
            for _ in range(rng.integers(self.voices + 1)):
                self._add(sound[row], labels[row], rng)
        return torch.from_numpy(sound).to(waveforms), torch.from_numpy(labels).to(targets)

    def _add(self, sound: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> None:
        """Add one solo to [T] and [N, C] in place."""
        label = rng.choice(sorted({clip.labels[0] for clip in self.solos}))
        of_class = [clip for clip in self.solos if clip.labels[0] == label]
        window = len(sound) // len(labels)
        solo = self._stretch(of_class[rng.integers(len(of_class))], len(sound), rng)
        solo = solo[: len(solo) // window * window]
        level = np.sqrt(np.mean(solo**2)) if len(solo) else 0.0
        if level == 0:
            return
        solo *= max(np.sqrt(np.mean(sound**2)), QUIET) / level * 10 ** (rng.uniform(*self.snr_db) / 20)
        first = int(rng.integers(len(labels) - len(solo) // window + 1))
        sound[first * window : first * window + len(solo)] += solo
        heard = active(solo.reshape(-1, window))
        labels[first : first + len(heard), label][heard] = 1.0

    def _stretch(self, clip: Clip, samples: int, rng: np.random.Generator) -> np.ndarray:
        """A stretch of random length from a random place of a solo, faded in and out."""
        speed = np.exp(rng.uniform(*np.log(self.speed)))
        length = clip.duration if clip.duration is not None else audio.length(clip.path) - clip.start
        seconds = min(length, rng.uniform(0.3, 1.0) * samples / self.sample_rate * speed)
        start = clip.start + rng.uniform(0, length - seconds)
        solo = audio.read(clip.path, round(self.sample_rate / speed), start, seconds)[:samples]
        ramp = np.minimum(1.0, np.arange(1, len(solo) + 1) / FADE, dtype=np.float32)
        return solo * ramp * ramp[::-1]


def active(windows: np.ndarray) -> np.ndarray:
    """In which windows [N, samples] of a solo its instrument sounds: bool [N]."""
    power = np.mean(windows**2, axis=1)
    loud = power > power.max(initial=0.0) * 10 ** (GATE_DB / 10)
    return binary_closing(np.pad(loud, BRIDGE), np.ones(BRIDGE))[BRIDGE:-BRIDGE]
