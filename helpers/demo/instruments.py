"""One synthesiser for all virtual instruments.

A note is a sum of partials between a soft and a loud spectrum, bent by vibrato and slides, with noise. Partials of a
string of stiffness B lie at k f0 sqrt(1 + B k²), and plucking it at a fraction p of its length gives them the weight
sin(pi k p); ratios of bars and bells are from Fletcher & Rossing, "The Physics of Musical Instruments", ch. 2, 19-21,
vowels from Peterson & Barney 1952.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.demo.sound import Notes, Room, bent, bins, drift, low_pass, noise, partials, peak_to

ORDERS = np.arange(1.0, 65.0)
SERIES = (  # frequencies of the partials relative to the pitch; the last one, of gongs, is random
    ORDERS, ORDERS / 2, np.array([0.5, 1, 1.5, 2, 3, 4, 5, 6, 8]),  # harmonics, with an octave below, drawbars
    (1, 3.93, 9.24, 16.3), (1, 4, 10.1, 18), (1, 3, 6.1, 10.2), (1, 2.756, 5.404, 8.933),  # three mallets, a free bar
    (0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.1), (1, 1.5, 2, 2.5, 3.2, 4.1), (1, 2, 3, 4, 5.95), None,  # bells
)  # fmt: skip
GONG = 10
VOWELS = np.array([  # Hz: a e i o u er of an adult male; a smaller tract scales them
    (730, 1090, 2440, 3400), (530, 1840, 2480, 3400), (270, 2290, 3010, 3600),
    (570, 840, 2410, 3300), (300, 870, 2240, 3300), (490, 1350, 1690, 3300),
])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One instrument: numbers that hold for all its notes."""

    kind: str  # a key of KINDS
    low: int  # lowest MIDI pitch
    high: int  # highest MIDI pitch
    room: Room
    voicing: int  # seed of what else is its own
    # spectrum
    series: float = 0  # index in SERIES (its integer part)
    stiffness: float = 0  # of a string at middle C
    soft: float = -14  # dB an octave that the partials fall when it is played softly
    loud: float = -7  # the same at full loudness
    odd: float = 1  # weight of even partials against odd ones: 0 a stopped pipe, 1 all others
    position: float = 0  # where a string is plucked, fraction of its length; 0: it is not
    cutoff: float = 20_000  # Hz, low pass of the loud spectrum
    closed: float = 0  # octaves by which that of the soft spectrum is lower
    uneven: float = 2  # dB by which its partials differ
    voices: float = 1  # players, strings or reeds (integer part)
    spread: float = 3  # cents between them
    # resonances of the body
    body: float = 500  # Hz, the lowest
    ratio: float = 2.1  # between neighbours
    width: float = 0.3  # relative to their frequency
    resonance: float = -20  # dB
    tract: float = 0  # size of the formants in their place; 0: no voice
    vowel: float = 0  # in VOWELS, of the soft spectrum; fractions lie between neighbours
    target: float = 0  # the same of the loud one
    # course of a note
    attack: float = 0.004  # s
    decay: float = 0.3  # s, from the attack to what is held
    sustain: float = 1  # loudness that is held
    release: float = 0.1  # s
    t60: float = 1e9  # s until partials at middle C have fallen by 60 dB
    damping: float = 0  # how much faster 1 kHz falls
    begin: float = 1  # brightness (0 the soft spectrum, 1 the loud one) at the onset
    end: float = 1  # brightness that it moves to
    move: float = 0.3  # s that this takes
    touch: float = 0.8  # power of the velocity that is the loudness
    # player
    rate: float = 5  # Hz, vibrato and tremolo
    vibrato: float = 0  # semitones
    tremolo: float = 0  # depth relative to the loudness; below 0: none
    scoop: float = 0  # semitones below the pitch at the onset
    slide: float = 0.05  # s that it takes to the pitch
    unsteady: float = 0  # semitones, and relative loudness, that a player wavers
    # noise
    air: float = 0  # loudness of breath or bow while the tone is held
    knock: float = 0  # loudness of hammer, plectrum or skin at the onset
    tick: float = 0.006  # s that this lasts
    hiss: float = 2500  # Hz, centre of both

    def play(self, notes: Notes) -> np.ndarray:
        """Notes as they would lie in a sample library: [n, t] with peaks in 0..1."""
        return self.room.record(self.dry(notes), notes.sample_rate, notes.rng)

    def dry(self, notes: Notes) -> np.ndarray:
        """Notes without the room: [n, t] with peaks in 0..1."""
        force, time = notes.velocity[:, None], notes.time
        sway = np.sin(2 * np.pi * self.rate * notes.rng.uniform(0.9, 1.1, force.shape) * time)
        waver = self.unsteady * drift(notes, 3.0)
        level = self._envelope(notes) * (1 + waver) * (1 + max(self.tremolo, 0.0) * sway)
        course = self.end + (self.begin - self.end) * np.exp(-time / self.move)
        soft, loud = np.moveaxis(self._spectra(notes), 1, 0)
        wave = soft + notes.full(np.clip(level * (0.35 + 0.65 * force) * course, 0, 1)) * (loud - soft)
        if self.vibrato or self.scoop or self.unsteady:
            onset = np.clip((time - 0.1) / 0.4, 0, 1)
            bend = self.vibrato * onset * sway - self.scoop * np.exp(-time / self.slide) + waver
            wave = bent(notes, wave, bend)
        wave = peak_to(wave, 1.0) * notes.full(level)
        if self.air or self.knock:
            ratio = bins(notes.samples, notes.sample_rate) / self.hiss
            hiss = self.air * level * (1 + 2 * np.exp(-time / 0.04)) + self.knock * force * np.exp(-time / self.tick)
            wave = wave + peak_to(noise(notes, 0.03 + 1 / (1 + 2 * (ratio - 1) ** 2)), 1.0) * notes.full(hiss)
        return peak_to(wave, force**self.touch)

    def _envelope(self, notes: Notes) -> np.ndarray:
        """Loudness [n, c]: attack to 1, exponential decay to what is held, release."""
        attack = self.attack * (1.6 - 0.8 * notes.velocity[:, None])
        rise = np.sin(np.pi / 2 * np.minimum(notes.time / attack, 1)) ** 2
        fall = self.sustain + (1 - self.sustain) * np.exp(-np.maximum(notes.time - attack, 0) / self.decay)
        return rise * fall * np.exp(-np.maximum(notes.time - notes.held[:, None], 0) / self.release)

    def _spectra(self, notes: Notes) -> np.ndarray:
        """The tone [n, 2, t] as it is when soft and when loud."""
        own = np.random.default_rng(self.voicing)
        series, base = int(self.series), notes.frequency
        gong = 1 + np.concatenate([[0.0], np.cumsum(own.exponential(own.uniform(0.07, 0.22), 80))])
        orders = gong if series == GONG else np.asarray(SERIES[series])  # [k]
        frequency = base * orders * np.sqrt(1 + self.stiffness * np.sqrt(base / 261.6) * orders**2)  # [n, k]
        t60 = self.t60 * np.sqrt(261.6 / base) / (1 + self.damping * (frequency / 1000) ** 1.3)
        weight = 10 ** (self.uneven * own.standard_normal(len(orders)) / 20)
        weight = weight * np.where((orders % 2 == 0) & (orders < 9), self.odd, 1)
        if self.position:
            weight = weight * np.abs(np.sin(np.pi * orders * self.position * notes.rng.uniform(0.9, 1.1)))
        octaves, amplitude = np.log2(np.maximum(orders, 1)), []
        for slope, closed, vowel in ((self.soft, self.closed, self.vowel), (self.loud, 0, self.target)):
            cut = low_pass(frequency, self.cutoff * 2**-closed)
            amplitude.append(weight * 10 ** (slope * octaves / 20) * cut * self._body(frequency, vowel))
        voices = self.spread * (np.arange(int(self.voices)) - (int(self.voices) - 1) / 2)  # cents
        frequency = np.concatenate([frequency * 2 ** (cents / 1200) for cents in voices], axis=1)
        signs = notes.rng.choice([-1.0, 1.0], (len(frequency), 1, frequency.shape[1]))
        amplitude = np.tile(np.stack(amplitude, axis=1), len(voices)) * signs
        return partials(notes, frequency, np.tile(t60, len(voices)), amplitude)

    def _body(self, frequency: np.ndarray, vowel: float) -> np.ndarray:
        """Gain of the body at frequencies of any shape: 1 plus bell-shaped peaks."""
        own = np.random.default_rng(self.voicing)
        centres, width = self.body * self.ratio ** np.arange(8) * own.uniform(0.93, 1.07, 8), self.width
        gains = self.resonance + own.normal(0, 3, 8)
        if self.tract:
            low = min(int(vowel), len(VOWELS) - 2)
            centres = (VOWELS[low] + (vowel - low) * (VOWELS[low + 1] - VOWELS[low])) * self.tract
            width, gains = 0.09, self.resonance - np.array([0.0, 4, 8, 10])
        distance = (frequency[..., None] - centres) / (0.5 * width * centres)
        return 1 + (10 ** (gains / 20) / (1 + distance**2)).sum(axis=-1)
