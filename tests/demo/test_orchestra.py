"""Every kind of instrument plays in tune, reacts to pitch and velocity, and is the same each time."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.demo.build import generator
from helpers.demo.gtzan import LEVELS
from helpers.demo.kinds import KINDS, draw
from helpers.demo.sound import Notes

RATE = 16_000
UNTUNED = {"gong", "bell", "mallet", "fm_bell", *LEVELS}  # overtones or noise may be stronger than the pitch


def play(kind: str, pitches: list[float], velocities: list[float], seed: int = 0, seconds: float = 1.5) -> np.ndarray:
    instrument = draw(kind, generator(seed, kind))
    held = np.full(len(pitches), 0.8 * seconds)
    return instrument.play(
        Notes(np.array(pitches, float), np.array(velocities, float), held, seconds, RATE, np.random.default_rng(1))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_sounds_and_repeats(kind):
    waves = play(kind, [60, 67], [0.3, 1.0])
    assert waves.shape == (2, 24_000)
    assert waves.dtype == np.float32
    assert np.isfinite(waves).all()
    loud = np.abs(waves).max(axis=1)
    assert loud[1] == pytest.approx(1.0, abs=0.02)
    assert 0.05 < loud[0] < 0.95 * loud[1]
    assert np.array_equal(waves, play(kind, [60, 67], [0.3, 1.0]))
    assert not np.array_equal(waves, play(kind, [60, 67], [0.3, 1.0], seed=1))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in UNTUNED])
def test_every_tuned_kind_is_in_tune(kind):
    recipe = KINDS[kind]
    pitch = (recipe.low + recipe.high) // 2
    wave = play(kind, [pitch], [0.8], seconds=2.0)[0][800:16_000]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 17)) ** 2
    frequency = np.fft.rfftfreq(1 << 17, 1 / RATE)
    orders = frequency / (440 * 2 ** ((pitch - 69) / 12))
    orders = orders * (2 if "organ" in kind or "synth" in kind else 1)  # suboctaves belong to them
    heard = (orders > 0.5) & (orders < 8)
    near = np.abs(orders - np.rint(orders)) < 0.03 * orders  # a quarter of this range
    assert spectrum[near & heard].sum() > 0.7 * spectrum[heard].sum()


def test_brass_grows_brighter_with_velocity():
    power = np.abs(np.fft.rfft(play("brass", [60, 60], [0.2, 1.0]))) ** 2
    centroid = power @ np.fft.rfftfreq(24_000, 1 / RATE) / power.sum(axis=1)
    assert centroid[1] > 1.15 * centroid[0]


def test_plucked_strings_decay_and_bowed_ones_do_not():
    for kind, low, high in (("acoustic_guitar", 0.0, 0.6), ("pipa", 0.0, 0.4), ("strings", 0.6, 2.0)):
        wave = play(kind, [64], [0.8])[0]
        early, late = wave[3000:6000].std(), wave[14_000:17_000].std()
        assert low <= late / early < high


def test_clarinet_has_weak_even_harmonics():
    spectrum = np.abs(np.fft.rfft(play("clarinet", [57], [0.8])[0]))
    level = [spectrum[round(220 * k * 1.5) - 12 : round(220 * k * 1.5) + 12].max() for k in (1, 2, 3)]
    assert level[1] < 0.6 * max(level[0], level[2])


def test_envelope_rises_sustains_and_falls():
    player = replace(draw("flute", generator(0, "flute")), attack=0.1 / 1.2, decay=0.02, sustain=0.5, release=0.05)
    batch = Notes(np.array([60.0]), np.full(1, 0.5), np.array([0.5]), 1.0, RATE, np.random.default_rng(0))
    shape = batch.full(player._envelope(batch))[0]
    at = [shape[round(second * RATE)] for second in (0.0, 0.05, 0.1, 0.45, 0.55)]
    assert at == pytest.approx([0, 0.5, 1.0, 0.5, 0.5 * np.exp(-1)], abs=0.01)


def test_vibrato_is_around_the_pitch():
    player = replace(draw("flute", generator(0, "flute")), vibrato=0.5, scoop=0, unsteady=0, air=0, soft=-60, loud=-60)
    wave = player.dry(Notes(np.array([69.0]), np.ones(1), np.array([2.0]), 2.0, RATE, np.random.default_rng(0)))[0]
    crossings = np.flatnonzero((wave[:-1] < 0) & (wave[1:] >= 0))[300:]
    frequency = RATE / np.diff(crossings)
    assert frequency.mean() == pytest.approx(440, rel=5e-3)
    assert 440 * 2 ** (0.3 / 12) < np.percentile(frequency, 98) < 440 * 2 ** (0.8 / 12)


def test_kick_is_low_and_hat_is_high():
    frequency = np.fft.rfftfreq(24_000, 1 / RATE)
    kick, hat = (np.abs(np.fft.rfft(play(drum, [KINDS[drum].low], [1.0])[0])) ** 2 for drum in ("kick", "hat"))
    assert kick @ frequency / kick.sum() < 300
    assert hat @ frequency / hat.sum() > 5000
