"""Organs, synthesisers and electric pianos: drawbars and pipe ranks, filtered saws and squares, frequency modulation.

Frequency modulation after Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation" (1973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.demo.sound import Notes, bins, column, cycles, damped, envelope, filtered, harmonic, noise, peak_to, wobble

FEET = np.array([1, 3, 2, 4, 6, 8, 10, 12, 16])  # drawbar harmonics, relative to an octave below the note
HARMONICS = 96
LEVELS = 6  # filter positions


@dataclass(frozen=True)
class Organ:
    """A drawbar or pipe organ: fixed ranks, no decay, velocity hardly matters."""

    registration: float  # seed of the drawbars
    pipes: float  # 0: sines (tone wheels) … 1: every rank is a full pipe with overtones
    slope: float  # dB an octave of the overtones of a pipe
    chorus: float  # cents between two sets of pipes or the two horns of a rotary speaker
    rotor: float  # Hz, rotary speaker; below 0.5: none
    depth: float  # of the rotor, relative
    click: float  # loudness of key click or chiff
    attack: float  # s
    release: float  # s

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        spectra = np.repeat(self._spectrum()[None, None], len(notes.pitch), axis=0)
        below = Notes(notes.pitch - 12, notes.velocity, notes.held, notes.seconds, notes.sample_rate, notes.rng)
        turn = wobble(notes, self.rotor, 0.03) if self.rotor >= 0.5 else np.float32(0)
        wave = harmonic(below, cycles(below, 0.3 * self.depth * turn), spectra)
        wave = wave + 0.7 * harmonic(below, cycles(below, self.chorus / 100 - 0.3 * self.depth * turn), spectra)
        wave = peak_to(wave, 1.0) * (1 + self.depth * turn)
        wave = wave * envelope(notes, self.attack, release=self.release) + self.click * self._click(notes)
        return peak_to(wave, 0.75 + 0.25 * notes.force)

    def _spectrum(self) -> np.ndarray:
        """Amplitudes of the harmonics of an octave below the note [HARMONICS]."""
        own = np.random.default_rng(int(self.registration))
        levels = own.choice([0, 0.1, 0.25, 0.5, 0.8, 1.0], len(FEET))
        levels[2] = max(levels[2], 0.5)
        spectrum = np.zeros(HARMONICS, np.float32)
        for foot, level in zip(FEET, levels, strict=True):
            orders = np.arange(1, HARMONICS // foot + 1)
            overtones = np.where(orders == 1, 1.0, self.pipes * 10 ** (self.slope * np.log2(orders) / 20))
            spectrum[foot * orders - 1] += level * overtones
        return spectrum

    def _click(self, notes: Notes) -> np.ndarray:
        since = notes.time - column(notes.held)
        burst = np.exp(-notes.time / np.float32(0.01)) + 0.5 * np.exp(-np.abs(since) / np.float32(0.006))
        frequency = bins(notes.samples, notes.sample_rate)
        return peak_to(filtered(noise(notes) * burst, frequency / (frequency + 1500)), 1.0)


@dataclass(frozen=True)
class Subtractive:
    """A synthesiser voice: saws or pulses through a resonant low pass with its own envelope."""

    pulse: float  # duty of the pulse wave; above 0.5: a saw
    sub: float  # loudness of the octave below
    cutoff: float  # Hz, where the filter rests
    sweep: float  # octaves that the filter envelope adds
    filter_decay: float  # s
    peak: float  # dB, resonance of the filter
    attack: float  # s
    decay: float  # s
    sustain: float
    release: float  # s
    unison: float  # number of oscillators (integer part)
    spread: float  # cents between oscillators
    rate: float  # Hz, low-frequency oscillator
    vibrato: float  # cents
    glide: float  # semitones at the onset
    drive: float  # into the saturation

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        spectra = self._spectra(notes)
        swept = np.exp(-notes.time / np.float32(self.filter_decay)) * (0.5 + 0.5 * notes.force)
        bend = wobble(notes, self.rate, 0.02) * np.float32(self.vibrato / 100)
        bend = bend + self.glide * np.exp(-notes.time / np.float32(0.05))
        count = int(self.unison)
        wave = np.float32(0)
        for voice in range(count):
            off = self.spread / 100 * (voice - (count - 1) / 2)
            wave = wave + harmonic(notes, cycles(notes, bend + off), spectra, swept)
        if self.sub > 0.05:
            octave = Notes(notes.pitch - 12, notes.velocity, notes.held, notes.seconds, notes.sample_rate, notes.rng)
            wave = wave + self.sub * count * harmonic(octave, cycles(octave, bend), spectra, swept)
        wave = peak_to(wave, 1.0) * envelope(notes, self.attack, self.decay, self.sustain, self.release)
        return peak_to(np.tanh(self.drive * wave), notes.force**0.7)

    def _spectra(self, notes: Notes) -> np.ndarray:
        """Amplitudes of the harmonics at each position of the filter [n, LEVELS, HARMONICS]."""
        orders = np.arange(1, HARMONICS + 1, dtype=np.float32)
        raw = np.abs(np.sin(np.pi * orders * self.pulse)) / orders if self.pulse <= 0.5 else 1 / orders
        frequency = (notes.frequency * orders)[:, None]  # [n, 1, k]
        cutoff = self.cutoff * 2 ** (self.sweep * np.linspace(0, 1, LEVELS, dtype=np.float32))[:, None]
        ratio = frequency / cutoff
        damping = 10 ** (-self.peak / 20)
        return raw / np.sqrt((1 - ratio**2) ** 2 + (1.4 * damping * ratio) ** 2)


@dataclass(frozen=True)
class FM:
    """Two operators, as in tine pianos, FM basses and bells."""

    ratio: float  # modulator to carrier
    index: float  # modulation at the onset, radians
    index_decay: float  # s
    floor: float  # part of the modulation that stays
    tine: float  # loudness of a high inharmonic partial at the onset
    t60: float  # s at middle C
    detune: float  # cents between two carriers
    rate: float  # Hz, tremolo
    tremolo: float  # depth
    release: float  # s

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        strength = self.floor + (1 - self.floor) * np.exp(-notes.time / np.float32(self.index_decay))
        turn = np.float32(2 * np.pi) * cycles(notes)
        beat = turn + np.float32(2 * np.pi * self.detune / 1700) * notes.frequency * notes.time
        modulator = np.sin(turn * np.float32(round(self.ratio)))
        bent = self.index * (0.25 + 0.75 * notes.force) * np.minimum(1, 500 / notes.frequency) * strength * modulator
        wave = np.sin(turn + bent) + 0.6 * np.sin(beat + bent)
        ping = np.sin(turn * np.float32(2 * round(3 * self.ratio) + 1)) * np.exp(-notes.time / np.float32(0.08))
        decay = np.exp(-6.908 * notes.time / (self.t60 * np.sqrt(261.6 / notes.frequency)))
        wave = (wave + self.tine * notes.force * ping) * decay * np.minimum(notes.time / np.float32(0.003), 1)
        wave = wave * (1 + self.tremolo * wobble(notes, self.rate, 0.02))
        return peak_to(wave * damped(notes, self.release), notes.force**0.8)
