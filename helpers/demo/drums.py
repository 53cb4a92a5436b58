"""A drum kit: kick, snare, hi-hats, tom, crash, clap and rim, each a few modes and a burst of noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from helpers.demo.sound import Notes, bins, filtered, noise, peak_to


class Hit(NamedTuple):
    """One stroke."""

    start: float  # s
    drum: str  # a key of LEVELS
    velocity: float  # 0..1


LEVELS = {"kick": 1.0, "snare": 0.8, "hat": 0.3, "open": 0.35, "tom": 0.7, "crash": 0.5, "clap": 0.6, "rim": 0.4}


@dataclass(frozen=True)
class Kit:
    """One drum kit; all its parameters are drawn by `draw_kit`."""

    kick: float  # Hz
    kick_decay: float  # s
    punch: float  # how far the kick's pitch falls
    snare: float  # Hz
    snare_decay: float  # s
    rattle: float  # noise against tone in the snare
    hat: float  # Hz, where the hi-hat begins
    hat_decay: float  # s
    tom: float  # Hz
    voicing: int

    def render(self, hits: Iterable[Hit], seconds: float, sample_rate: int) -> np.ndarray:
        """Hits to [samples]; every stroke of a drum is the same recording at another level, as in a sampler."""
        out = np.zeros(round(seconds * sample_rate), np.float32)
        samples: dict[str, np.ndarray] = {}
        for hit in hits:
            if hit.drum not in samples:
                samples[hit.drum] = LEVELS[hit.drum] * self._stroke(hit.drum, sample_rate)
            begin = max(0, round(hit.start * sample_rate))
            part = samples[hit.drum][: max(0, len(out) - begin)]
            out[begin : begin + len(part)] += hit.velocity * part
        return out

    def _stroke(self, drum: str, sample_rate: int) -> np.ndarray:
        """One stroke [samples] with peak 1."""
        seconds = 1.5 if drum in ("crash", "kick", "tom") else 0.5
        rng = np.random.default_rng([self.voicing, sorted(LEVELS).index(drum)])
        notes = Notes(np.array([60.0]), np.array([1.0]), np.array([seconds]), seconds, sample_rate, rng)
        return peak_to(STROKES[drum](self, notes), 1.0)[0] * np.minimum(1, (seconds - notes.time[0]) / 0.05)


def _fall(notes: Notes, decay: float) -> np.ndarray:
    return np.exp(-notes.time / np.float32(decay))


def _drop(notes: Notes, frequency: float, punch: float) -> np.ndarray:
    """A sine whose pitch drops quickly to `frequency`."""
    turns = frequency * (notes.time + punch * 0.03 * (1 - _fall(notes, 0.03)))
    return np.sin(np.float32(2 * np.pi) * turns)


def _band(notes: Notes, low: float, high: float) -> np.ndarray:
    """Noise between two frequencies in Hz."""
    frequency = bins(notes.samples, notes.sample_rate)
    ratio = np.maximum(frequency, 1.0)
    return filtered(noise(notes), 1 / (1 + (low / ratio) ** 4) / (1 + (ratio / high) ** 4))


def _kick(kit: Kit, notes: Notes) -> np.ndarray:
    click = 0.1 * _band(notes, 1000, 5000) * _fall(notes, 0.005)
    return _drop(notes, kit.kick, kit.punch) * _fall(notes, kit.kick_decay) + click


def _snare(kit: Kit, notes: Notes) -> np.ndarray:
    tone = _drop(notes, kit.snare, 0.6) * _fall(notes, 0.6 * kit.snare_decay)
    return tone + kit.rattle * _band(notes, 800, 9000) * _fall(notes, kit.snare_decay)


def _hat(kit: Kit, notes: Notes) -> np.ndarray:
    return _band(notes, kit.hat, 16000) * _fall(notes, kit.hat_decay)


def _open(kit: Kit, notes: Notes) -> np.ndarray:
    return _band(notes, kit.hat, 16000) * _fall(notes, 6 * kit.hat_decay)


def _tom(kit: Kit, notes: Notes) -> np.ndarray:
    return _drop(notes, kit.tom, 1.0) * _fall(notes, 0.25)


def _crash(kit: Kit, notes: Notes) -> np.ndarray:
    return _band(notes, 0.4 * kit.hat, 16000) * _fall(notes, 0.5)


def _clap(kit: Kit, notes: Notes) -> np.ndarray:
    bursts = sum(np.where(notes.time > at, np.exp(-(notes.time - at) / 0.008), 0) for at in (0, 0.011, 0.022))
    return _band(notes, 700, 4000) * (bursts + _fall(notes, kit.snare_decay)).astype(np.float32)


def _rim(kit: Kit, notes: Notes) -> np.ndarray:
    click = 0.2 * _band(notes, 2000, 6000) * _fall(notes, 0.01)
    return _drop(notes, 4.2 * kit.snare, 0.2) * _fall(notes, 0.015) + click


STROKES = {
    "kick": _kick, "snare": _snare, "hat": _hat, "open": _open,
    "tom": _tom, "crash": _crash, "clap": _clap, "rim": _rim,
}  # fmt: skip


def draw_kit(rng: np.random.Generator, electronic: bool = False) -> Kit:
    """A new kit; electronic ones have deeper kicks, sharper snares and shorter hats."""
    return Kit(
        kick=rng.uniform(42, 60) if electronic else rng.uniform(55, 85),
        kick_decay=rng.uniform(0.15, 0.5) if electronic else rng.uniform(0.06, 0.15),
        punch=rng.uniform(2, 6) if electronic else rng.uniform(0.5, 2),
        snare=rng.uniform(160, 240),
        snare_decay=rng.uniform(0.05, 0.2),
        rattle=rng.uniform(0.3, 0.9),
        hat=rng.uniform(5500, 8500),
        hat_decay=rng.uniform(0.015, 0.05),
        tom=rng.uniform(80, 140),
        voicing=int(rng.integers(2**31)),
    )
