"""Blown instruments: brass, single and double reeds, flutes, the dizi with its membrane, and free reeds.

A cylindrical pipe with a reed favours odd harmonics, a conical one has all; brass grows brighter with loudness
(Fletcher & Rossing, "The Physics of Musical Instruments", ch. 13–16).

Singing and speaking: a glottal source through the formants of the vocal tract.

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
VOICE_HARMONICS = 80


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
        """Amplitudes of the harmonics [n, VOICE_HARMONICS]."""
        orders = np.arange(1, VOICE_HARMONICS + 1, dtype=np.float32)
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
