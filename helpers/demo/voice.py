"""Singing and speaking: a glottal source through the formants of the vocal tract.

Formant tables after Peterson & Barney (1952) and Klatt, "Software for a cascade/parallel formant synthesizer" (1980).
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
    harmonic,
    low_pass,
    noise,
    peak_to,
    resonances,
    wobble,
)

VOWELS = np.array(  # Hz: F1 F2 F3 F4 F5 of an adult male; a smaller tract scales them
    [
        (730, 1090, 2440, 3400, 4500),  # a
        (530, 1840, 2480, 3400, 4500),  # e
        (270, 2290, 3010, 3600, 4600),  # i
        (570, 840, 2410, 3300, 4400),  # o
        (300, 870, 2240, 3300, 4400),  # u
        (490, 1350, 1690, 3300, 4400),  # er
    ],
    np.float32,
)
WIDTHS = np.array([80, 100, 140, 200, 260], np.float32)
HARMONICS = 80


@dataclass(frozen=True)
class Voice:
    """A voice, or a choir, that holds one vowel or moves to another."""

    tract: float  # scale of the formants: 1 a man, 1.2 a woman, 1.4 a child
    vowel: float  # position in VOWELS, fractions lie between neighbours
    target: float  # vowel that it moves to
    tilt: float  # dB an octave of the glottal source
    ring: float  # dB, strength of the formants
    breath: float  # loudness of aspiration
    attack: float  # s
    rate: float  # Hz, vibrato
    vibrato: float  # cents
    scoop: float  # semitones below pitch at the onset
    release: float  # s
    singers: float  # integer part
    spread: float  # cents between singers

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        spectra = np.stack([self._spectrum(notes, self.vowel), self._spectrum(notes, self.target)], axis=1)
        attack = self.attack * (1.5 - 0.7 * notes.force) * notes.uniform(0.8, 1.25)
        loudness = envelope(notes, attack, 0.4, 0.9, self.release) * (1 + 0.06 * drift(notes, 3.0))
        morph = np.clip(notes.time / np.float32(0.7 * notes.seconds) + 0.15 * drift(notes, 1.5), 0, 1)
        onset = np.clip((notes.time - np.float32(0.15)) / np.float32(0.5), 0, 1)
        wave = np.float32(0)
        for _ in range(int(self.singers)):
            bend = notes.uniform(-1, 1) * self.spread / 100 - self.scoop * np.exp(-notes.time / np.float32(0.06))
            bend = bend + onset * wobble(notes, self.rate) * np.float32(self.vibrato / 100) + 0.07 * drift(notes, 4.0)
            wave = wave + harmonic(notes, cycles(notes, bend), spectra, morph)
        wave = peak_to(wave, 1.0) + self.breath * self._aspiration(notes)
        return peak_to(wave * loudness, notes.force**0.7)

    def _formants(self, frequency: np.ndarray, vowel: float) -> np.ndarray:
        low = min(int(vowel), len(VOWELS) - 2)
        centres = (VOWELS[low] + (vowel - low) * (VOWELS[low + 1] - VOWELS[low])) * self.tract
        gains = self.ring - np.array([0, 4, 8, 10, 14])
        return resonances(frequency, centres, WIDTHS * self.tract, gains) * low_pass(frequency, 5000.0)

    def _spectrum(self, notes: Notes, vowel: float) -> np.ndarray:
        """Amplitudes of the harmonics [n, HARMONICS]."""
        orders = np.arange(1, HARMONICS + 1, dtype=np.float32)
        source = 10 ** ((self.tilt - 4 * (1 - notes.force)) * np.log2(orders) / 20)
        return source * self._formants(notes.frequency * orders, vowel)

    def _aspiration(self, notes: Notes) -> np.ndarray:
        frequency = bins(notes.samples, notes.sample_rate)
        return peak_to(noise(notes, self._formants(frequency, self.vowel) * np.minimum(frequency / 1500, 1)), 1.0)


def speech(notes: Notes, tract: float) -> np.ndarray:
    """Speech-like noise [n, t]: syllables of wandering vowels and fricatives around each note's pitch, with pauses."""
    rng = notes.rng
    syllables = np.clip(1.6 * wobble(notes, rng.uniform(3.2, 4.8), 0.5) + 0.4, 0, 1)
    pauses = np.clip(4 * drift(notes, 0.9) + 3.0, 0, 1)
    vowels = rng.permutation(len(VOWELS) - 1)[:4] + rng.random(4)
    singer = Voice(tract, vowels[0], vowels[1], -9, 24, 0.02, 0.02, 5, 0, 0, 0.05, 1, 0)
    spectra = np.stack([singer._spectrum(notes, vowel) for vowel in vowels], axis=1)
    phase = cycles(notes, 3.5 * drift(notes, 2.5) - notes.time % np.float32(2.7))
    voiced = peak_to(harmonic(notes, phase, spectra, np.clip(0.5 + 0.5 * drift(notes, 5.0), 0, 1)), 1.0)
    frequency = bins(notes.samples, notes.sample_rate)
    hiss = peak_to(noise(notes, np.exp(-(((frequency - 5500) / 2500) ** 2))), 0.35)
    fricatives = np.clip(3 * drift(notes, 6.0) - 2.2, 0, 1)
    return peak_to((voiced * syllables + hiss * fricatives) * pauses, notes.force)
