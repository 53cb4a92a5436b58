"""The building blocks have known answers: decay times, pitches, spectra."""

import numpy as np
import pytest

from helpers.demo import sound
from helpers.demo.sound import Notes

RATE = 16_000


def notes(*pitches: float, seconds: float = 1.0, velocity: float = 0.8, rate: int = RATE) -> Notes:
    n = len(pitches)
    return Notes(np.array(pitches), np.full(n, velocity), np.full(n, seconds), seconds, rate, np.random.default_rng(0))


def strongest(waveform: np.ndarray, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.fft.rfftfreq(len(waveform), 1 / rate)[spectrum.argmax()])


def test_modes_equal_the_sum_written_out():
    batch = notes(60, 70)
    frequency = np.array([[200.0, 531.7], [1000.0, 3003.1]])
    t60 = np.array([[0.5, 1.0], [2.0, 0.3]])
    amplitude = np.array([[1.0, 0.3], [0.5, 0.7]])
    time = np.arange(RATE) / RATE
    decay = 10 ** (-3 * time / t60[:, :, None])
    expected = (amplitude[:, :, None] * decay * np.sin(2 * np.pi * frequency[:, :, None] * time)).sum(axis=1)
    assert sound.modes(batch, frequency, t60, amplitude) == pytest.approx(expected, abs=2e-4)


def test_modes_above_nyquist_are_left_out():
    wave = sound.modes(notes(60), np.array([[7999.0, 9000.0]]), np.ones((1, 2)), np.array([[0.0, 1.0]]))
    assert not wave.any()


def test_harmonic_tone_has_its_pitch_and_its_spectrum():
    batch = notes(69)
    spectra = np.zeros((1, 1, 8))
    spectra[0, 0, [0, 2]] = 1.0, 0.5
    wave = sound.harmonic(batch, sound.cycles(batch), spectra)[0]
    levels = np.abs(np.fft.rfft(wave)) / (RATE / 2)
    assert strongest(wave) == 440
    assert levels[440] == pytest.approx(1.0, abs=0.01)
    assert levels[880] == pytest.approx(0.0, abs=0.01)
    assert levels[1320] == pytest.approx(0.5, abs=0.01)


def test_brightness_moves_from_the_first_spectrum_to_the_last():
    batch = notes(69)
    spectra = np.zeros((1, 3, 4))
    spectra[0, 0, 0] = spectra[0, 2, 3] = 1.0
    phase = sound.cycles(batch)
    assert strongest(sound.harmonic(batch, phase, spectra, np.zeros((1, RATE)))[0]) == 440
    assert strongest(sound.harmonic(batch, phase, spectra, np.ones((1, RATE)))[0]) == 1760
    assert not sound.harmonic(batch, phase, spectra, np.full((1, RATE), 0.5)).any()


def test_harmonics_above_nyquist_do_not_fold_back():
    batch = notes(108)  # 4186 Hz: only the fundamental fits
    wave = sound.harmonic(batch, sound.cycles(batch), np.ones((1, 1, 20)))[0]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(RATE)))
    assert spectrum[:4000].max() < 0.01 * spectrum.max()


def test_vibrato_is_around_the_pitch():
    batch = notes(69, seconds=2.0)
    bend = 0.5 * np.sin(2 * np.pi * 5 * batch.time)
    turns = np.unwrap(sound.cycles(batch, bend)[0], period=1.0)
    frequency = np.diff(turns) * RATE
    assert frequency.mean() == pytest.approx(440, rel=1e-3)
    assert np.percentile(frequency, 99) == pytest.approx(440 * 2 ** (0.5 / 12), rel=5e-3)


def test_envelope_rises_sustains_and_falls():
    batch = Notes(np.array([60.0]), np.ones(1), np.array([0.5]), 1.0, RATE, np.random.default_rng(0))
    shape = sound.envelope(batch, attack=0.1, decay=0.02, sustain=0.5, release=0.05)[0]
    at = [shape[round(second * RATE)] for second in (0.0, 0.05, 0.1, 0.45, 0.55)]
    assert at == pytest.approx([0, 0.5, 1.0, 0.5, 0.5 * np.exp(-1)], abs=0.01)


def test_noise_takes_the_colour_it_is_given():
    batch = notes(60, seconds=4.0)
    frequency = sound.bins(batch.samples, RATE)
    low = sound.noise(batch, (frequency < 1000).astype(float))[0]
    power = np.abs(np.fft.rfft(low)) ** 2
    assert power[: 4 * 1000].sum() > 0.99 * power.sum()
    assert low.std() == pytest.approx(np.sqrt(1000 / 8000), rel=0.05)


def test_low_pass_is_3_db_down_at_its_cutoff_and_falls_by_6_db_an_octave_and_order():
    gain = sound.low_pass(np.array([1000.0, 10_000.0]), 1000.0, 3.0)
    assert gain == pytest.approx([10 ** (-3.01 / 20), 10 ** (-60 / 20)], rel=0.01)


def test_filter_does_not_wrap_the_onset_to_the_end():
    click = np.zeros((1, RATE), np.float32)
    click[0, 0] = 1.0
    out = sound.filtered(click, sound.low_pass(sound.bins(RATE, RATE), 300.0))
    assert np.abs(out[0, -1000:]).max() < 1e-3 * np.abs(out).max()


def test_drift_is_slow_and_of_unit_size():
    curve = sound.drift(notes(*range(40, 80), seconds=4.0), 2.0)
    assert 0.5 < curve.std() < 1.2
    assert np.abs(np.diff(curve, axis=1)).max() < 0.01


def test_peak_to_keeps_silence():
    assert not sound.peak_to(np.zeros((1, 10)), 1.0).any()
