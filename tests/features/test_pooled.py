"""Pooled features: equal to librosa's where librosa defines them, known answers elsewhere, finite for silence."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from helpers import audio
from helpers.features.notes import PARTIALS, envelope_features, harmonic_features, partials
from helpers.features.pooled import column_names, pool_notes, summarise
from helpers.features.spectral import Frames, SpectralConfig

CONFIG = SpectralConfig()
RATE = CONFIG.sample_rate
FRAME = {"n_fft": CONFIG.n_fft, "hop_length": CONFIG.hop_length}


def tone(hertz: float = 440.0, amplitudes: tuple[float, ...] = (1.0,), decay: float = 0.0) -> np.ndarray:
    """Four seconds of whole multiples of a frequency; `decay` in dB/s."""
    time = np.arange(CONFIG.samples) / RATE
    waves = [a * np.sin(2 * np.pi * hertz * (h + 1) * time) for h, a in enumerate(amplitudes)]
    return (0.3 * sum(waves) * 10 ** (-decay * time / 20)).astype(np.float32)


def noisy(waveform: np.ndarray) -> np.ndarray:
    """With the noise of 16 bits: below it, valleys of a spectrum are only rounding."""
    return (waveform + np.random.default_rng(1).normal(0, 1e-4, waveform.shape)).astype(np.float32)


def synthetic() -> np.ndarray:
    """A tone, a decaying harmonic note, noise, and a sweep [4, samples]."""
    noise = np.random.default_rng(0).normal(0, 0.1, CONFIG.samples).astype(np.float32)
    sweep = librosa.chirp(fmin=60, fmax=7000, sr=RATE, length=CONFIG.samples).astype(np.float32)
    return np.stack([noisy(tone()), noisy(tone(110, (1, 0.5, 0.3, 0.2), 20)), noise, noisy(sweep)])


def by_librosa(y: np.ndarray) -> dict[str, np.ndarray]:
    """The same features [K, T] by librosa."""
    mfcc = librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=CONFIG.n_mfcc, **FRAME)
    frame = {"frame_length": CONFIG.n_fft, "hop_length": CONFIG.hop_length}
    return {
        "mfcc": mfcc,
        "mfcc_delta": librosa.feature.delta(mfcc),
        "mfcc_delta2": librosa.feature.delta(mfcc, order=2),
        "centroid": librosa.feature.spectral_centroid(y=y, sr=RATE, **FRAME),
        "bandwidth": librosa.feature.spectral_bandwidth(y=y, sr=RATE, **FRAME),
        "rolloff": librosa.feature.spectral_rolloff(y=y, sr=RATE, **FRAME),
        "flatness": librosa.feature.spectral_flatness(y=y, **FRAME),
        "contrast": librosa.feature.spectral_contrast(y=y, sr=RATE, **FRAME),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y, **frame),
        "rms": librosa.feature.rms(y=y, **frame),
        "chroma": librosa.feature.chroma_stft(y=y, sr=RATE, tuning=0.0, **FRAME),
    }


def assert_equal_to_librosa(waveforms: np.ndarray) -> None:
    ours = Frames(waveforms, CONFIG).tracks
    for note, y in enumerate(waveforms):
        for name, expected in by_librosa(y).items():
            assert ours[name].dtype == np.float32
            scale = np.abs(expected).max()
            np.testing.assert_allclose(ours[name][note].T, expected, rtol=1e-3, atol=1e-4 * scale, err_msg=name)


def test_features_equal_librosa_on_synthetic_signals() -> None:
    assert_equal_to_librosa(synthetic())


def test_features_equal_librosa_on_genuine_notes(shared_data) -> None:
    files = sorted((shared_data / "nsynth" / "nsynth-train" / "audio").iterdir())[::250]
    assert_equal_to_librosa(np.stack([audio.fit_length(audio.read(f, RATE), CONFIG.samples) for f in files]))


def test_every_librosa_feature_is_there() -> None:
    assert set(by_librosa(tone())) == set(Frames(tone()[None], CONFIG).tracks)


def test_silence_and_clicks_stay_finite() -> None:
    click = np.zeros(CONFIG.samples, np.float32)
    click[5] = 1e-6
    assert np.isfinite(pool_notes(np.stack([0 * click, click, np.sign(tone())]), CONFIG)).all()


def test_columns_have_unique_names_and_fit_the_matrix() -> None:
    names = column_names(CONFIG)
    assert len(set(names)) == len(names) == pool_notes(tone()[None], CONFIG).shape[1]


def test_notes_do_not_depend_on_their_batch() -> None:
    waveforms = np.concatenate([synthetic(), synthetic()[::-1]])
    together = pool_notes(waveforms, CONFIG)
    np.testing.assert_allclose(together[5], pool_notes(waveforms[5:6], CONFIG)[0], rtol=1e-4, atol=1e-4)


def test_level_says_nothing_after_normalisation() -> None:
    loud, quiet = pool_notes(np.stack([synthetic()[2], 0.01 * synthetic()[2]]), CONFIG)
    np.testing.assert_allclose(quiet, loud, rtol=1e-3, atol=1e-3)
    raw = SpectralConfig(normalise=False)
    rms = column_names(raw).index("rms.mean")
    loud, quiet = pool_notes(np.stack([synthetic()[2], 0.01 * synthetic()[2]]), raw)
    assert quiet[rms] == pytest.approx(0.01 * loud[rms], rel=1e-3)


def test_summary_equals_numpy() -> None:
    track = np.random.default_rng(0).normal(size=(2, 126, 3)).astype(np.float32)
    summary = summarise(track, CONFIG)
    np.testing.assert_allclose(summary["mean"], track.mean(axis=1))
    np.testing.assert_allclose(summary["q90"], np.quantile(track, 0.9, axis=1), rtol=1e-5)
    np.testing.assert_allclose(summary["released"], track[:, round(3.1 * 31.25) :].mean(axis=1))


def test_notes_that_end_before_their_release_are_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        SpectralConfig(seconds=1.0)


@pytest.mark.parametrize("pitch", [40, 57, 69, 81, 93])
def test_pitch_of_a_harmonic_tone(pitch: int) -> None:
    wave = tone(440 * 2 ** ((pitch - 69) / 12), (1, 0.6, 0.4, 0.3, 0.2))
    found = harmonic_features(Frames(wave[None], CONFIG))
    assert found["pitch"][0] == pytest.approx(pitch, abs=0.5)


def test_partials_have_the_levels_they_were_given() -> None:
    wave = tone(400, (1.0, 0.5, 0.25, 0.125))
    amplitude, deviation = partials(Frames(wave[None], CONFIG).magnitude.mean(axis=1), np.array([400.0]), CONFIG)
    assert amplitude.shape == (1, PARTIALS)
    np.testing.assert_allclose(amplitude[0, :4] / amplitude[0, 0], [1, 0.5, 0.25, 0.125], rtol=0.15)
    assert np.abs(deviation[0, :4]).max() < 0.02


def test_odd_partials_outweigh_even_ones_in_a_square_wave() -> None:
    square, saw = tone(250, (1, 0, 1 / 3, 0, 1 / 5)), tone(250, (1, 1 / 2, 1 / 3, 1 / 4, 1 / 5))
    odd_to_even = harmonic_features(Frames(np.stack([square, saw]), CONFIG))["odd_to_even"]
    assert odd_to_even[0] > 10 > odd_to_even[1]


def test_decay_is_measured_in_decibels_a_second() -> None:
    found = envelope_features(np.stack([tone(decay=12.0), tone()]), RATE)
    np.testing.assert_allclose(found["decay"], [-12.0, 0.0], atol=0.3)
    np.testing.assert_allclose(found["level_at_1s"], [-12.0, 0.0], atol=0.5)


def test_attack_time_follows_the_ramp() -> None:
    ramp = np.minimum(1, np.arange(CONFIG.samples) / RATE / 0.5).astype(np.float32)  # half a second to full level
    slow, fast = envelope_features(np.stack([tone() * ramp, tone()]), RATE)["attack_time"]
    assert 10**slow == pytest.approx(0.4, abs=0.06)  # from -20 dB (a tenth) to -1 dB (nine tenths)
    assert 10**fast < 0.03


def test_tremolo_rate_and_release() -> None:
    time = np.arange(CONFIG.samples) / RATE
    wave = tone() * (1 + 0.3 * np.sin(2 * np.pi * 5.5 * time)).astype(np.float32)
    wave[time > 3.0] *= 0.1
    found = envelope_features(wave[None], RATE)
    assert found["tremolo_rate"][0] == pytest.approx(5.5, abs=0.5)
    assert found["release_after_0.3s"][0] == pytest.approx(-20, abs=4)


def test_levels_are_cut_below_each_notes_own_loudest_value() -> None:
    alone = Frames(tone()[None] * 1e-4, CONFIG).mfcc[0]
    beside_a_loud_one = Frames(np.stack([tone() * 1e-4, tone()]), CONFIG).mfcc[0]
    np.testing.assert_array_equal(alone, beside_a_loud_one)
