"""Mixing: of notes with their targets (notebook 03), and polyphony with known labels out of sounds of one instrument
(notebook 04). What mixes batches draws from torch's global generators, which `training.fit` seeds for each epoch.
Axis letters: B batch, T samples, N windows, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.ndimage import binary_closing

from helpers import audio
from helpers.augmentation.waveform import Augmentation
from helpers.datasets.base import Clip

QUIET = 1e-6  # root mean square below which a signal is left alone
GATE_DB = -32.0  # a solo sounds where its level is within so much of its loudest window
BRIDGE = 13  # windows; a shorter gap is no pause
FADE = 400  # samples at both ends of an added stretch
SILENT = 1e-3  # root mean square of the quietest film that a solo is levelled against


@dataclass(frozen=True)
class Mixup:
    """Convex mixes of pairs, equally loud, targets alike (Zhang et al., mixup, ICLR 2018)."""

    alpha: float = 0.3  # of the beta distribution that the share is drawn from

    def __call__(self, waveforms: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, T], [B, C] -> the same."""
        share = torch.distributions.Beta(self.alpha, self.alpha).sample((len(targets), 1)).to(waveforms)
        share = torch.maximum(share, 1 - share)  # the clip itself prevails
        partner, loud = torch.randperm(len(targets), device=waveforms.device), levelled(waveforms)
        return share * loud + (1 - share) * loud[partner], share * targets + (1 - share) * targets[partner]


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
        batch, device, loud = len(waveforms), waveforms.device, levelled(waveforms)
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

    A stretch of one of the clips is read from disk each time, so that memory does not grow with their number.
    """

    clips: Sequence[Clip] = field(repr=False)
    sample_rate: int  # Hz
    snr_db: tuple[float, float] = (-2.0, 20.0)

    def __call__(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[T] -> [T]."""
        seconds = len(waveform) / self.sample_rate
        behind = _stretch(self.clips[int(rng.integers(len(self.clips)))], seconds, self.sample_rate, rng)
        behind = audio.fit_length(behind, len(waveform))
        signal, noise = np.sqrt(np.mean(waveform**2)), np.sqrt(np.mean(behind**2))
        if min(signal, noise) < QUIET:
            return waveform
        return waveform + behind * (signal / noise * 10 ** (-rng.uniform(*self.snr_db) / 20))


@dataclass(frozen=True)
class AddSolos:
    """Adds up to `voices` solos to each film excerpt, at a random place, level and speed, labelled where they sound.

    A solo is a clip with one label, or with none: an instrument outside the list, which adds sound and no label.
    Classes (and "none") are drawn alike often. Reading at another rate changes speed, pitch and timbre together, like
    a larger or smaller instrument. Stretches are read from disk when they are drawn.
    """

    solos: Sequence[Clip] = field(repr=False)
    sample_rate: int  # Hz
    voices: int = 2
    snr_db: tuple[float, float] = (-8.0, 10.0)  # of a solo relative to the excerpt
    speed: tuple[float, float] = (0.8, 1.25)
    augment: Augmentation | None = None  # of each solo: another room and microphone

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
        classes = sorted({clip.labels[:1] for clip in self.solos})
        label = classes[rng.integers(len(classes))]
        of_class = [clip for clip in self.solos if clip.labels[:1] == label]
        window = len(sound) // len(labels)
        solo = self._solo(of_class[rng.integers(len(of_class))], len(sound), rng)
        solo = solo[: len(solo) // window * window]
        level = np.sqrt(np.mean(solo**2)) if len(solo) else 0.0
        if level == 0:
            return
        solo = solo * (max(np.sqrt(np.mean(sound**2)), SILENT) / level * 10 ** (rng.uniform(*self.snr_db) / 20))
        first = int(rng.integers(len(labels) - len(solo) // window + 1))
        sound[first * window : first * window + len(solo)] += solo
        sounding = active(solo.reshape(-1, window))
        for index in label:  # none or one
            labels[first : first + len(sounding), index][sounding] = 1.0

    def _solo(self, clip: Clip, samples: int, rng: np.random.Generator) -> np.ndarray:
        """A stretch of random length from a random place of a solo, faded in and out."""
        speed = np.exp(rng.uniform(*np.log(self.speed)))
        seconds = rng.uniform(0.3, 1.0) * samples / self.sample_rate * speed
        solo = _stretch(clip, seconds, round(self.sample_rate / speed), rng)[:samples]
        if self.augment is not None and len(solo):
            solo = self.augment(solo, rng)
        ramp = np.minimum(1.0, np.arange(1, len(solo) + 1) / FADE, dtype=np.float32)
        return solo * ramp * ramp[::-1]


def levelled(waveforms: torch.Tensor) -> torch.Tensor:
    """[B, T] at a root mean square of 1; silence stays silent."""
    return waveforms / waveforms.square().mean(dim=1, keepdim=True).sqrt().clamp_min(QUIET)


def active(windows: np.ndarray) -> np.ndarray:
    """In which windows [N, samples] of a solo its instrument sounds: bool [N]."""
    power = np.mean(windows**2, axis=1)
    loud = power > power.max(initial=0.0) * 10 ** (GATE_DB / 10)
    return binary_closing(np.pad(loud, BRIDGE), np.ones(BRIDGE))[BRIDGE:-BRIDGE]


def _stretch(clip: Clip, seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """At most so many seconds from a random place in a clip."""
    length = clip.duration if clip.duration is not None else audio.length(clip.path) - clip.start
    seconds = min(length, seconds)
    return audio.read(clip.path, sample_rate, clip.start + rng.uniform(0, length - seconds), seconds)
