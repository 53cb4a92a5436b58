"""Waveform augmentations: length kept, drawn from the generator alone, and each does what it says."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from note_folders import RATE, tone

from helpers.augmentation import waveform as augment

STEPS = [
    augment.Resample(), augment.Equalise(), augment.Noise(), augment.Shift(), augment.Distort(),
    augment.Envelope(), augment.Chorus(), augment.Reverberate(), augment.Sometimes(0.5, augment.Equalise()),
    augment.note_augmentation(),
]  # fmt: skip
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def note(seconds: float = 1.0) -> np.ndarray:
    """Two partials that fade."""
    fade = np.exp(-np.arange(round(seconds * RATE)) / RATE).astype(np.float32)
    return (tone(300.0, seconds) + tone(1_500.0, seconds, level=0.1)) * fade


def loudest_frequency(wave: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * RATE / len(wave))


@every_step
@pytest.mark.parametrize("samples", [RATE, 1_001])
def test_length_is_kept_and_all_is_finite(step: augment.Augmentation, samples: int) -> None:
    for seed in range(5):
        changed = step(note()[:samples], rng(seed))
        assert changed.shape == (samples,)
        assert np.isfinite(changed).all()
        assert samples < RATE or np.abs(changed).max() > 0.01


@every_step
def test_silence_stays_finite(step: augment.Augmentation) -> None:
    assert np.isfinite(step(np.zeros(4_000, np.float32), rng())).all()


@every_step
def test_draws_come_from_the_generator_alone(step: augment.Augmentation) -> None:
    wave = note()
    before = wave.copy()
    results = [step(wave, rng(seed)) for seed in (3, 3, 4, 5, 6)]
    np.testing.assert_array_equal(results[0], results[1])
    assert any(not np.array_equal(results[0], other) for other in results[2:])
    np.testing.assert_array_equal(wave, before)  # what came in is left as it was


@every_step
def test_parameters_are_printed(step: augment.Augmentation) -> None:
    assert all(f"{field.name}=" in repr(step) for field in fields(step))


def test_chain_gives_single_precision() -> None:
    assert augment.Compose((lambda wave, _: wave.astype(np.float64),))(note(), rng()).dtype == np.float32


def test_chain_is_one_after_the_other() -> None:
    chain = augment.Compose((lambda wave, _: wave + 1, lambda wave, _: wave * 2))
    assert chain(np.ones(2, np.float32), rng()).tolist() == [4, 4]


def test_sometimes_is_as_often_as_it_says() -> None:
    step, generator = augment.Sometimes(0.3, lambda wave, _: wave + 1), rng()
    share = np.mean([step(np.zeros(1), generator)[0] for _ in range(2_000)])
    assert share == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_resample_moves_a_tone_by_the_semitones_drawn(seed: int) -> None:
    semitones = rng(seed).uniform(-4.0, 4.0)
    changed = augment.Resample(4.0)(tone(440.0, 2.0), rng(seed))
    played = changed[: round(2 * RATE * min(1.0, 2 ** (-semitones / 12)))]  # a higher one ends earlier
    assert loudest_frequency(played) == pytest.approx(440 * 2 ** (semitones / 12), abs=1)
    assert not changed[len(played) + 10 :].any()


def test_equalise_changes_levels_but_adds_no_frequency() -> None:
    wave = tone(500.0) + tone(5_000.0)
    changed = augment.Equalise(10.0)(wave, rng())
    spectrum = np.abs(np.fft.rfft(changed))
    assert np.argsort(spectrum)[-2:].tolist() in ([500, 5_000], [5_000, 500])
    assert np.sort(spectrum)[-3] < 0.01 * np.sort(spectrum)[-2]
    assert 20 * abs(np.log10(spectrum[500] / spectrum[5_000])) > 1


def test_equalise_by_nothing_changes_nothing() -> None:
    np.testing.assert_allclose(augment.Equalise(0.0)(note(), rng()), note(), atol=1e-5)


@pytest.mark.parametrize("snr", [10.0, 30.0])
def test_noise_lies_below_the_note_as_far_as_it_says(snr: float) -> None:
    noise = augment.Noise((snr, snr))(note(), rng()) - note()
    assert 10 * np.log10(np.mean(note() ** 2) / np.mean(noise**2)) == pytest.approx(snr, abs=0.1)


def test_shift_delays_and_nothing_else() -> None:
    wave = note()
    delays = []
    for seed in range(50):
        changed = augment.Shift(0.25)(wave + 1, rng(seed))  # + 1: no sample of the note is zero
        delays.append(int(np.argmax(changed != 0)))
        np.testing.assert_array_equal(changed[delays[-1] :], (wave + 1)[: RATE - delays[-1]])
    assert min(delays) < 0.02 * RATE and 0.2 * RATE < max(delays) <= 0.25 * RATE


def test_distort_adds_odd_overtones_and_keeps_the_peak() -> None:
    changed = augment.Distort((4.0, 4.0))(tone(500.0), rng())
    spectrum = np.abs(np.fft.rfft(changed))
    assert spectrum[1_500] > 0.1 * spectrum[500] > 100 * spectrum[1_000]
    assert np.abs(changed).max() == pytest.approx(0.5, rel=0.01)


def test_envelope_only_softens() -> None:
    wave = tone(500.0)
    for seed in range(10):
        changed = augment.Envelope()(wave, rng(seed))
        assert (np.abs(changed) <= np.abs(wave) + 1e-6).all()
        assert np.abs(changed[-RATE // 4 :]).max() >= 0.5 * 10 ** (-10 / 20) * 0.99  # 10 dB in a second at most


def test_chorus_and_room_come_after_the_sound() -> None:
    click = np.zeros(RATE, np.float32)
    click[4_000] = 1.0
    for step in (augment.Chorus(), augment.Reverberate()):
        changed = step(click, rng())
        assert np.abs(changed[:4_000]).max() < 1e-6
        assert changed[4_000] == pytest.approx(1.0, abs=0.6)
        assert np.abs(changed[4_001:]).max() > 1e-3


def test_room_is_as_loud_as_it_says() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[0] = 1.0
    room = augment.Reverberate(decay_s=(0.5, 0.5), wet_db=(-12.0, -12.0))(click, rng()) - click
    assert 10 * np.log10(np.sum(room**2)) == pytest.approx(-12, abs=0.1)
    early, late = (np.sum(room[start : start + 1_000] ** 2) for start in (0, 4_000))
    assert 10 * np.log10(early / late) == pytest.approx(60 * 0.25 / 0.5, abs=3)  # 60 dB in half a second
