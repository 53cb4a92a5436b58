"""Bowed strings: violin family and string sections, erhu, zhuiqin.

A bowed string moves as a sawtooth (Helmholtz motion); the body shapes it by many resonances that stay where they
are while the pitch moves (Fletcher & Rossing, "The Physics of Musical Instruments", ch. 10).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.demo.sound import (
    Notes,
    bins,
    cycles,
    drift,
    envelope,
    filtered,
    harmonic,
    low_pass,
    noise,
    peak_to,
    resonances,
    wobble,
)

HARMONICS = 96


@dataclass(frozen=True)
class Bowed:
    """A bowed string, or a section of them."""

    air: float  # Hz, lowest body resonance
    density: float  # ratio between neighbouring body resonances
    resonance: float  # dB, their mean strength
    bridge: float  # Hz, where the spectrum begins to fall steeply
    tilt: float  # amplitude falls with k to this power
    bow: float  # loudness of the bow noise
    attack: float  # s
    rate: float  # Hz, vibrato
    vibrato: float  # cents
    slide: float  # semitones the onset comes from (erhu players slide into notes)
    release: float  # s
    players: float  # integer part
    spread: float  # cents between players
    voicing: float  # seed of the body

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        spectra = self._spectra(notes)
        attack = self.attack * (1.6 - 0.8 * notes.force) * notes.uniform(0.8, 1.25)
        loudness = envelope(notes, attack, 0.3, 0.85, self.release) * (1 + 0.08 * drift(notes, 3.0))
        wave = np.float32(0)
        for _ in range(int(self.players)):
            bend = self._bend(notes) + notes.uniform(-1, 1) * np.float32(self.spread / 100)
            wave = wave + harmonic(notes, cycles(notes, bend), spectra, np.clip(loudness * notes.force, 0, 1))
        wave = peak_to(wave, 1.0) + self._rosin(notes)
        return peak_to(wave * loudness, notes.force**0.7)

    def _bend(self, notes: Notes) -> np.ndarray:
        """Deviation from the pitch in semitones [n, t]: slide, delayed vibrato, unsteadiness."""
        onset = np.clip((notes.time - np.float32(0.12)) / np.float32(0.4), 0, 1)
        slide = self.slide * notes.uniform(-1, 0.5) * np.exp(-notes.time / np.float32(0.05))
        return slide + onset * wobble(notes, self.rate) * np.float32(self.vibrato / 100) + 0.05 * drift(notes, 3.0)

    def _spectra(self, notes: Notes) -> np.ndarray:
        """Amplitudes of the harmonics, soft and loud [n, 2, HARMONICS]."""
        orders = np.arange(1, HARMONICS + 1, dtype=np.float32)
        frequency = notes.frequency * orders
        body = self._body(frequency)
        soft = body * low_pass(frequency, 0.5 * self.bridge, 1.5) / orders ** (self.tilt + 0.3)
        loud = body * low_pass(frequency, self.bridge, 2.0) / orders**self.tilt
        return np.stack([soft, loud], axis=1)

    def _body(self, frequency: np.ndarray) -> np.ndarray:
        own = np.random.default_rng(int(self.voicing))
        centres = self.air * self.density ** np.arange(12) * own.uniform(0.93, 1.07, 12)
        return resonances(frequency, centres, centres * 0.12, self.resonance + own.normal(0, 5, 12))

    def _rosin(self, notes: Notes) -> np.ndarray:
        """Bow noise, through the same body."""
        frequency = bins(notes.samples, notes.sample_rate)
        colour = self._body(frequency) * low_pass(frequency, self.bridge, 1.0) * np.minimum(frequency / 800, 1)
        scratch = 1 + 3 * np.exp(-notes.time / np.float32(0.05))
        return self.bow * peak_to(filtered(noise(notes), colour), 1.0) * scratch
