"""Struck bars, bells and plates: mallet instruments, gongs and the struck idiophones of film music.

Mode ratios after Fletcher & Rossing, "The Physics of Musical Instruments", ch. 19–21.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.demo.sound import Notes, bins, damped, filtered, low_pass, modes, noise, peak_to, wobble

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
