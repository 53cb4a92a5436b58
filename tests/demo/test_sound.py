"""The building blocks have known answers: decay times, pitches, spectra."""

import numpy as np
import pytest

from helpers.demo import sound
from helpers.demo.sound import Notes, Room

RATE = 16_000


def notes(*pitches: float, seconds: float = 1.0, velocity: float = 0.8, rate: int = RATE) -> Notes:
    n = len(pitches)
    return Notes(np.array(pitches), np.full(n, velocity), np.full(n, seconds), seconds, rate, np.random.default_rng(0))


def strongest(waveform: np.ndarray, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.fft.rfftfreq(len(waveform), 1 / rate)[spectrum.argmax()])


def test_partials_equal_the_sum_written_out():
    batch = notes(60, 70)
    frequency = np.array([[200.0, 531.7], [1000.0, 3003.1]])
    t60 = np.array([[0.5, 1.0], [2.0, 0.3]])
    amplitude = np.array([[[1.0, 0.3], [0.2, 0.1]], [[0.5, 0.7], [0.0, 0.4]]])
    time = np.arange(RATE) / RATE
    waves = 10 ** (-3 * time / t60[:, :, None]) * np.sin(2 * np.pi * frequency[:, :, None] * time)
    expected = (amplitude[..., None] * waves[:, None]).sum(axis=2)
    assert sound.partials(batch, frequency, t60, amplitude) == pytest.approx(expected, abs=2e-4)


def test_partials_above_nyquist_are_left_out():
    wave = sound.partials(notes(60), np.array([[7999.0, 9000.0]]), np.ones((1, 2)), np.array([[[0.0, 1.0]]]))
    assert not wave.any()


def test_bending_moves_the_pitch_by_semitones():
    batch = notes(69, 69)
    wave = sound.partials(batch, np.full((2, 1), 440.0), np.full((2, 1), 1e9), np.ones((2, 1, 1)))[:, 0]
    out = sound.bent(batch, wave, np.array([[-12.0], [-5.0]]) * np.ones_like(batch.time))
    assert [strongest(row) for row in out] == pytest.approx([220, 440 * 2 ** (-5 / 12)], abs=1)
    levels = np.abs(np.fft.rfft(out[0] * np.hanning(RATE)))
    levels[210:231] = 0
    assert levels.max() < 1e-3 * RATE / 4  # the interpolation adds no tones


def test_a_slow_curve_is_followed_sample_by_sample():
    batch = notes(60, 61)
    assert batch.full(batch.time * [[1], [2]])[1] == pytest.approx(2 * np.arange(RATE) / RATE, abs=1e-5)


def test_noise_takes_the_colour_it_is_given():
    batch = notes(60, 61, seconds=4.0)
    frequency = sound.bins(batch.samples, RATE)
    low, other = sound.noise(batch, (frequency < 1000).astype(float))
    assert abs(np.corrcoef(low, other)[0, 1]) < 0.1
    power = np.abs(np.fft.rfft(low)) ** 2
    assert power[: 4 * 1000].sum() > 0.99 * power.sum()
    assert low.std() == pytest.approx(np.sqrt(1000 / 8000), rel=0.05)


def test_low_pass_is_3_db_down_at_its_cutoff_and_falls_by_6_db_an_octave_and_order():
    gain = sound.low_pass(np.array([1000.0, 10_000.0]), 1000.0, 3.0)
    assert gain == pytest.approx([10 ** (-3.01 / 20), 10 ** (-60 / 20)], rel=0.01)


def test_reverberation_lengthens_and_keeps_the_peak():
    click = np.zeros((1, RATE), np.float32)
    click[0, :50] = 0.7
    dry = Room(0, 0, 7000, 20, 0.5, 0.0, -120, 1).record(click, RATE, np.random.default_rng(0))
    wet = Room(0, 0, 7000, 20, 0.5, 0.5, -120, 1).record(click, RATE, np.random.default_rng(0))
    assert np.abs(wet).max() == pytest.approx(0.7, abs=0.01)
    assert wet[0, 4000:8000].std() > 30 * dry[0, 4000:8000].std()
    assert np.abs(wet[0, -1000:]).max() < 1e-3  # nothing wraps around


def test_drift_is_slow_and_of_unit_size():
    curve = sound.drift(notes(*range(40, 80), seconds=4.0), 2.0)
    assert 0.5 < curve.std() < 1.2
    assert np.abs(np.diff(curve, axis=1)).max() < 0.01


def test_peak_to_keeps_silence():
    assert not sound.peak_to(np.zeros((1, 10)), 1.0).any()
