"""The kinds of virtual instruments: lowest and highest pitch and the range of every parameter; a draw of them.

Ranges of different families overlap on purpose: those of real families do, and no classifier should reach 100 %.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.demo.instruments import GONG, Instrument
from helpers.demo.sound import Room

Range = float | tuple[float, float]
ROOM: dict[str, Range] = {
    "drive": 0.0, "balance": (-0.8, 0.8), "top": (6000, 15000), "bottom": (15, 90), "reverb": (0.15, 1.2),
    "wet": (-0.2, 0.3), "floor": (-84, -58), "echo": (0, 1e6),
}  # fmt: skip


class Kind(NamedTuple):
    """A kind of instrument."""

    low: int  # MIDI pitch
    high: int  # MIDI pitch
    ranges: dict[str, Range]  # of fields of Instrument and Room: a number, or the ends that `draw` draws between


def _kind(low: int, high: int, *bases: dict[str, Range], **own: Range) -> Kind:
    return Kind(low, high, {name: span for ranges in (*bases, own) for name, span in ranges.items()})


STRING = dict(stiffness=(2e-5, 2e-4), closed=(0.5, 1.5), soft=-6, loud=-4, t60=(2, 6), damping=(0.3, 1.2),
              position=(0.07, 0.35), voices=2, spread=(0.3, 3), release=(0.03, 0.15), resonance=(0, 8))
PLUCKED = STRING | dict(loud=(-6, -2), voices=1)
ELECTRIC = STRING | dict(cutoff=(2500, 8000), resonance=-20, knock=(0.01, 0.15), uneven=(2, 6), top=(3500, 8000))
WIND = dict(body=(400, 1500), ratio=2.6, width=0.7, resonance=(-3, 6), attack=(0.02, 0.12), release=(0.02, 0.1),
            decay=0.15, sustain=0.85, air=(0.004, 0.05), hiss=(1500, 4500), rate=(4, 6.5), vibrato=(0, 0.2),
            tremolo=(-0.05, 0.15), scoop=(0, 0.6), unsteady=0.05)
BRASS = WIND | dict(air=(0.001, 0.006), scoop=(0.2, 2), tremolo=(0, 0.08))
BOWED = dict(ratio=(1.3, 1.5), width=0.15, resonance=(5, 14), soft=(-9, -6), loud=(-6, -3), closed=1, air=(0.02, 0.07),
             hiss=(1200, 3500), attack=(0.03, 0.18), release=(0.04, 0.15), rate=(4.8, 6.5), vibrato=(0.1, 0.4),
             scoop=(0, 0.5), unsteady=0.06)
STRINGS = BOWED | dict(body=(90, 300), cutoff=(2200, 6000), air=(0.005, 0.06), attack=(0.03, 0.3), vibrato=(0, 0.3))
VOICE = dict(tract=(0.95, 1.25), vowel=(0, 4.9), target=(0, 4.9), soft=-12, loud=(-10, -7), resonance=(18, 28), begin=0,
             move=(0.5, 2), cutoff=5000, uneven=1, attack=(0.04, 0.2), release=(0.04, 0.2), sustain=0.9, hiss=3000,
             air=(0.005, 0.06), rate=(4.5, 6.5), vibrato=(0.05, 0.5), scoop=(0, 1), unsteady=0.07)
ORGAN = dict(uneven=(3, 9), voices=2, spread=(2, 18), touch=0.1, resonance=-20)
SYNTH = dict(series=(0, 1.99), soft=-8, loud=-6, odd=(0, 1), cutoff=(1500, 8000), closed=(1, 4), uneven=0, end=0.1,
             move=(0.1, 1.5), attack=(0.003, 0.05), sustain=(0.5, 1), decay=(0.2, 2), release=(0.02, 0.3), rate=(3, 7),
             voices=(1, 3.9), spread=(2, 18))
BAR = dict(resonance=-20, soft=-6, loud=(-4, 0), cutoff=(800, 8000), closed=1, uneven=5, knock=(0.02, 0.4),
           release=(0.1, 0.8), rate=(3, 7))
FIDDLE = BOWED | dict(attack=(0.02, 0.12), air=(0.015, 0.09), rate=(4.8, 7))
BLOWN = WIND | dict(attack=(0.02, 0.08), rate=(4.5, 7))
DRUM = dict(scoop=-12, slide=0.03, soft=-30, loud=-30, release=1, unsteady=0)
NOISE = dict(soft=-60, loud=-60, t60=0.01, release=1)

KINDS: dict[str, Kind] = {
    "acoustic_bass": _kind(26, 60, STRING, t60=(2.5, 9), damping=(1, 6), cutoff=(500, 2500), body=(60, 130)),
    "electric_bass": _kind(24, 62, ELECTRIC, t60=(2.5, 9), damping=(1, 6), cutoff=(700, 5000), drive=(-1, 1.5)),
    "synth_bass": _kind(24, 62, SYNTH, cutoff=(600, 4000), move=(0.05, 0.7), drive=(-1, 1.5)),
    "fm_bass": _kind(24, 60, SYNTH, series=0, cutoff=(800, 3000), t60=(1.5, 6), move=(0.05, 0.4), voices=1),
    "brass": _kind(36, 84, BRASS, soft=(-19, -12), loud=(-7, -3), body=(500, 1300), resonance=(3, 10)),
    "trumpet": _kind(54, 86, BRASS, soft=(-16, -10), loud=(-5, -2), body=(900, 1700), resonance=(3, 10)),
    "synth_brass": _kind(36, 80, BRASS, soft=(-18, -12), loud=(-8, -4), body=(500, 1500), voices=2, spread=(3, 14)),
    "flute": _kind(55, 96, WIND, soft=(-22, -15), loud=(-15, -9), odd=(0.4, 1), resonance=(-9, 5), air=(0.05, 0.16)),
    "synth_flute": _kind(48, 96, WIND, soft=(-22, -12), loud=(-16, -8), odd=(0.05, 0.8), scoop=0, voices=(1, 2.9)),
    "acoustic_guitar": _kind(40, 84, STRING, cutoff=(1500, 6000), body=(90, 220), knock=(0.05, 0.4)),
    "electric_guitar": _kind(40, 86, ELECTRIC, drive=(-1, 7)),
    "driven_guitar": _kind(40, 86, ELECTRIC, drive=(3, 15), top=(3500, 7000)),
    "piano": _kind(28, 100, STRING, stiffness=(2e-4, 1.2e-3), t60=(6, 16), cutoff=(1200, 4500), knock=(0.03, 0.25)),
    "harpsichord": _kind(36, 90, PLUCKED, cutoff=(6000, 14000), body=(150, 350), loud=(-3, -1), knock=(0.05, 0.3)),
    "electric_piano": _kind(33, 96, soft=(-24, -16), loud=(-16, -9), end=0.3, t60=(3, 10), uneven=5, knock=(0.05, 0.3)),
    "synth_keys": _kind(33, 96, SYNTH, sustain=(0.02, 0.3), attack=(0.002, 0.01), decay=(0.2, 1.5)),
    "mallet": _kind(48, 98, BAR, series=(3, 7), t60=(0.3, 6), damping=(0.2, 1), tremolo=(-0.4, 0.4)),
    "bell": _kind(48, 96, BAR, series=(6.2, 9.99), t60=(2, 10), damping=(0.1, 0.4), knock=(0.01, 0.2)),
    "fm_bell": _kind(50, 98, BAR, series=(7, 9.99), t60=(1, 5), begin=1, end=0, move=(0.1, 1), voices=2, spread=4),
    "drawbar_organ": _kind(36, 96, ORGAN, series=2, soft=0, loud=0, rate=(1, 7), tremolo=(-0.15, 0.3), air=(0, 0.02)),
    "pipe_organ": _kind(36, 96, ORGAN, series=1, soft=-9, loud=(-10, -5), attack=(0.02, 0.12), air=0.03, wet=(0, 0.6)),
    "clarinet": _kind(50, 91, WIND, soft=(-13, -8), loud=(-9, -5), odd=(0.02, 0.2), body=(900, 2500), vibrato=0),
    "saxophone": _kind(44, 86, WIND, soft=(-11, -6), loud=(-7, -2), body=(450, 1000), resonance=(4, 11), air=0.04),
    "oboe": _kind(46, 91, WIND, soft=(-8, -5), loud=(-6, -3), body=(1000, 1600), resonance=(10, 18), air=(0.002, 0.02)),
    "harmonica": _kind(50, 92, WIND, soft=(-9, -5), loud=(-6, -2), body=(1000, 3000), voices=2, spread=(5, 16)),
    "strings": _kind(38, 92, STRINGS),
    "cello": _kind(36, 72, BOWED, body=(85, 160), cutoff=(1800, 4500)),
    "violin": _kind(55, 96, BOWED, body=(230, 330), cutoff=(3000, 7000)),
    "string_section": _kind(36, 92, STRINGS, attack=(0.06, 0.4), voices=(3, 4.9), spread=(4, 16), wet=(0, 0.45)),
    "synth_lead": _kind(40, 96, SYNTH, cutoff=(3000, 12000), closed=(0, 3), vibrato=(0, 0.35), drive=(-1, 2)),
    "voice": _kind(44, 84, VOICE),
    "choir": _kind(44, 84, VOICE, resonance=(14, 24), attack=(0.08, 0.3), voices=(3, 4.9), spread=(5, 20)),
    "synth_voice": _kind(44, 86, VOICE, tract=(0.8, 1.4), resonance=(12, 22), vibrato=0, voices=(1, 2.9), spread=9),
    # a drum of snake skin: narrow resonances
    "erhu": _kind(62, 93, FIDDLE, body=(320, 480), resonance=(8, 17), cutoff=(3000, 6500), vibrato=(0.15, 0.5)),
    # all notes are slid into
    "zhuiqin": _kind(50, 79, FIDDLE, body=(150, 240), resonance=(4, 10), cutoff=(1500, 3500), scoop=(1.5, 4)),
    "pipa": _kind(45, 88, PLUCKED, position=(0.05, 0.12), t60=(1.2, 2.5), damping=(0.25, 0.7), cutoff=(5000, 11000),
                  body=(300, 450), resonance=(6, 13), knock=(0.15, 0.7)),  # nails on thin strings, hard and short
    # skin-covered body: banjo-like, quick decay
    "sanxian": _kind(43, 82, PLUCKED, position=(0.06, 0.2), t60=(0.5, 1.2), damping=(0.4, 1.6), cutoff=(2500, 7000),
                     body=(180, 300), resonance=(12, 20), knock=(0.25, 0.9)),
    "zhongruan": _kind(43, 79, PLUCKED, position=(0.1, 0.3), t60=(1.2, 3.5), damping=(0.8, 2.5), cutoff=(1200, 4000),
                       body=(110, 230), knock=(0.05, 0.35)),  # round wooden body: warm, longer
    "liuqin": _kind(55, 96, PLUCKED, position=(0.06, 0.18), t60=(0.8, 1.8), damping=(0.2, 0.6), cutoff=(7000, 13000),
                    body=(500, 800), resonance=(6, 13), knock=(0.2, 0.8)),  # small and high, plectrum
    "guzheng": _kind(38, 86, PLUCKED, position=(0.04, 0.15), t60=(4, 9), damping=(0.2, 0.6), cutoff=(3000, 9000),
                     body=(90, 180), knock=(0.02, 0.15), release=(1, 2)),  # long zither strings, bright and ringing
    "yangqin": _kind(43, 91, PLUCKED, position=(0.08, 0.2), cutoff=(2500, 8000), body=(200, 350), voices=3,
                     spread=(4, 9), knock=(0.2, 0.5), release=(0.3, 0.8)),  # hammered dulcimer, several strings a note
    "dizi": _kind(62, 96, BLOWN, soft=(-18, -12), loud=(-12, -7), odd=(0.5, 1), body=(3500, 6000), resonance=(12, 20),
                  width=0.9, hiss=(2500, 6000), air=(0.03, 0.14), vibrato=(0.05, 0.3)),  # flute with a buzzing membrane
    # conical double reed with a metal bell: very bright
    "suona": _kind(57, 91, BLOWN, soft=(-5, -3), loud=(-3, 0), body=(1300, 2800), resonance=(5, 14),
                   air=(0.003, 0.03), scoop=(0.2, 2), vibrato=(0.05, 0.4)),
    # mouth organ of free reeds, sounds in pairs
    "sheng": _kind(57, 91, BLOWN, soft=(-10, -6), loud=(-7, -3), odd=(0.4, 1), body=(900, 2600), resonance=(-2, 8),
                   air=(0.004, 0.04), scoop=0, vibrato=0, voices=(2, 3.9), spread=(2, 8)),
    # many partials, a pitch that glides, brightness that blooms late
    "gong": _kind(45, 68, series=GONG, soft=-20, loud=-3, cutoff=(1500, 6000), t60=(3, 10), damping=(0.1, 0.5),
                  begin=0.2, move=(0.05, 0.4), scoop=(-1.5, 1.5), slide=(0.3, 1), uneven=6, release=0.15),
    "speaker": _kind(43, 58, VOICE, attack=0.02, vibrato=0, scoop=(-2, 2), slide=0.2, knock=0.3, tick=0.04, hiss=5000),
    "kick": _kind(31, 31, DRUM, t60=(0.2, 0.5), knock=0.1),
    "electronic_kick": _kind(28, 28, DRUM, scoop=(-24, -12), t60=(0.5, 1.5)),
    "snare": _kind(55, 55, DRUM, t60=(0.2, 0.5), knock=(0.3, 0.9), tick=(0.05, 0.2), hiss=4000),
    "hat": _kind(60, 60, NOISE, knock=20, tick=(0.015, 0.05), hiss=9000),
    "open": _kind(60, 60, NOISE, knock=20, tick=(0.1, 0.3), hiss=9000),
    "crash": _kind(60, 60, NOISE, knock=20, tick=0.4, hiss=6000),
    "clap": _kind(60, 60, NOISE, knock=20, tick=(0.05, 0.2), hiss=1800),
    "rim": _kind(84, 84, NOISE, t60=0.1, knock=0.2, tick=0.01, hiss=3500),
}  # fmt: skip


def draw(kind: str, rng: np.random.Generator) -> Instrument:
    """A new instrument of a kind (a key of KINDS): every parameter is drawn from the kind's range."""
    low, high, ranges = KINDS[kind]
    tone = {name: _value(span, rng) for name, span in ranges.items() if name not in ROOM}
    room = {name: _value(ranges.get(name, span), rng) for name, span in ROOM.items()}
    low, high = (low, high) if low == high else (low + int(rng.integers(-2, 3)), high + int(rng.integers(-3, 4)))
    return Instrument(kind=kind, low=low, high=high, room=Room(**room), voicing=int(rng.integers(2**31)), **tone)


def _value(span: Range, rng: np.random.Generator) -> float:
    """A number from a range: even on a logarithmic axis where both ends are positive, otherwise on a linear one."""
    if not isinstance(span, tuple):
        return float(span)
    low, high = span
    return float(np.exp(rng.uniform(*np.log(span))) if low > 0 and high > 0 else rng.uniform(low, high))
