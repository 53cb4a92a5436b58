"""The kinds of Chinese instruments: the eleven of ChMusic, and gongs."""

from __future__ import annotations

from helpers.demo.bars import Gong
from helpers.demo.bowed import Bowed
from helpers.demo.strings import String
from helpers.demo.western import SEED, Kind
from helpers.demo.winds import Wind

_PLUCKED = dict(stiffness=(2e-5, 2e-4), tilt=(0.3, 1.0), detune=(0.2, 3))
_FIDDLE = dict(
    density=(1.25, 1.5), tilt=(0.5, 0.9), rate=(4.8, 7), release=(0.04, 0.12), players=1, spread=0, voicing=SEED,
)
_WIND = dict(attack=(0.02, 0.08), rate=(4.5, 7), swell=(-0.3, 0.3), release=(0.02, 0.1))

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
        _WIND, soft=(-14, -8), loud=(-8, -4), odd=(0.5, 1), formant=(1200, 2600), strength=(0, 9), breath=(0.03, 0.14),
        hiss=(2500, 6000), scoop=(0, 0.8), vibrato=(5, 30), tremolo=(0.03, 0.2), buzz=(0.02, 0.16),
    )),
    "suona": Kind(Wind, 57, 91, dict(  # conical double reed with a metal bell: very bright
        _WIND, soft=(-6, -3), loud=(-4, 0), odd=(0.8, 1), formant=(1300, 2800), strength=(5, 14), breath=(0.003, 0.03),
        hiss=(2500, 5000), scoop=(0.2, 2), vibrato=(5, 40), tremolo=(0, 0.12),
    )),
    "sheng": Kind(Wind, 57, 91, dict(  # mouth organ of free reeds, sounds in pairs
        _WIND, soft=(-10, -6), loud=(-7, -3), odd=(0.4, 1), formant=(900, 2600), strength=(-2, 8), breath=(0.004, 0.04),
        hiss=(2000, 5000), scoop=(0, 0.2), vibrato=(0, 8), tremolo=(0, 0.15), reeds=(2, 3.9), spread=(2, 8),
    )),
    "gong": Kind(Gong, 52, 70, dict(
        size=(110, 480), density=(0.07, 0.22), t60=(3, 10), damping=(0.1, 0.5), glide=(-1.5, 1.5), bloom=(0.02, 0.4),
        hardness=(700, 4500), voicing=SEED,
    )),
}
