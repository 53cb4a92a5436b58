"""Tones that decay: strings that are plucked or hammered, bars and bells, gongs, frequency modulation, a drum kit.

A string of stiffness B sounds at k f0 sqrt(1 + B k²); exciting it at a fraction p of its length gives mode k the
weight sin(pi k p). Mode ratios of bars after Fletcher & Rossing, "The Physics of Musical Instruments", ch. 2, 9, 19–21;
frequency modulation after Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation" (1973).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from helpers.demo.sound import Notes, bins, cycles, damped, low_pass, modes, noise, peak_to, resonances, wobble

ORDERS = np.arange(1, 49, dtype=np.float32)[None]  # partials of a string


def fall(notes: Notes, seconds: float) -> np.ndarray:
    """Exponential decay [1, t] with a time constant."""
    return np.exp(-notes.time / np.float32(seconds))


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
    tremolo: float = 0.0  # Hz, of an amplifier; below 2: none

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        f0 = notes.frequency
        frequency = f0 * ORDERS * np.sqrt(1 + self.stiffness * np.sqrt(f0 / 261.6) * ORDERS**2)  # [n, k]
        place = self.position * notes.uniform(0.85, 1.15)
        amplitude = np.abs(np.sin(np.pi * ORDERS * place)) / ORDERS**self.tilt
        amplitude = amplitude * low_pass(frequency, self.hardness * (0.3 + 0.7 * notes.force), 1.5)
        if self.pickup < 0.5:
            amplitude = amplitude * (0.1 + np.abs(np.sin(np.pi * ORDERS * self.pickup)))
        centres = self.body * np.array([1.0, 2.1, 4.3, 9.0])
        amplitude = amplitude * resonances(frequency, centres, centres * 0.3, [self.resonance] * 4)
        amplitude = amplitude * notes.rng.choice([-1.0, 1.0], size=amplitude.shape)
        t60 = self.t60 * np.sqrt(261.6 / f0) / (1 + self.damping * (frequency / 1000) ** 1.3)
        both = np.concatenate([frequency, frequency * 2 ** (self.detune / 1200)], axis=1)
        wave = modes(notes, both, np.concatenate([t60, 0.55 * t60], 1), np.concatenate([amplitude, 0.6 * amplitude], 1))
        colour = bins(notes.samples, notes.sample_rate)
        colour = low_pass(colour, self.hardness) * resonances(
            colour, [self.body, 2.1 * self.body], [60, 120], [self.resonance] * 2)  # fmt: skip
        knock = noise(notes, colour) * fall(notes, 0.006 + 0.9 / self.hardness)
        wave = peak_to(wave, 1.0) + self.knock * peak_to(knock, notes.force)
        if self.tremolo > 2:
            wave = wave * (1 + 0.35 * wobble(notes, self.tremolo, 0.02))
        return peak_to(wave * damped(notes, self.damper), notes.force**0.8)


RATIOS = (
    (1.0, 3.93, 9.24, 16.3, 24.0),  # marimba
    (1.0, 4.0, 10.1, 18.0, 26.5),  # vibraphone
    (1.0, 3.0, 6.1, 10.2, 15.5),  # xylophone
    (1.0, 2.756, 5.404, 8.933, 13.34),  # free bar: glockenspiel, metallophone
    (0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.1, 5.4),  # church bell
    (1.0, 1.5, 2.0, 2.5, 3.2, 4.1, 5.1),  # tubular bell
    (1.0, 2.0, 3.0, 4.0, 5.95, 8.1),  # tuned steel, music box
)


@dataclass(frozen=True)
class Bar:
    """A tuned bar or bell."""

    shape: float  # which of RATIOS (its integer part)
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
        weights = np.where(ratios == 1.0, 1.0, own.uniform(0.25, 1.0, len(ratios)) / np.maximum(ratios, 1) ** 0.5)
        ratios = ratios * (1 + 0.015 * own.standard_normal(len(ratios)) * (ratios != 1.0))
        frequency = notes.frequency * ratios[None]
        amplitude = weights * low_pass(frequency, self.hardness * (0.3 + 0.7 * notes.force), 1.0)
        amplitude = amplitude * np.exp(0.25 * notes.rng.standard_normal(amplitude.shape))
        t60 = self.t60 * np.sqrt(261.6 / notes.frequency) / ratios**self.damping
        click = noise(notes, low_pass(bins(notes.samples, notes.sample_rate), self.hardness)) * fall(notes, 0.004)
        wave = peak_to(modes(notes, frequency, t60, amplitude), 1.0) + self.knock * peak_to(click, notes.force)
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
        ratios = 1.0 + np.concatenate([[0.0], np.cumsum(own.exponential(self.density, 100))])[None]
        frequency = self.size * notes.frequency / 261.6 * ratios
        amplitude = own.uniform(0.2, 1.0, ratios.shape) * np.exp(0.3 * notes.rng.standard_normal(frequency.shape))
        amplitude = amplitude * low_pass(frequency, self.hardness * (0.3 + 0.7 * notes.force), 1.2)
        t60 = self.t60 / (1 + self.damping * frequency / 1000)
        beside = frequency[:, 20:] * (1 + 0.01 * own.standard_normal(ratios.shape[1] - 20))
        late = modes(notes, beside, 0.8 * t60[:, 20:], 1.5 * amplitude[:, 20:]) * (1 - fall(notes, self.bloom))
        wave = modes(notes, frequency, t60, amplitude) + late
        bend = self.glide * (1 - fall(notes, 0.35 * self.t60)[0])
        place = np.cumsum(np.exp2((bend - max(self.glide, 0.0)) / 12.0), dtype=np.float64)  # a warped time axis
        wave = np.stack([np.interp(place, np.arange(notes.samples), row) for row in wave]).astype(np.float32)
        return peak_to(wave * damped(notes, 0.15), notes.force**0.8)


@dataclass(frozen=True)
class FM:
    """Two operators, as in tine pianos, FM basses and bells."""

    ratio: float  # modulator to carrier
    index: float  # modulation at the onset, radians
    index_decay: float  # s
    rest: float  # part of the modulation that stays
    tine: float  # loudness of a high partial at the onset
    t60: float  # s at middle C
    detune: float  # cents between two carriers
    release: float  # s
    motor: float = 0.0  # Hz, tremolo; below 2: none

    def play(self, notes: Notes) -> np.ndarray:
        """Render notes to [n, t] with peaks up to 1."""
        strength = self.rest + (1 - self.rest) * fall(notes, self.index_decay)
        turn = np.float32(2 * np.pi) * cycles(notes)
        beat = turn + np.float32(2 * np.pi * self.detune / 1700) * notes.frequency * notes.time
        bent = self.index * (0.25 + 0.75 * notes.force) * np.minimum(1, 500 / notes.frequency) * strength
        bent = bent * np.sin(turn * np.float32(round(self.ratio)))
        ping = np.sin(turn * np.float32(2 * round(3 * self.ratio) + 1)) * fall(notes, 0.08)
        wave = np.sin(turn + bent) + 0.6 * np.sin(beat + bent) + self.tine * notes.force * ping
        wave = wave * np.exp(-6.908 * notes.time / (self.t60 * np.sqrt(261.6 / notes.frequency)))
        if self.motor > 2:
            wave = wave * (1 + 0.2 * wobble(notes, self.motor, 0.02))
        return peak_to(wave * np.minimum(notes.time / np.float32(0.003), 1) * damped(notes, self.release),
                       notes.force**0.8)


class Hit(NamedTuple):
    """One stroke on a drum."""

    start: float  # s
    drum: str  # a key of LEVELS
    velocity: float  # 0..1


LEVELS = {"kick": 1.0, "snare": 0.8, "hat": 0.3, "open": 0.35, "crash": 0.5, "clap": 0.6, "rim": 0.4}


class Kit:
    """A drum kit, each drum a sine whose pitch drops and a burst of noise; electronic ones are deeper and sharper."""

    def __init__(self, rng: np.random.Generator, electronic: bool = False) -> None:
        kick, decay, punch = ((42, 60), (0.15, 0.5), (2, 6)) if electronic else ((55, 85), (0.06, 0.15), (0.5, 2))
        snare, rattle, short, hat = (rng.uniform(*span) for span in ((160, 240), (0.3, 0.9), (0.05, 0.2), (5500, 8500)))
        tick = rng.uniform(0.015, 0.05)
        self.seed = int(rng.integers(2**31))
        self.drums = {  # Hz, punch and decay (s) of the sine; level, band (Hz) and decay (s) of the noise
            "kick": (rng.uniform(*kick), rng.uniform(*punch), rng.uniform(*decay), 0.1, 1000, 5000, 0.005),
            "snare": (snare, 0.6, 0.6 * short, rattle, 800, 9000, short),
            "hat": (0, 0, 1, 1, hat, 16000, tick), "open": (0, 0, 1, 1, hat, 16000, 6 * tick),
            "crash": (0, 0, 1, 1, 0.4 * hat, 16000, 0.5), "clap": (0, 0, 1, 1, 700, 4000, short),
            "rim": (4.2 * snare, 0.2, 0.015, 0.2, 2000, 6000, 0.01),
        }  # fmt: skip

    def render(self, hits: Iterable[Hit], seconds: float, sample_rate: int) -> np.ndarray:
        """Hits to [samples]; every stroke of a drum is the same recording at another level, as in a sampler."""
        out = np.zeros(round(seconds * sample_rate), np.float32)
        samples: dict[str, np.ndarray] = {}
        for hit in hits:
            if hit.drum not in samples:
                samples[hit.drum] = LEVELS[hit.drum] * self._stroke(hit.drum, sample_rate)
            begin = max(0, round(hit.start * sample_rate))
            part = samples[hit.drum][: max(0, len(out) - begin)]
            out[begin : begin + len(part)] += hit.velocity * part
        return out

    def _stroke(self, drum: str, sample_rate: int) -> np.ndarray:
        """One stroke [samples] with peak 1."""
        pitch, punch, decay, level, low, high, short = self.drums[drum]
        seconds = 1.5 if drum in ("crash", "kick") else 0.5
        rng = np.random.default_rng([self.seed, sorted(LEVELS).index(drum)])
        notes = Notes(np.array([60.0]), np.array([1.0]), np.array([seconds]), seconds, sample_rate, rng)
        turns = pitch * (notes.time + punch * 0.03 * (1 - fall(notes, 0.03)))
        ratio = np.maximum(bins(notes.samples, sample_rate), 1.0)
        burst = peak_to(noise(notes, 1 / (1 + (low / ratio) ** 4) / (1 + (ratio / high) ** 4)) * fall(notes, short), 1)
        wave = np.sin(np.float32(2 * np.pi) * turns) * fall(notes, decay) + level * burst
        return peak_to(wave, 1.0)[0] * np.minimum(1, (seconds - notes.time[0]) / 0.05)
