"""Every kind of instrument plays in tune, reacts to pitch and velocity, and is the same each time."""

import numpy as np
import pytest

from helpers.demo.build import generator
from helpers.demo.kinds import KINDS, draw
from helpers.demo.music import Room
from helpers.demo.sound import Notes, hertz

RATE = 16_000
UNTUNED = ("gong", "bell", "mallet", "fm_bell")  # overtones may be stronger than the pitch


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
    orders = frequency / hertz(pitch) * (2 if "organ" in kind or "synth" in kind else 1)  # suboctaves belong to them
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


def test_reverberation_lengthens_and_keeps_the_peak():
    click = np.zeros((1, RATE), np.float32)
    click[0, :50] = 0.7
    dry = Room(0, 0, 7000, 20, 0.5, 0.0, -120, 1).record(click, RATE, np.random.default_rng(0))
    wet = Room(0, 0, 7000, 20, 0.5, 0.5, -120, 1).record(click, RATE, np.random.default_rng(0))
    assert np.abs(wet).max() == pytest.approx(0.7, abs=0.01)
    assert wet[0, 4000:8000].std() > 30 * dry[0, 4000:8000].std()
