"""Tones that are held: bowed strings, winds, voices, organs, synthesisers.

One player for all: a periodic wave whose spectrum moves with loudness, vibrato, slides, noise and several voices. What
differs is the spectrum (Fletcher & Rossing, "The Physics of Musical Instruments", ch. 10, 13–16; formants after
Peterson & Barney 1952 and Klatt, "Software for a cascade/parallel formant synthesizer", 1980).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.demo import sound
from helpers.demo.sound import Notes, bins, cycles, drift, harmonic, noise, peak_to, resonances, wobble

ORDERS = np.arange(1, 81, dtype=np.float32)  # of the harmonics
LEVELS = 4  # spectra between the softest and the loudest


@dataclass(frozen=True, kw_only=True)
class Sustained:
    """What all have in common; a kind of tone says which spectra it moves between and which noise goes with it."""

    attack: float  # s
    release: float  # s
    decay: float = 0.3  # s, from the attack to what is held
    sustain: float = 0.85  # loudness that is held, relative to the attack
    swell: float = 0.0  # how far loudness grows or falls along the note, -1..1
    rate: float = 5.0  # Hz, vibrato
    vibrato: float = 0.0  # cents
    tremolo: float = 0.0  # relative depth of loudness vibrato; below 0: none
    scoop: float = 0.0  # semitones below pitch at the onset
    unsteady: float = 0.05  # semitones that a player wavers
    air: float = 0.0  # loudness of breath or bow noise relative to the tone
    voices: float = 1.0  # number of players, reeds or oscillators (integer part)
    spread: float = 0.0  # cents between them

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        attack = self.attack * (1.6 - 0.8 * notes.force) * notes.uniform(0.8, 1.25)
        shape = 1 + self.swell * (notes.time / np.float32(notes.seconds) - 0.5) + self.unsteady * drift(notes, 3.0)
        loudness = sound.envelope(notes, attack, self.decay, self.sustain, self.release) * shape.astype(np.float32)
        spectra, brightness = self.spectra(notes), self.brightness(notes, loudness)
        onset = np.clip((notes.time - np.float32(0.1)) / np.float32(0.4), 0, 1)
        wave = np.float32(0)
        for voice in range(count := int(self.voices)):
            sway = onset * wobble(notes, self.rate, 4 * self.unsteady)
            bend = sway * np.float32(self.vibrato / 100) + self.unsteady * drift(notes, 3.0)
            bend = bend - self.scoop * np.exp(-notes.time / np.float32(0.05))
            bend = bend + np.float32(self.spread / 100 * (voice - (count - 1) / 2))
            wave = wave + harmonic(notes, cycles(notes, bend), spectra, brightness)
        wave = peak_to(wave, 1.0) * (1 + max(self.tremolo, 0.0) * sway)
        if self.air:
            wave = wave + self.air * self.hiss(notes)
        return peak_to(wave * loudness, notes.force**0.7)

    def spectra(self, notes: Notes) -> np.ndarray:
        """Amplitudes of the harmonics from the darkest to the brightest spectrum [n, levels, harmonics]."""
        raise NotImplementedError

    def brightness(self, notes: Notes, loudness: np.ndarray) -> np.ndarray | None:
        """Place between these spectra [n, t] in 0..1; None if there is one only."""
        return np.clip(loudness * (0.35 + 0.65 * notes.force), 0, 1)

    def hiss(self, notes: Notes) -> np.ndarray:
        """Noise of the breath or bow [n, t], stronger at the onset; a kind of tone gives its `colour` [1 or n, f]."""
        burst = 1 + 2.5 * np.exp(-notes.time / np.float32(0.04))
        return peak_to(noise(notes, self.colour(notes, bins(notes.samples, notes.sample_rate))), 1.0) * burst


@dataclass(frozen=True, kw_only=True)
class Bowed(Sustained):
    """A string that moves as a sawtooth (Helmholtz motion), on a body whose resonances stay where they are."""

    body: float  # Hz, lowest body resonance
    density: float  # ratio between neighbouring body resonances
    resonance: float  # dB, their mean strength
    bridge: float  # Hz, where the spectrum begins to fall steeply
    tilt: float  # amplitude falls with the order to this power
    voicing: float  # seed of the body

    def spectra(self, notes: Notes) -> np.ndarray:
        """Soft and loud."""
        frequency = notes.frequency * ORDERS
        body = self._body(frequency)
        soft = body * sound.low_pass(frequency, 0.5 * self.bridge, 1.5) / ORDERS ** (self.tilt + 0.3)
        return np.stack([soft, body * sound.low_pass(frequency, self.bridge, 2.0) / ORDERS**self.tilt], axis=1)

    def colour(self, notes: Notes, frequency: np.ndarray) -> np.ndarray:
        """Rosin, through the same body."""
        return self._body(frequency) * sound.low_pass(frequency, self.bridge, 1.0) * np.minimum(frequency / 800, 1)

    def _body(self, frequency: np.ndarray) -> np.ndarray:
        own = np.random.default_rng(int(self.voicing))
        centres = self.body * self.density ** np.arange(12) * own.uniform(0.93, 1.07, 12)
        return resonances(frequency, centres, centres * 0.12, self.resonance + own.normal(0, 5, 12))


@dataclass(frozen=True, kw_only=True)
class Wind(Sustained):
    """Brass, reeds and flutes: a stopped pipe favours odd harmonics, brass grows brighter with loudness."""

    soft: float  # dB an octave that the spectrum falls when played softly
    loud: float  # the same at full loudness
    odd: float  # weight of even harmonics against odd ones: 0 a stopped pipe, 1 a cone
    formant: float  # Hz, of the bell, mouthpiece or cone
    strength: float  # dB, of the formant
    breath: float  # Hz, centre of the breath noise
    buzz: float = 0.0  # weight of the high partials that a dizi's membrane adds

    def spectra(self, notes: Notes) -> np.ndarray:
        """LEVELS of them, from soft to loud."""
        frequency = notes.frequency * ORDERS  # [n, k]
        slope = np.linspace(self.soft, self.loud, LEVELS, dtype=np.float32)[:, None]
        even = np.where((ORDERS % 2 == 0) & (ORDERS < 9), self.odd, 1.0)
        body = resonances(frequency, [self.formant, 2.6 * self.formant], [0.7 * self.formant] * 2, [self.strength] * 2)
        own = np.exp(0.2 * notes.rng.standard_normal(frequency.shape))
        spectra = 10 ** (slope * np.log2(ORDERS) / 20) * (even * body * own)[:, None]
        membrane = self.buzz * np.exp(-(((frequency - 5000) / 2200) ** 2)) * own
        return spectra + np.linspace(0.3, 1, LEVELS)[:, None] * membrane[:, None]

    def colour(self, notes: Notes, frequency: np.ndarray) -> np.ndarray:
        """Breath, strongest around `breath` and around the fundamental."""
        colour = 0.03 + 1 / (1 + ((frequency - self.breath) / (0.7 * self.breath)) ** 2)
        return colour + 2 / (1 + ((frequency - notes.frequency) / (0.25 * notes.frequency)) ** 2)


VOWELS = np.array([  # Hz: F1 to F5 of an adult male; a smaller tract scales them
    (730, 1090, 2440, 3400, 4500),  # a
    (530, 1840, 2480, 3400, 4500),  # e
    (270, 2290, 3010, 3600, 4600),  # i
    (570, 840, 2410, 3300, 4400),  # o
    (300, 870, 2240, 3300, 4400),  # u
    (490, 1350, 1690, 3300, 4400),  # er
], np.float32)  # fmt: skip
WIDTHS = np.array([80, 100, 140, 200, 260], np.float32)


@dataclass(frozen=True, kw_only=True)
class Voice(Sustained):
    """A voice, or a choir, that moves from one vowel to another."""

    tract: float  # scale of the formants: 1 a man, 1.2 a woman, 1.4 a child
    vowel: float  # position in VOWELS, fractions lie between neighbours
    target: float  # vowel that it moves to
    tilt: float  # dB an octave of the glottal source
    ring: float  # dB, strength of the formants

    def spectra(self, notes: Notes) -> np.ndarray:
        """Of both vowels."""
        return np.stack([self.spectrum(notes, self.vowel), self.spectrum(notes, self.target)], axis=1)

    def spectrum(self, notes: Notes, vowel: float) -> np.ndarray:
        """Amplitudes of the harmonics [n, k] of a vowel."""
        source = 10 ** ((self.tilt - 4 * (1 - notes.force)) * np.log2(ORDERS) / 20)
        return source * self._formants(notes.frequency * ORDERS, vowel)

    def brightness(self, notes: Notes, loudness: np.ndarray) -> np.ndarray:
        """From the first vowel to the second in the course of the note."""
        return np.clip(notes.time / np.float32(0.7 * notes.seconds) + 0.15 * drift(notes, 1.5), 0, 1)

    def colour(self, notes: Notes, frequency: np.ndarray) -> np.ndarray:
        """Aspiration through the formants."""
        return self._formants(frequency, self.vowel) * np.minimum(frequency / 1500, 1)

    def _formants(self, frequency: np.ndarray, vowel: float) -> np.ndarray:
        low = min(int(vowel), len(VOWELS) - 2)
        centres = (VOWELS[low] + (vowel - low) * (VOWELS[low + 1] - VOWELS[low])) * self.tract
        gains = self.ring - np.array([0, 4, 8, 10, 14])
        return resonances(frequency, centres, WIDTHS * self.tract, gains) * sound.low_pass(frequency, 5000.0)


def speech(notes: Notes, tract: float) -> np.ndarray:
    """Speech-like noise [n, t]: syllables of wandering vowels and fricatives around each note's pitch, with pauses."""
    syllables = np.clip(1.6 * wobble(notes, notes.rng.uniform(3.2, 4.8), 0.5) + 0.4, 0, 1)
    pauses = np.clip(4 * drift(notes, 0.9) + 3.0, 0, 1)
    vowels = notes.rng.permutation(len(VOWELS) - 1)[:4] + notes.rng.random(4)
    singer = Voice(tract=tract, vowel=0, target=0, tilt=-9, ring=24, attack=0.02, release=0.05)
    spectra = np.stack([singer.spectrum(notes, vowel) for vowel in vowels], axis=1)
    phase = cycles(notes, 3.5 * drift(notes, 2.5) - notes.time % np.float32(2.7))
    voiced = peak_to(harmonic(notes, phase, spectra, np.clip(0.5 + 0.5 * drift(notes, 5.0), 0, 1)), 1.0)
    hiss = peak_to(noise(notes, np.exp(-(((bins(notes.samples, notes.sample_rate) - 5500) / 2500) ** 2))), 0.35)
    return peak_to((voiced * syllables + hiss * np.clip(3 * drift(notes, 6.0) - 2.2, 0, 1)) * pauses, notes.force)


