"""How fast notes of generated instruments are rendered, on one core; 25 notes/s here are 50 notes/s on two cores."""

import numpy as np

from helpers.demo.build import generator
from helpers.demo.kinds import draw
from helpers.demo.nsynth import FAMILIES, HELD, RATE, SECONDS
from helpers.demo.sound import Notes

NOTES = 6  # of every kind


def render_every_kind() -> int:
    kinds = [kind for recipes in FAMILIES.values() for _, kind in recipes]
    for kind in kinds:
        instrument, rng = draw(kind, generator(0, kind)), np.random.default_rng(0)
        pitches = np.linspace(instrument.low, instrument.high, NOTES)
        instrument.play(Notes(pitches, np.full(NOTES, 0.8), np.full(NOTES, HELD), SECONDS, RATE, rng))
    return NOTES * len(kinds)


def test_notes_of_all_families(benchmark):
    notes = benchmark.pedantic(render_every_kind, rounds=3, warmup_rounds=1)
    benchmark.extra_info["notes_per_second"] = round(notes / benchmark.stats["mean"], 1)
