"""The kinds of Western and electronic instruments: which model, which pitches, which range for every parameter.

A range is a number, or a pair (low, high) that `orchestra.draw` draws from. Ranges of different families overlap on
purpose: real families do, and no recogniser should reach 100 %.

The kinds of Chinese instruments: the eleven of ChMusic, and gongs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.demo.electronic import FM, Organ, Subtractive
from helpers.demo.percussion import Bar, Gong
from helpers.demo.strings import Bowed, String
from helpers.demo.winds import Voice, Wind

Range = float | tuple[float, float]
SEED = (0, 1e6)


@dataclass(frozen=True)
class Kind:
    """A kind of instrument."""

    model: type
    low: int  # MIDI pitch
    high: int  # MIDI pitch
    ranges: dict[str, Range]
    room: dict[str, Range] = field(default_factory=dict)  # where it differs from orchestra.ROOM


def _kind(model: type, low: int, high: int, room: dict[str, Range] | None = None, **ranges: Range) -> Kind:
    return Kind(model, low, high, ranges, room or {})


_GUITAR = dict(position=(0.07, 0.35), stiffness=(2e-5, 2e-4), t60=(2.0, 6.0), damping=(0.3, 1.2), tilt=(0.5, 1.2))
_BASS = dict(position=(0.08, 0.4), stiffness=(5e-6, 1e-4), t60=(2.5, 9.0), damping=(1.0, 6.0), tilt=(0.5, 1.2))
_WIND = dict(rate=(4, 6.5), attack=(0.02, 0.14), swell=(-0.4, 0.4), release=(0.02, 0.12), hiss=(1500, 4500))
_SYNTH = dict(attack=(0.003, 0.05), sustain=(0.5, 1.0), decay=(0.2, 2.0), release=(0.02, 0.3), glide=(-0.5, 0.5))

_SOLO = dict(
    density=(1.3, 1.5), resonance=(5, 14), tilt=(0.6, 0.9), bow=(0.02, 0.07), rate=(4.8, 6.5), vibrato=(15, 40),
    slide=(0, 0.5), release=(0.04, 0.15), players=1, spread=0, voicing=SEED,
)

WESTERN: dict[str, Kind] = {
    "acoustic_bass": _kind(
        String, 26, 60, **_BASS, hardness=(500, 2500), detune=(0, 3), body=(60, 130), resonance=(2, 10),
        knock=(0.02, 0.2), damper=(0.03, 0.15),
    ),
    "electric_bass": _kind(
        String, 24, 62, {"wet": (-0.2, 0.1), "drive": (-1, 1.5)}, **_BASS, hardness=(700, 5000), detune=(0, 2),
        body=(80, 200), resonance=(-15, 0), knock=(0.01, 0.12), damper=(0.02, 0.08), pickup=(0.1, 0.35),
    ),
    "synth_bass": _kind(
        Subtractive, 24, 62, {"wet": (-0.2, 0.1)}, **_SYNTH, pulse=(0.1, 0.9), sub=(-0.3, 0.8), cutoff=(120, 900),
        sweep=(0.5, 4), filter_decay=(0.05, 0.7), peak=(0, 16), unison=(1, 3), spread=(2, 15), rate=(3, 7),
        vibrato=(0, 6), drive=(0.3, 2.5),
    ),
    "fm_bass": _kind(
        FM, 24, 60, ratio=(0.6, 2.4), index=(1, 5), index_decay=(0.05, 0.8), floor=(0.05, 0.5), tine=(0, 0.3),
        t60=(1.5, 6), detune=(0, 4), rate=(3, 6), tremolo=0.0, release=(0.02, 0.15),
    ),
    "brass": _kind(
        Wind, 36, 84, **_WIND, soft=(-19, -12), loud=(-7, -3), odd=1.0, formant=(500, 1300), strength=(3, 10),
        breath=(0.001, 0.006), scoop=(0.3, 2), vibrato=(0, 18), tremolo=(0, 0.08),
    ),
    "trumpet": _kind(
        Wind, 54, 86, **_WIND, soft=(-16, -10), loud=(-5, -2), odd=1.0, formant=(900, 1700), strength=(3, 10),
        breath=(0.001, 0.006), scoop=(0.2, 1.5), vibrato=(0, 18), tremolo=(0, 0.08),
    ),
    "synth_brass": _kind(
        Wind, 36, 80, **_WIND, soft=(-18, -12), loud=(-8, -4), odd=1.0, formant=(500, 1500), strength=(-3, 6),
        breath=(0.0005, 0.004), scoop=(0, 0.3), vibrato=(0, 10), tremolo=(0, 0.05), reeds=(2, 3.9), spread=(3, 14),
    ),
    "flute": _kind(
        Wind, 55, 96, **_WIND, soft=(-22, -15), loud=(-15, -9), odd=(0.4, 1), formant=(500, 1200), strength=(-4, 5),
        breath=(0.05, 0.16), scoop=(0, 0.5), vibrato=(0, 22), tremolo=(0.02, 0.22),
    ),
    "synth_flute": _kind(
        Wind, 48, 96, **_WIND, soft=(-22, -12), loud=(-16, -8), odd=(0.05, 0.8), formant=(400, 2000), strength=(-8, 4),
        breath=(0.005, 0.08), scoop=(0, 0.1), vibrato=(0, 15), tremolo=(0, 0.15), reeds=(1, 2.9), spread=(2, 10),
    ),
    "acoustic_guitar": _kind(
        String, 40, 84, **_GUITAR, hardness=(1500, 6000), detune=(0.2, 3), body=(90, 220), resonance=(4, 14),
        knock=(0.05, 0.4), damper=(0.03, 0.15),
    ),
    "electric_guitar": _kind(
        String, 40, 86, {"drive": (-1, 7), "top": (3500, 8000)}, **_GUITAR, hardness=(2500, 8000), detune=(0, 3),
        body=(150, 400), resonance=(-15, 0), knock=(0.01, 0.15), damper=(0.02, 0.12), pickup=(0.08, 0.3),
        tremolo=(-12, 7),
    ),
    "driven_guitar": _kind(
        String, 40, 86, {"drive": (3, 15), "top": (3500, 7000)}, **_GUITAR, hardness=(2500, 8000), detune=(0, 3),
        body=(150, 400), resonance=(-15, 0), knock=(0.01, 0.1), damper=(0.02, 0.12), pickup=(0.08, 0.3),
    ),
    "piano": _kind(
        String, 28, 100, position=(0.08, 0.14), stiffness=(2e-4, 1.2e-3), t60=(6, 16), damping=(0.6, 1.8),
        hardness=(1200, 4500), tilt=(0.3, 0.9), detune=(0.3, 3), body=(80, 180), resonance=(-2, 6), knock=(0.03, 0.25),
        damper=(0.04, 0.2),
    ),
    "harpsichord": _kind(
        String, 36, 90, position=(0.1, 0.3), stiffness=(5e-5, 3e-4), t60=(2, 6), damping=(0.2, 0.8),
        hardness=(6000, 14000), tilt=(0.2, 0.6), detune=(0.5, 5), body=(150, 350), resonance=(0, 8), knock=(0.05, 0.3),
        damper=(0.02, 0.1),
    ),
    "electric_piano": _kind(
        FM, 33, 96, ratio=(0.6, 1.4), index=(0.3, 2.5), index_decay=(0.2, 2), floor=(0.1, 0.5), tine=(0.15, 0.6),
        t60=(3, 10), detune=(0, 4), rate=(2, 7), tremolo=(-0.3, 0.35), release=(0.03, 0.2),
    ),
    "synth_keys": _kind(
        Subtractive, 33, 96, **{**_SYNTH, "sustain": (0.02, 0.3), "attack": (0.002, 0.01), "decay": (0.2, 1.5)},
        pulse=(0.1, 0.9), sub=(-0.5, 0.4), cutoff=(400, 2500), sweep=(0, 3), filter_decay=(0.1, 0.8), peak=(0, 8),
        unison=(1, 3), spread=(2, 12), rate=(3, 6), vibrato=(0, 4), drive=(0.3, 1.2),
    ),
    "mallet": _kind(
        Bar, 48, 98, shape=(0, 4), jitter=(0, 0.03), t60=(0.3, 6), damping=(0.6, 2), hardness=(800, 8000),
        knock=(0.02, 0.4), motor=(-8, 7), damper=(0.08, 0.8), voicing=SEED,
    ),
    "bell": _kind(
        Bar, 48, 96, shape=(3.2, 6.99), jitter=(0, 0.02), t60=(2, 10), damping=(0.4, 1.2), hardness=(1500, 9000),
        knock=(0.01, 0.2), motor=0.0, damper=(0.2, 1.0), voicing=SEED,
    ),
    "fm_bell": _kind(
        FM, 50, 98, ratio=(1.6, 6), index=(0.3, 3), index_decay=(0.1, 1.5), floor=(0, 0.3), tine=(0.1, 0.8), t60=(1, 5),
        detune=(0, 5), rate=(3, 7), tremolo=(-0.3, 0.3), release=(0.1, 0.7),
    ),
    "drawbar_organ": _kind(
        Organ, 36, 96, registration=SEED, pipes=(0, 0.12), slope=(-14, -6), chorus=(1, 9), rotor=(-3, 7),
        depth=(0.05, 0.3), click=(0, 0.15), attack=(0.003, 0.02), release=(0.01, 0.05),
    ),
    "pipe_organ": _kind(
        Organ, 36, 96, {"wet": (0, 0.6), "t60": (0.6, 2.5)}, registration=SEED, pipes=(0.3, 1), slope=(-14, -5),
        chorus=(1, 7), rotor=0.0, depth=0.0, click=(0, 0.08), attack=(0.02, 0.12), release=(0.03, 0.15),
    ),
    "clarinet": _kind(
        Wind, 50, 91, **_WIND, soft=(-13, -8), loud=(-9, -5), odd=(0.02, 0.2), formant=(900, 2500), strength=(-2, 8),
        breath=(0.004, 0.04), scoop=(0, 0.4), vibrato=(0, 6), tremolo=(0, 0.05),
    ),
    "saxophone": _kind(
        Wind, 44, 86, **_WIND, soft=(-11, -6), loud=(-7, -2), odd=(0.6, 1), formant=(450, 1000), strength=(4, 11),
        breath=(0.02, 0.08), scoop=(0.1, 1.2), vibrato=(0, 25), tremolo=(0, 0.1),
    ),
    "oboe": _kind(
        Wind, 46, 91, **_WIND, soft=(-8, -5), loud=(-6, -3), odd=(0.7, 1), formant=(1000, 1600), strength=(10, 18),
        breath=(0.002, 0.02), scoop=(0, 0.4), vibrato=(0, 20), tremolo=(0, 0.1),
    ),
    "harmonica": _kind(
        Wind, 50, 92, **_WIND, soft=(-9, -5), loud=(-6, -2), odd=(0.6, 1), formant=(1000, 3000), strength=(0, 10),
        breath=(0.004, 0.03), scoop=(0, 0.5), vibrato=(0, 10), tremolo=(0, 0.2), reeds=(2, 2.9), spread=(5, 16),
    ),
    "strings": _kind(
        Bowed, 38, 92, air=(90, 300), density=(1.3, 1.6), resonance=(2, 12), bridge=(2500, 6500), tilt=(0.7, 1.2),
        bow=(0.005, 0.06), attack=(0.03, 0.3), rate=(4.5, 6.8), vibrato=(0, 30), slide=(0, 0.3), release=(0.04, 0.2),
        players=1, spread=0, voicing=SEED,
    ),
    "cello": _kind(
        Bowed, 36, 72, **_SOLO, air=(85, 160), bridge=(1800, 4500), attack=(0.04, 0.2),
    ),
    "violin": _kind(
        Bowed, 55, 96, **_SOLO, air=(230, 330), bridge=(3000, 7000), attack=(0.03, 0.15),
    ),
    "string_section": _kind(
        Bowed, 36, 92, {"wet": (0, 0.45)}, air=(90, 300), density=(1.3, 1.6), resonance=(0, 9), bridge=(2000, 5500),
        tilt=(0.7, 1.2), bow=(0.005, 0.05), attack=(0.06, 0.4), rate=(4.5, 6.5), vibrato=(5, 25), slide=(0, 0.2),
        release=(0.08, 0.3), players=(3, 5.9), spread=(4, 16), voicing=SEED,
    ),
    "synth_lead": _kind(
        Subtractive, 40, 96, **_SYNTH, pulse=(0.08, 0.95), sub=(-0.4, 0.5), cutoff=(600, 5000), sweep=(0, 3),
        filter_decay=(0.1, 1.5), peak=(0, 14), unison=(1, 4.9), spread=(3, 25), rate=(3, 8), vibrato=(0, 35),
        drive=(0.3, 3),
    ),
    "voice": _kind(
        Voice, 44, 84, tract=(0.95, 1.25), vowel=(0, 4.9), target=(0, 4.9), tilt=(-12, -8), ring=(18, 28),
        breath=(0.005, 0.06), attack=(0.04, 0.2), rate=(4.5, 6.5), vibrato=(5, 55), scoop=(0, 1.2),
        release=(0.04, 0.15), singers=1, spread=0,
    ),
    "choir": _kind(
        Voice, 44, 84, {"wet": (0, 0.5)}, tract=(0.95, 1.25), vowel=(0, 4.9), target=(0, 4.9), tilt=(-13, -8),
        ring=(14, 24), breath=(0.005, 0.08), attack=(0.08, 0.3), rate=(4.5, 6.2), vibrato=(5, 30), scoop=(0, 0.6),
        release=(0.08, 0.25), singers=(3, 5.9), spread=(5, 20),
    ),
    "synth_voice": _kind(
        Voice, 44, 86, tract=(0.8, 1.4), vowel=(0, 4.9), target=(0, 4.9), tilt=(-12, -6), ring=(12, 22),
        breath=(0.001, 0.04), attack=(0.03, 0.3), rate=(4, 6), vibrato=(0, 12), scoop=0, release=(0.05, 0.3),
        singers=(1, 2.9), spread=(3, 14),
    ),
}


_PLUCKED = dict(stiffness=(2e-5, 2e-4), tilt=(0.3, 1.0), detune=(0.2, 3))
_FIDDLE = dict(
    density=(1.25, 1.5), tilt=(0.5, 0.9), rate=(4.8, 7), release=(0.04, 0.12), players=1, spread=0, voicing=SEED,
)
_BLOW = dict(attack=(0.02, 0.08), rate=(4.5, 7), swell=(-0.3, 0.3), release=(0.02, 0.1))

CHINESE: dict[str, Kind] = {
    "erhu": Kind(Bowed, 62, 93, dict(  # a small drum of snake skin: strong, narrow resonances, wide vibrato
        _FIDDLE, air=(320, 480), resonance=(8, 17), bridge=(3000, 6500), bow=(0.015, 0.08), attack=(0.02, 0.12),
        vibrato=(15, 50), slide=(0.5, 2.5),
    )),
    "zhuiqin": Kind(Bowed, 52, 84, dict(  # fretless and lower, all notes are slid into
        _FIDDLE, air=(180, 300), resonance=(6, 14), bridge=(2000, 4500), bow=(0.02, 0.1), attack=(0.02, 0.12),
        vibrato=(10, 40), slide=(1.5, 4),
    )),
    "pipa": Kind(String, 45, 88, dict(  # nails on thin strings, hard and short
        _PLUCKED, position=(0.05, 0.16), t60=(1.2, 3.5), damping=(0.25, 1), hardness=(4000, 11000), body=(250, 520),
        resonance=(4, 13), knock=(0.15, 0.7), damper=(0.03, 0.12),
    )),
    "sanxian": Kind(String, 43, 82, dict(  # skin-covered body: banjo-like, quick decay
        _PLUCKED, position=(0.06, 0.2), t60=(0.8, 2.0), damping=(0.4, 1.6), hardness=(2500, 7000), body=(180, 380),
        resonance=(8, 17), knock=(0.25, 0.9), damper=(0.03, 0.1),
    )),
    "zhongruan": Kind(String, 43, 79, dict(  # round wooden body: warm, longer
        _PLUCKED, position=(0.1, 0.3), t60=(1.2, 3.5), damping=(0.8, 2.5), hardness=(1200, 4000), body=(110, 230),
        resonance=(4, 12), knock=(0.05, 0.35), damper=(0.03, 0.15),
    )),
    "liuqin": Kind(String, 55, 96, dict(  # small and high, plectrum
        _PLUCKED, position=(0.06, 0.18), t60=(1.0, 2.6), damping=(0.2, 0.8), hardness=(5000, 13000), body=(380, 800),
        resonance=(3, 11), knock=(0.2, 0.8), damper=(0.02, 0.08),
    )),
    "guzheng": Kind(String, 38, 86, dict(  # long zither strings, bright and ringing
        _PLUCKED, position=(0.04, 0.15), t60=(2.5, 7), damping=(0.3, 1.2), hardness=(3000, 9000), body=(90, 220),
        resonance=(2, 9), knock=(0.05, 0.4), damper=(0.5, 2.0),
    )),
    "yangqin": Kind(String, 43, 91, dict(  # hammered dulcimer, several strings a note
        {**_PLUCKED, "detune": (2, 9)}, position=(0.08, 0.2), t60=(2, 6), damping=(0.4, 1.4), hardness=(2500, 8000),
        body=(150, 350), resonance=(0, 8), knock=(0.1, 0.5), damper=(0.5, 2.0),
    )),
    "dizi": Kind(Wind, 62, 96, dict(  # flute with a buzzing membrane
        _BLOW, soft=(-14, -8), loud=(-8, -4), odd=(0.5, 1), formant=(1200, 2600), strength=(0, 9), breath=(0.03, 0.14),
        hiss=(2500, 6000), scoop=(0, 0.8), vibrato=(5, 30), tremolo=(0.03, 0.2), buzz=(0.02, 0.16),
    )),
    "suona": Kind(Wind, 57, 91, dict(  # conical double reed with a metal bell: very bright
        _BLOW, soft=(-6, -3), loud=(-4, 0), odd=(0.8, 1), formant=(1300, 2800), strength=(5, 14), breath=(0.003, 0.03),
        hiss=(2500, 5000), scoop=(0.2, 2), vibrato=(5, 40), tremolo=(0, 0.12),
    )),
    "sheng": Kind(Wind, 57, 91, dict(  # mouth organ of free reeds, sounds in pairs
        _BLOW, soft=(-10, -6), loud=(-7, -3), odd=(0.4, 1), formant=(900, 2600), strength=(-2, 8), breath=(0.004, 0.04),
        hiss=(2000, 5000), scoop=(0, 0.2), vibrato=(0, 8), tremolo=(0, 0.15), reeds=(2, 3.9), spread=(2, 8),
    )),
    "gong": Kind(Gong, 52, 70, dict(
        size=(110, 480), density=(0.07, 0.22), t60=(3, 10), damping=(0.1, 0.5), glide=(-1.5, 1.5), bloom=(0.02, 0.4),
        hardness=(700, 4500), voicing=SEED,
    )),
}