FEET = (1, 3, 2, 4, 6, 8, 10, 12, 16)  # drawbar harmonics, relative to an octave below the note


@dataclass(frozen=True, kw_only=True)
class Organ(Sustained):
    """A drawbar or pipe organ: fixed ranks, no decay, velocity hardly matters."""

    registration: float  # seed of the drawbars
    pipes: float  # 0: sines (tone wheels) … 1: every rank is a full pipe with overtones
    slope: float  # dB an octave of the overtones of a pipe

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1, from an octave below up."""
        return peak_to(super().play(replace(notes, pitch=notes.pitch - 12)), 0.75 + 0.25 * notes.force)

    def spectra(self, notes: Notes) -> np.ndarray:
        """The sum of the ranks."""
        levels = np.random.default_rng(int(self.registration)).choice([0, 0.1, 0.25, 0.5, 0.8, 1.0], len(FEET))
        levels[2] = max(levels[2], 0.5)
        spectrum = np.zeros(len(ORDERS), np.float32)
        for foot, level in zip(FEET, levels, strict=True):
            orders = ORDERS[: len(ORDERS) // foot]
            overtones = np.where(orders == 1, 1.0, self.pipes * 10 ** (self.slope * np.log2(orders) / 20))
            spectrum[foot - 1 :: foot] += level * overtones
        return np.repeat(spectrum[None, None], len(notes.pitch), axis=0)

    def brightness(self, notes: Notes, loudness: np.ndarray) -> None:
        """Always the same."""

    def hiss(self, notes: Notes) -> np.ndarray:
        """The click of the key, or the chiff of the pipes."""
        frequency = bins(notes.samples, notes.sample_rate)
        click = noise(notes, frequency / (frequency + 1500)) * np.exp(-notes.time / np.float32(0.01))
        return peak_to(click, 1.0)


@dataclass(frozen=True, kw_only=True)
class Synth(Sustained):
    """Saws or pulses, and the octave below, through a resonant low pass with its own envelope."""

    pulse: float  # duty of the pulse wave; above 0.5: a saw
    sub: float  # loudness of the octave below; below 0: none
    cutoff: float  # Hz, where the filter rests
    sweep: float  # octaves that the filter envelope adds
    filter_decay: float  # s
    peak: float  # dB, resonance of the filter

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1, from an octave below up."""
        return super().play(replace(notes, pitch=notes.pitch - 12))

    def spectra(self, notes: Notes) -> np.ndarray:
        """LEVELS positions of the filter."""
        raw = np.abs(np.sin(np.pi * ORDERS * self.pulse)) / ORDERS if self.pulse <= 0.5 else 1 / ORDERS
        both = max(self.sub, 0.0) * raw
        both[1::2] += raw[: len(raw) // 2]
        cutoff = self.cutoff * 2 ** (self.sweep * np.linspace(0, 1, LEVELS, dtype=np.float32))[:, None]
        ratio = (notes.frequency * ORDERS)[:, None] / cutoff  # [n, LEVELS, k]
        return both / np.sqrt((1 - ratio**2) ** 2 + (1.4 * 10 ** (-self.peak / 20) * ratio) ** 2)

    def brightness(self, notes: Notes, loudness: np.ndarray) -> np.ndarray:
        """The envelope of the filter."""
        return np.exp(-notes.time / np.float32(self.filter_decay)) * (0.5 + 0.5 * notes.force)
