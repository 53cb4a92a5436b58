"""A drum kit: kick, snare, hi-hats, tom, crash, clap and rim, each a few modes and a burst of noise.

Struck bars, bells and plates: mallet instruments, gongs and the struck idiophones of film music.

Mode ratios after Fletcher & Rossing, "The Physics of Musical Instruments", ch. 19–21.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from helpers.demo.sound import Notes, bins, damped, filtered, low_pass, modes, noise, peak_to, wobble


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


RATIOS = (
    (1.0, 3.93, 9.24, 16.3, 24.0),  # marimba
    (1.0, 4.0, 10.1, 18.0, 26.5),  # vibraphone
    (1.0, 3.0, 6.1, 10.2, 15.5),  # xylophone
    (1.0, 2.756, 5.404, 8.933, 13.34),  # free bar: glockenspiel, metallophone
    (0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.1, 5.4),  # church bell
    (1.0, 1.5, 2.0, 2.5, 3.2, 4.1, 5.1),  # tubular bell
    (1.0, 2.0, 3.0, 4.0, 5.95, 8.1),  # tuned steel, music box
)

GONG_MODES = 130


@dataclass(frozen=True)
class Bar:
    """A tuned bar or bell."""

    shape: float  # which of RATIOS (its integer part)
    jitter: float  # relative mistuning of the overtones, fixed for the instrument
    t60: float  # s, fundamental at middle C
    damping: float  # how much faster overtones die, by frequency ratio
    hardness: float  # Hz, low pass of the mallet at full velocity
    knock: float  # loudness of the mallet noise
    motor: float  # Hz, vibraphone tremolo; below 2: none
    damper: float  # s, time constant after release
    voicing: float  # seed of the instrument's overtone weights

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        own = np.random.default_rng(int(self.voicing))
        ratios = np.array(RATIOS[int(self.shape)], np.float32)
        ratios = ratios * (1 + self.jitter * own.standard_normal(len(ratios)) * (ratios != 1.0))
        weights = own.uniform(0.25, 1.0, len(ratios)) / np.maximum(ratios, 1) ** 0.5
        weights[RATIOS[int(self.shape)].index(1.0)] = 1.0
        frequency = notes.frequency * ratios[None]
        amplitude = weights * low_pass(frequency, self.hardness * (0.3 + 0.7 * notes.force), 1.0)
        amplitude = amplitude * np.exp(0.25 * notes.rng.standard_normal(amplitude.shape))
        t60 = self.t60 * np.sqrt(261.6 / notes.frequency) / ratios**self.damping
        wave = peak_to(modes(notes, frequency, t60, amplitude), 1.0)
        colour = low_pass(bins(notes.samples, notes.sample_rate), self.hardness)
        click = filtered(noise(notes) * np.exp(-notes.time / np.float32(0.004)), colour)
        wave = wave + self.knock * peak_to(click, notes.force)
        if self.motor > 2:
            wave = wave * (1 + 0.4 * wobble(notes, self.motor, 0.02))
        return peak_to(wave * damped(notes, self.damper), notes.force**0.8)


@dataclass(frozen=True)
class Gong:
    """A tam-tam or opera gong (luo): many inharmonic modes, a pitch that glides, brightness that blooms late."""

    size: float  # Hz, lowest strong mode at the instrument's own pitch
    density: float  # mean distance of neighbouring modes, relative to the lowest
    t60: float  # s, of the lowest mode
    damping: float  # how much faster 1 kHz dies
    glide: float  # semitones that the pitch moves while it rings; opera gongs rise or fall
    bloom: float  # s, until the high modes are at their loudest
    hardness: float  # Hz, of the beater
    voicing: float  # seed of the instrument's modes

    def play(self, notes: Notes) -> np.ndarray:
        """Render strokes to [n, t]; pitch 60 is the gong as it is built, other pitches are other sizes."""
        own = np.random.default_rng(int(self.voicing))
        steps = np.cumsum(own.exponential(self.density, GONG_MODES))
        ratios = np.concatenate([[1.0], 1.0 + steps])[None]
        frequency = self.size * notes.frequency / 261.6 * ratios
        weights = own.uniform(0.2, 1.0, ratios.shape) * np.exp(0.3 * notes.rng.standard_normal(frequency.shape))
        amplitude = weights * low_pass(frequency, self.hardness * (0.3 + 0.7 * notes.force), 1.2)
        t60 = self.t60 / (1 + self.damping * frequency / 1000)
        direct = modes(notes, frequency, t60, amplitude)
        beside = frequency[:, 20:] * (1 + 0.01 * own.standard_normal(GONG_MODES - 19))
        late = modes(notes, beside, 0.8 * t60[:, 20:], 1.5 * amplitude[:, 20:])
        wave = direct + late * (1 - np.exp(-notes.time / np.float32(self.bloom)))
        return peak_to(self._glide(notes, wave) * damped(notes, 0.15), notes.force**0.8)

    def _glide(self, notes: Notes, wave: np.ndarray) -> np.ndarray:
        """Bend the pitch by reading the waveform along a warped time axis."""
        bend = self.glide * (1 - np.exp(-notes.time[0] / np.float32(0.35 * self.t60)))
        place = np.cumsum(np.exp2((bend - max(self.glide, 0.0)) / 12.0), dtype=np.float64)
        grid = np.arange(notes.samples)
        return np.stack([np.interp(place, grid, row) for row in wave]).astype(np.float32)
