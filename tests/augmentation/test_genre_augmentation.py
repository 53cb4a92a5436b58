"""The seven genre augmentations: seeded, length-preserving, and each doing what its name says."""

import numpy as np
import pytest

from helpers.augmentation import waveform as genre

RATE = 22_050


def tone(frequency=440.0, seconds=2.0):
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def clicks(every=0.25, seconds=2.0):
    waveform = np.zeros(round(seconds * RATE), np.float32)
    waveform[:: round(every * RATE)] = 1.0
    return waveform


def peak_frequency(waveform):
    return np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)))).argmax() * RATE / len(waveform)


def period(waveform):
    """Seconds between clicks: where the envelope resembles itself most, among 0.15 to 0.4 s."""
    envelope = np.convolve(np.abs(waveform), np.ones(512), mode="same")
    envelope -= envelope.mean()
    likeness = np.correlate(envelope[::16], envelope[::16], mode="full")[len(envelope[::16]) - 1 :]
    low, high = round(0.15 * RATE / 16), round(0.4 * RATE / 16)
    return (low + likeness[low:high].argmax()) * 16 / RATE


@pytest.mark.parametrize("name", genre.SEVEN)
def test_every_augmentation_is_seeded_keeps_length_and_input(name):
    augmentation, waveform = genre.SEVEN[name], tone()
    before = waveform.copy()
    first, again = (augmentation(waveform, np.random.default_rng(3)) for _ in range(2))
    other = augmentation(waveform, np.random.default_rng(4))
    assert first.dtype == np.float32
    assert first.shape == waveform.shape
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(waveform, before)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", genre.SEVEN)
@pytest.mark.parametrize("samples", [2000, 5000])
def test_short_and_silent_clips_pass(name, samples):
    changed = genre.SEVEN[name](np.zeros(samples, np.float32), np.random.default_rng(0))
    assert changed.shape == (samples,)
    assert not changed.any()


def test_parameters_are_printed():
    assert repr(genre.MultiplyValue()) == "MultiplyValue(low=0.5, high=3.0)"
    assert "Pitch(low=-2.0, high=2.0)" in repr(genre.ON_THE_FLY)


def test_noise_is_white_and_as_loud_as_the_document_has_it():
    clean = tone()
    noise = genre.SEVEN["noise"](clean, np.random.default_rng(0)) - clean
    assert 10.0 <= 10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) <= 30.0
    power = np.abs(np.fft.rfft(noise)) ** 2
    assert power[: len(power) // 2].mean() == pytest.approx(power[len(power) // 2 :].mean(), rel=0.05)


def test_shift_turns_the_clip_round():
    waveform = np.arange(1000, dtype=np.float32)
    shifted = genre.Roll()(waveform, np.random.default_rng(0))
    start = int(np.argmin(shifted))
    assert start > 0
    np.testing.assert_array_equal(np.roll(shifted, -start), waveform)


def test_speed_keeps_pitch_and_changes_tempo():
    faster = genre.Speed(1.18, 1.18)
    assert peak_frequency(faster(tone(), np.random.default_rng(0))) == pytest.approx(440, rel=0.01)
    assert period(faster(clicks(), np.random.default_rng(0))) == pytest.approx(0.25 / 1.18, rel=0.03)


def test_pitch_moves_by_semitones_and_keeps_tempo():
    higher = genre.Pitch(2.0, 2.0)
    assert peak_frequency(higher(tone(), np.random.default_rng(0))) == pytest.approx(440 * 2 ** (2 / 12), rel=0.01)
    assert period(higher(clicks(), np.random.default_rng(0))) == pytest.approx(0.25, rel=0.03)


def test_pitch_and_speed_move_together_and_a_faster_clip_begins_again():
    for seed in range(3):
        factor = 2 ** (np.random.default_rng(seed).uniform(-2.8, 2.8) / 12)
        changed = genre.SEVEN["pitch and speed"](tone(), np.random.default_rng(seed))
        assert peak_frequency(changed) == pytest.approx(440 * factor, rel=0.01)
        assert np.abs(changed[-1000:]).max() > 0.25


def test_multiply_value_scales_and_clips():
    loud = genre.MultiplyValue(4.0, 4.0)(tone(), np.random.default_rng(0))
    assert loud.max() == 1.0
    soft = genre.MultiplyValue(0.5, 0.5)(tone(), np.random.default_rng(0))
    np.testing.assert_allclose(soft, 0.5 * tone())


def test_percussive_keeps_clicks_and_drops_tones():
    keep = genre.Percussive(harmonic=0.0)
    generator = np.random.default_rng(0)
    energy = {name: np.sum(keep(x, generator)[RATE // 4 : -RATE // 4] ** 2) / np.sum(x[RATE // 4 : -RATE // 4] ** 2)
              for name, x in (("tone", tone()), ("clicks", clicks()))}
    assert energy["tone"] < 0.1
    assert energy["clicks"] > 0.7


def test_one_of_draws_every_choice():
    def mark(value):
        return lambda waveform, rng: waveform + value

    one_of = genre.OneOf((mark(1), mark(2)))
    assert {float(one_of(np.zeros(1), np.random.default_rng(seed))[0]) for seed in range(50)} == {1.0, 2.0}


def test_ten_versions_go_to_disk_the_first_unchanged():
    versions = genre.TENFOLD
    assert len(versions) == 10
    assert next(iter(versions)) == "" and versions[""] is None
