"""Stiff strings that are plucked, picked or hammered: guitar, piano, electric bass, pipa, guzheng and their kin.

A string of stiffness B sounds at k f0 sqrt(1 + B k²); exciting it at a fraction p of its length gives mode k the
weight sin(pi k p) (Fletcher & Rossing, "The Physics of Musical Instruments", ch. 2 and 9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.demo.sound import (
    Notes,
    bins,
    damped,
    filtered,
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
