"""Blown instruments: brass, single and double reeds, flutes, the dizi with its membrane, and free reeds.

A cylindrical pipe with a reed favours odd harmonics, a conical one has all; brass grows brighter with loudness
(Fletcher & Rossing, "The Physics of Musical Instruments", ch. 13–16).
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
    noise,
    peak_to,
    resonances,
    wobble,
)

HARMONICS = 64
LEVELS = 4  # spectra between the softest and the loudest


@dataclass(frozen=True)
class Wind:
    """A tone held by breath."""

    soft: float  # dB an octave that the spectrum falls when played softly
    loud: float  # the same at full loudness
    odd: float  # weight of even harmonics against odd ones: 0 a stopped pipe, 1 a cone
    formant: float  # Hz, of the bell, mouthpiece or cone
    strength: float  # dB, of the formant
    breath: float  # loudness of the breath noise relative to the tone
    hiss: float  # Hz, centre of the breath noise
    attack: float  # s
    scoop: float  # semitones below pitch at the onset
    rate: float  # Hz, vibrato
    vibrato: float  # cents
    tremolo: float  # relative depth of loudness vibrato
    swell: float  # how far loudness falls or grows along the note, -1..1
    release: float  # s
    buzz: float = 0.0  # weight of the high partials that a dizi's membrane adds
    reeds: float = 1.0  # number of reeds or players, each a little out of tune (integer part)
    spread: float = 0.0  # cents between them

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        loudness = self._loudness(notes)
        spectra = self._spectra(notes)
        bright = np.clip(loudness * (0.35 + 0.65 * notes.force), 0, 1)
        sway = wobble(notes, self.rate)
        onset = np.minimum(notes.time / np.float32(0.3), 1.0)
        bend = -self.scoop * np.exp(-notes.time / np.float32(0.03)) + 0.04 * drift(notes, 2.0)
        bend = bend + onset * sway * np.float32(self.vibrato / 100)
        wave = np.float32(0)
        for voice in range(int(self.reeds)):
            off = self.spread / 100 * (voice - (int(self.reeds) - 1) / 2)
            wave = wave + harmonic(notes, cycles(notes, bend + off), spectra, bright)
        wave = peak_to(wave, 1.0) * loudness * (1 + self.tremolo * onset * sway)
        return peak_to(wave + self._air(notes) * loudness, notes.force**0.7)

    def _loudness(self, notes: Notes) -> np.ndarray:
        """Envelope [n, t]: softer attacks are slower."""
        attack = self.attack * (1.6 - 0.8 * notes.force) * notes.uniform(0.8, 1.25)
        shape = 1 + self.swell * (notes.time / np.float32(notes.seconds) - 0.5) + 0.05 * drift(notes, 4.0)
        return envelope(notes, attack, 0.15, 0.85, self.release) * shape.astype(np.float32)

    def _spectra(self, notes: Notes) -> np.ndarray:
        """Amplitudes of the harmonics at each level of loudness [n, LEVELS, HARMONICS]."""
        orders = np.arange(1, HARMONICS + 1, dtype=np.float32)
        frequency = notes.frequency * orders  # [n, k]
        slope = np.linspace(self.soft, self.loud, LEVELS, dtype=np.float32)[:, None]
        tilt = 10 ** (slope * np.log2(orders) / 20)  # [LEVELS, k]
        even = np.where((orders % 2 == 0) & (orders < 9), self.odd, 1.0)
        body = resonances(frequency, [self.formant, 2.6 * self.formant], [0.7 * self.formant] * 2, [self.strength] * 2)
        own = np.exp(0.2 * notes.rng.standard_normal(frequency.shape))
        spectra = tilt[None] * (even * body * own)[:, None]
        if self.buzz:
            membrane = np.exp(-(((frequency - 5000) / 2200) ** 2)) * own
            spectra = spectra + self.buzz * np.linspace(0.3, 1, LEVELS)[:, None] * membrane[:, None]
        return spectra

    def _air(self, notes: Notes) -> np.ndarray:
        """Breath noise, strongest around `hiss` and around the fundamental."""
        frequency = bins(notes.samples, notes.sample_rate)
        colour = 0.03 + 1 / (1 + ((frequency - self.hiss) / (0.7 * self.hiss)) ** 2)
        colour = colour + 2 / (1 + ((frequency - notes.frequency) / (0.25 * notes.frequency)) ** 2)
        chiff = 1 + 2 * np.exp(-notes.time / np.float32(0.04))
        return self.breath * peak_to(noise(notes, colour), 1.0) * chiff
