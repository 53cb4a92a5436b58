"""Stiff strings that are plucked, picked or hammered: guitar, piano, electric bass, pipa, guzheng and their kin.

A string of stiffness B sounds at k f0 sqrt(1 + B k²); exciting it at a fraction p of its length gives mode k the
weight sin(pi k p) (Fletcher & Rossing, "The Physics of Musical Instruments", ch. 2 and 9).

Bowed strings: violin family and string sections, erhu, zhuiqin.

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
    damped,
    drift,
    envelope,
    filtered,
    harmonic,
    low_pass,
    modes,
    noise,
    peak_to,
    resonances,
    wobble,
)

PARTIALS = 56


@dataclass(frozen=True)
class String:
    """A plucked or struck string on a body."""

    position: float  # where it is excited, fraction of the length
    stiffness: float  # B at middle C
    t60: float  # s, of the fundamental at middle C
    damping: float  # how much faster 1 kHz dies than the fundamental
    hardness: float  # Hz, low pass of the excitation at full velocity
    tilt: float  # amplitude falls with k to this power
    detune: float  # cents between the two strings (or polarisations) of a note
    body: float  # Hz, lowest body resonance
    resonance: float  # dB, strength of the body resonances
    knock: float  # loudness of finger, plectrum or hammer noise
    damper: float  # s, time constant after release
    pickup: float = 0.5  # 0.5: none; otherwise the fraction of the length where a magnetic pickup listens
    tremolo: float = 0.0  # Hz, of an amplifier

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        orders = np.arange(1, PARTIALS + 1, dtype=np.float32)[None]
        f0 = notes.frequency
        stretch = np.sqrt(1 + self.stiffness * np.sqrt(f0 / 261.6) * orders**2)
        frequency = f0 * orders * stretch  # [n, k]
        place = self.position * notes.uniform(0.85, 1.15)
        amplitude = np.abs(np.sin(np.pi * orders * place)) / orders**self.tilt
        amplitude = amplitude * low_pass(frequency, self.hardness * (0.3 + 0.7 * notes.force), 1.5)
        if self.pickup < 0.5:
            amplitude = amplitude * (0.1 + np.abs(np.sin(np.pi * orders * self.pickup)))
        centres = self.body * np.array([1.0, 2.1, 4.3, 9.0])
        amplitude = amplitude * resonances(frequency, centres, centres * 0.3, [self.resonance] * 4)
        t60 = self.t60 * np.sqrt(261.6 / f0) / (1 + self.damping * (frequency / 1000) ** 1.3)
        signs = notes.rng.choice([-1.0, 1.0], size=amplitude.shape)
        second = frequency * 2 ** (self.detune / 1200)
        wave = modes(
            notes,
            np.concatenate([frequency, second], axis=1),
            np.concatenate([t60, 0.55 * t60], axis=1),
            np.concatenate([amplitude * signs, 0.6 * amplitude * signs], axis=1),
        )
        wave = peak_to(wave, 1.0) + self.knock * self._knock(notes)
        if self.tremolo:
            wave = wave * (1 + 0.35 * wobble(notes, self.tremolo, 0.02))
        return peak_to(wave * damped(notes, self.damper), notes.force**0.8)

    def _knock(self, notes: Notes) -> np.ndarray:
        """The noise of the excitation, coloured by the body."""
        frequency = bins(notes.samples, notes.sample_rate)
        burst = noise(notes) * np.exp(-notes.time / np.float32(0.006 + 0.9 / self.hardness))
        colour = resonances(frequency, [self.body, 2.1 * self.body], [60, 120], [self.resonance] * 2)
        return peak_to(filtered(burst, colour * low_pass(frequency, self.hardness)), notes.force)


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
