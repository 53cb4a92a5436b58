"""Virtual instruments: which model, which pitches and which range of every parameter each kind has; a draw of them.

A range is a number, or a pair (low, high) that `draw` draws from. Ranges of different families overlap on purpose:
real families do, and no classifier should reach 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from helpers.demo.music import ROOM, Range, Room
from helpers.demo.sound import Notes
from helpers.demo.struck import FM, Bar, Gong, String
from helpers.demo.sustained import Bowed, Organ, Synth, Voice, Wind

SEED = (0, 1e6)


class Kind(NamedTuple):
    """A kind of instrument."""

    model: type
    low: int  # MIDI pitch
    high: int  # MIDI pitch
    ranges: dict[str, Range]  # of the model's parameters, and of those of the room that differ from ROOM


_GUITAR = dict(position=(0.07, 0.35), stiffness=(2e-5, 2e-4), t60=(2.0, 6.0), damping=(0.3, 1.2), tilt=(0.5, 1.2),
               detune=(0.2, 3), damper=(0.03, 0.15))
_ELECTRIC = dict(_GUITAR, hardness=(2500, 8000), body=(150, 400), resonance=(-15, 0), knock=(0.01, 0.15),
                 pickup=(0.08, 0.3), top=(3500, 8000))
_BASS = dict(position=(0.08, 0.4), stiffness=(5e-6, 1e-4), t60=(2.5, 9.0), damping=(1.0, 6.0), tilt=(0.5, 1.2),
             detune=(0, 3), damper=(0.03, 0.12))
_WIND = dict(rate=(4, 6.5), attack=(0.02, 0.12), swell=(-0.4, 0.4), release=(0.02, 0.1), breath=(1500, 4500),
             decay=0.15, scoop=(0, 0.6), vibrato=(0, 20), tremolo=(-0.05, 0.15), odd=(0.6, 1))
_BRASS = dict(_WIND, odd=1.0, air=(0.001, 0.006), scoop=(0.2, 2), tremolo=(0, 0.08))
_SYNTH = dict(attack=(0.003, 0.05), sustain=(0.5, 1.0), decay=(0.2, 2.0), release=(0.02, 0.3), scoop=(-0.5, 0.5),
              unsteady=0, pulse=(0.1, 0.9), sub=(-0.4, 0.6), spread=(2, 18), rate=(3, 7))
_FM = dict(index=(0.3, 3), rest=(0.05, 0.5), detune=(0, 4), release=(0.03, 0.3), motor=(-6, 6))
_BOW = dict(density=(1.3, 1.5), resonance=(5, 14), tilt=(0.6, 0.9), air=(0.02, 0.07), rate=(4.8, 6.5), vibrato=(15, 40),
            scoop=(0, 0.5), release=(0.04, 0.15), voicing=SEED, attack=(0.03, 0.18))
_STRINGS = dict(_BOW, body=(90, 300), resonance=(0, 12), bridge=(2200, 6000), tilt=(0.7, 1.2), air=(0.005, 0.06),
                attack=(0.03, 0.3), vibrato=(0, 30))
_VOICE = dict(tract=(0.95, 1.25), vowel=(0, 4.9), target=(0, 4.9), tilt=(-12, -8), ring=(18, 28), air=(0.005, 0.06),
              attack=(0.04, 0.2), rate=(4.5, 6.5), vibrato=(5, 50), scoop=(0, 1.0), release=(0.04, 0.2), sustain=0.9,
              unsteady=0.07)
_ORGAN = dict(registration=SEED, unsteady=0, sustain=1.0, voices=2, spread=(2, 18))
_PLUCKED = dict(stiffness=(2e-5, 2e-4), tilt=(0.3, 1.0), detune=(0.2, 3))
_FIDDLE = dict(_BOW, density=(1.25, 1.5), tilt=(0.5, 0.9), rate=(4.8, 7), attack=(0.02, 0.12), air=(0.015, 0.09))
_BLOWN = dict(_WIND, attack=(0.02, 0.08), rate=(4.5, 7), swell=(-0.3, 0.3))

KINDS: dict[str, Kind] = {
    "acoustic_bass": Kind(String, 26, 60, dict(_BASS, hardness=(500, 2500), body=(60, 130), resonance=(2, 10),
        knock=(0.02, 0.2))),
    "electric_bass": Kind(String, 24, 62, dict(_BASS, hardness=(700, 5000), body=(80, 200), resonance=(-15, 0),
        knock=(0.01, 0.12), pickup=(0.1, 0.35), wet=(-0.2, 0.1), drive=(-1, 1.5))),
    "synth_bass": Kind(Synth, 24, 62, dict(_SYNTH, cutoff=(120, 900), sweep=(0.5, 4), filter_decay=(0.05, 0.7),
        peak=(0, 16), voices=(1, 3), vibrato=(0, 6), drive=(-1, 1.5), wet=(-0.2, 0.1))),
    "fm_bass": Kind(FM, 24, 60, dict(_FM, ratio=(0.6, 2.4), index=(1, 5), index_decay=(0.05, 0.8), tine=(0, 0.3),
        t60=(1.5, 6), motor=0.0)),
    "brass": Kind(Wind, 36, 84, dict(_BRASS, soft=(-19, -12), loud=(-7, -3), formant=(500, 1300), strength=(3, 10))),
    "trumpet": Kind(Wind, 54, 86, dict(_BRASS, soft=(-16, -10), loud=(-5, -2), formant=(900, 1700), strength=(3, 10))),
    "synth_brass": Kind(Wind, 36, 80, dict(_BRASS, soft=(-18, -12), loud=(-8, -4), formant=(500, 1500),
        strength=(-3, 6), scoop=(0, 0.3), voices=(2, 3.9), spread=(3, 14))),
    "flute": Kind(Wind, 55, 96, dict(_WIND, soft=(-22, -15), loud=(-15, -9), odd=(0.4, 1), formant=(500, 1200),
        strength=(-4, 5), air=(0.05, 0.16), tremolo=(0.02, 0.22))),
    "synth_flute": Kind(Wind, 48, 96, dict(_WIND, soft=(-22, -12), loud=(-16, -8), odd=(0.05, 0.8),
        formant=(400, 2000), strength=(-8, 4), air=(0.005, 0.08), scoop=(0, 0.1), voices=(1, 2.9), spread=(2, 10))),
    "acoustic_guitar": Kind(String, 40, 84, dict(_GUITAR, hardness=(1500, 6000), body=(90, 220), resonance=(4, 14),
        knock=(0.05, 0.4))),
    "electric_guitar": Kind(String, 40, 86, dict(_ELECTRIC, drive=(-1, 7), tremolo=(-12, 7))),
    "driven_guitar": Kind(String, 40, 86, dict(_ELECTRIC, drive=(3, 15), top=(3500, 7000))),
    "piano": Kind(String, 28, 100, dict(position=(0.08, 0.14), stiffness=(2e-4, 1.2e-3), t60=(6, 16),
        damping=(0.6, 1.8), hardness=(1200, 4500), tilt=(0.3, 0.9), detune=(0.3, 3), body=(80, 180),
        resonance=(-2, 6), knock=(0.03, 0.25), damper=(0.04, 0.2))),
    "harpsichord": Kind(String, 36, 90, dict(position=(0.1, 0.3), stiffness=(5e-5, 3e-4), t60=(2, 6),
        damping=(0.2, 0.8), hardness=(6000, 14000), tilt=(0.2, 0.6), detune=(0.5, 5), body=(150, 350),
        resonance=(0, 8), knock=(0.05, 0.3), damper=(0.02, 0.1))),
    "electric_piano": Kind(FM, 33, 96, dict(_FM, ratio=(0.6, 1.4), index_decay=(0.2, 2), tine=(0.15, 0.6),
        t60=(3, 10))),
    "synth_keys": Kind(Synth, 33, 96, dict(_SYNTH, sustain=(0.02, 0.3), attack=(0.002, 0.01), decay=(0.2, 1.5),
        cutoff=(400, 2500), sweep=(0, 3), filter_decay=(0.1, 0.8), peak=(0, 8), voices=(1, 3))),
    "mallet": Kind(Bar, 48, 98, dict(shape=(0, 4), t60=(0.3, 6), damping=(0.6, 2), hardness=(800, 8000),
        knock=(0.02, 0.4), motor=(-8, 7), damper=(0.08, 0.8), voicing=SEED)),
    "bell": Kind(Bar, 48, 96, dict(shape=(3.2, 6.99), t60=(2, 10), damping=(0.4, 1.2), hardness=(1500, 9000),
        knock=(0.01, 0.2), motor=0.0, damper=(0.2, 1.0), voicing=SEED)),
    "fm_bell": Kind(FM, 50, 98, dict(_FM, ratio=(1.6, 6), index_decay=(0.1, 1.5), tine=(0.1, 0.8), t60=(1, 5),
        release=(0.1, 0.7))),
    "drawbar_organ": Kind(Organ, 36, 96, dict(_ORGAN, pipes=(0, 0.12), slope=(-14, -6), rate=(1, 7),
        tremolo=(-0.15, 0.3), vibrato=(0, 8), air=(0, 0.15), attack=(0.003, 0.02), release=(0.01, 0.05))),
    "pipe_organ": Kind(Organ, 36, 96, dict(_ORGAN, pipes=(0.3, 1), slope=(-14, -5), air=(0, 0.08),
        attack=(0.02, 0.12), release=(0.03, 0.15), wet=(0, 0.6), reverb=(0.6, 2.5))),
    "clarinet": Kind(Wind, 50, 91, dict(_WIND, soft=(-13, -8), loud=(-9, -5), odd=(0.02, 0.2), formant=(900, 2500),
        strength=(-2, 8), air=(0.004, 0.04), vibrato=(0, 6), tremolo=(0, 0.05))),
    "saxophone": Kind(Wind, 44, 86, dict(_WIND, soft=(-11, -6), loud=(-7, -2), formant=(450, 1000),
        strength=(4, 11), air=(0.02, 0.08), scoop=(0.1, 1.2), vibrato=(0, 25))),
    "oboe": Kind(Wind, 46, 91, dict(_WIND, soft=(-8, -5), loud=(-6, -3), odd=(0.7, 1), formant=(1000, 1600),
        strength=(10, 18), air=(0.002, 0.02))),
    "harmonica": Kind(Wind, 50, 92, dict(_WIND, soft=(-9, -5), loud=(-6, -2), formant=(1000, 3000),
        strength=(0, 10), air=(0.004, 0.03), vibrato=(0, 10), tremolo=(0, 0.2), voices=(2, 2.9), spread=(5, 16))),
    "strings": Kind(Bowed, 38, 92, _STRINGS),
    "cello": Kind(Bowed, 36, 72, dict(_BOW, body=(85, 160), bridge=(1800, 4500))),
    "violin": Kind(Bowed, 55, 96, dict(_BOW, body=(230, 330), bridge=(3000, 7000))),
    "string_section": Kind(Bowed, 36, 92, dict(_STRINGS, attack=(0.06, 0.4), release=(0.08, 0.3), voices=(3, 4.9),
        spread=(4, 16), wet=(0, 0.45))),
    "synth_lead": Kind(Synth, 40, 96, dict(_SYNTH, cutoff=(600, 5000), sweep=(0, 3), filter_decay=(0.1, 1.5),
        peak=(0, 14), voices=(1, 3.9), vibrato=(0, 35), drive=(-1, 2))),
    "voice": Kind(Voice, 44, 84, _VOICE),
    "choir": Kind(Voice, 44, 84, dict(_VOICE, ring=(14, 24), attack=(0.08, 0.3), vibrato=(5, 30), voices=(3, 4.9),
        spread=(5, 20), wet=(0, 0.5))),
    "synth_voice": Kind(Voice, 44, 86, dict(_VOICE, tract=(0.8, 1.4), tilt=(-12, -6), ring=(12, 22),
        vibrato=(0, 12), scoop=0, voices=(1, 2.9), spread=(3, 14))),
    # a small drum of snake skin: strong, narrow resonances, wide vibrato
    "erhu": Kind(Bowed, 62, 93, dict(_FIDDLE, body=(320, 480), resonance=(8, 17), bridge=(3000, 6500),
        vibrato=(15, 50), scoop=(0.5, 2.5))),
    # fretless and lower, all notes are slid into
    "zhuiqin": Kind(Bowed, 52, 84, dict(_FIDDLE, body=(180, 300), resonance=(6, 14), bridge=(2000, 4500),
        vibrato=(10, 40), scoop=(1.5, 4))),
    # nails on thin strings, hard and short
    "pipa": Kind(String, 45, 88, dict(_PLUCKED, position=(0.05, 0.16), t60=(1.2, 3.5), damping=(0.25, 1),
        hardness=(4000, 11000), body=(250, 520), resonance=(4, 13), knock=(0.15, 0.7), damper=(0.03, 0.12))),
    # skin-covered body: banjo-like, quick decay
    "sanxian": Kind(String, 43, 82, dict(_PLUCKED, position=(0.06, 0.2), t60=(0.8, 2.0), damping=(0.4, 1.6),
        hardness=(2500, 7000), body=(180, 380), resonance=(8, 17), knock=(0.25, 0.9), damper=(0.03, 0.1))),
    # round wooden body: warm, longer
    "zhongruan": Kind(String, 43, 79, dict(_PLUCKED, position=(0.1, 0.3), t60=(1.2, 3.5), damping=(0.8, 2.5),
        hardness=(1200, 4000), body=(110, 230), resonance=(4, 12), knock=(0.05, 0.35), damper=(0.03, 0.15))),
    # small and high, plectrum
    "liuqin": Kind(String, 55, 96, dict(_PLUCKED, position=(0.06, 0.18), t60=(1.0, 2.6), damping=(0.2, 0.8),
        hardness=(5000, 13000), body=(380, 800), resonance=(3, 11), knock=(0.2, 0.8), damper=(0.02, 0.08))),
    # long zither strings, bright and ringing
    "guzheng": Kind(String, 38, 86, dict(_PLUCKED, position=(0.04, 0.15), t60=(2.5, 7), damping=(0.3, 1.2),
        hardness=(3000, 9000), body=(90, 220), resonance=(2, 9), knock=(0.05, 0.4), damper=(0.5, 2.0))),
    # hammered dulcimer, several strings a note
    "yangqin": Kind(String, 43, 91, dict(_PLUCKED, detune=(2, 9), position=(0.08, 0.2), t60=(2, 6),
        damping=(0.4, 1.4), hardness=(2500, 8000), body=(150, 350), resonance=(0, 8), knock=(0.1, 0.5),
        damper=(0.5, 2.0))),
    # flute with a buzzing membrane
    "dizi": Kind(Wind, 62, 96, dict(_BLOWN, soft=(-14, -8), loud=(-8, -4), odd=(0.5, 1), formant=(1200, 2600),
        strength=(0, 9), air=(0.03, 0.14), breath=(2500, 6000), vibrato=(5, 30), tremolo=(0.03, 0.2),
        buzz=(0.02, 0.16))),
    # conical double reed with a metal bell: very bright
    "suona": Kind(Wind, 57, 91, dict(_BLOWN, soft=(-6, -3), loud=(-4, 0), odd=(0.8, 1), formant=(1300, 2800),
        strength=(5, 14), air=(0.003, 0.03), scoop=(0.2, 2), vibrato=(5, 40))),
    # mouth organ of free reeds, sounds in pairs
    "sheng": Kind(Wind, 57, 91, dict(_BLOWN, soft=(-10, -6), loud=(-7, -3), odd=(0.4, 1), formant=(900, 2600),
        strength=(-2, 8), air=(0.004, 0.04), scoop=(0, 0.2), vibrato=(0, 8), voices=(2, 3.9), spread=(2, 8))),
    "gong": Kind(Gong, 52, 70, dict(size=(110, 480), density=(0.07, 0.22), t60=(3, 10), damping=(0.1, 0.5),
        glide=(-1.5, 1.5), bloom=(0.02, 0.4), hardness=(700, 4500), voicing=SEED)),
}  # fmt: skip


@dataclass(frozen=True)
class Instrument:
    """One virtual instrument: a random draw of a model's parameters, fixed for all notes, and its room."""

    kind: str  # a key of KINDS
    low: int  # lowest MIDI pitch
    high: int  # highest MIDI pitch
    tone: Any  # a model: play(Notes) -> [n, t]
    room: Room

    def play(self, notes: Notes) -> np.ndarray:
        """Notes as they would lie in a sample library: [n, t] with peaks in 0..1."""
        return self.room.record(self.tone.play(notes), notes.sample_rate, notes.rng)


def draw(kind: str, rng: np.random.Generator) -> Instrument:
    """A new instrument of a kind: every parameter is drawn from the kind's range."""
    model, low, high, ranges = KINDS[kind]
    tone = {name: _value(span, rng) for name, span in ranges.items() if name not in ROOM}
    room = {name: _value(ranges.get(name, span), rng) for name, span in ROOM.items()}
    low, high = low + int(rng.integers(-2, 3)), high + int(rng.integers(-3, 4))
    return Instrument(kind, low, high, model(**tone), Room(**room))


def _value(span: Range, rng: np.random.Generator) -> float:
    """A number from a range: even on a logarithmic axis where both ends are positive, otherwise on a linear one."""
    if not isinstance(span, tuple):
        return float(span)
    low, high = span
    return float(np.exp(rng.uniform(*np.log(span))) if low > 0 and high > 0 else rng.uniform(low, high))
