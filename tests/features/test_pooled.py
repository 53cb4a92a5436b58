"""Pooled features: known answers for tones, decays, tremolo, a cepstrum as librosa makes it, finite everywhere."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from helpers import audio
from helpers.features import notes
from helpers.features.notes import HOP, N_CEPSTRUM, N_FFT, N_MELS, OCTAVE_EDGES, SAMPLE_RATE, SAMPLES, SEGMENTS
from helpers.features.partials import BINS_PER_HZ, LENGTH, LogSpectrum, estimate_pitch, find_partials
from helpers.features.pooled import BLOCKS, NoteStatistics, note_statistics, pool_notes

TIME = np.arange(SAMPLES) / SAMPLE_RATE


def tone(hertz: float = 440.0, amplitudes: tuple[float, ...] = (1.0,), decay: float = 0.0) -> np.ndarray:
    """Four seconds of whole multiples of a frequency; `decay` in dB/s."""
    waves = [a * np.sin(2 * np.pi * hertz * (h + 1) * TIME) for h, a in enumerate(amplitudes)]
    return (0.3 * sum(waves) * 10 ** (-decay * TIME / 20)).astype(np.float32)


def noisy(waveform: np.ndarray) -> np.ndarray:
    """With the noise of 16 bits: below it, valleys of a spectrum are only rounding."""
    return (waveform + np.random.default_rng(1).normal(0, 1e-4, waveform.shape)).astype(np.float32)


def synthetic() -> np.ndarray:
    """A tone, a decaying harmonic note, noise, and a sweep [4, samples]."""
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLES).astype(np.float32)
    sweep = librosa.chirp(fmin=60, fmax=7000, sr=SAMPLE_RATE, length=SAMPLES).astype(np.float32)
    return np.stack([noisy(tone()), noisy(tone(110, (1, 0.5, 0.3, 0.2), 20)), noise, noisy(sweep)])


def features(*waveforms: np.ndarray) -> dict[str, np.ndarray]:
    """Columns by name, [B] each."""
    return dict(zip(note_statistics().columns, pool_notes(np.stack(waveforms)).T, strict=True))


def long_spectrum(waveform: np.ndarray) -> torch.Tensor:
    return torch.fft.rfft(torch.from_numpy(waveform[None, :LENGTH]) * torch.hann_window(LENGTH)).abs()


def test_columns_have_unique_names_belong_to_a_block_and_fit_the_matrix() -> None:
    names = note_statistics().columns
    assert len(set(names)) == len(names) == pool_notes(tone()[None]).shape[1] == NoteStatistics.width
    assert {name.partition(".")[0] for name in names} == set(BLOCKS)


def test_cepstrum_equals_librosa() -> None:
    waveforms = synthetic()
    found = pool_notes(waveforms)
    for waveform, row in zip(waveforms / np.abs(waveforms).max(axis=1, keepdims=True), found, strict=True):
        power = np.square(np.abs(librosa.stft(waveform, n_fft=N_FFT, hop_length=HOP)))
        bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=20, norm=None)
        expected = librosa.feature.mfcc(S=librosa.power_to_db(bank @ power, amin=1e-8), n_mfcc=N_CEPSTRUM)
        for number, (start, end) in enumerate(SEGMENTS.values()):
            part = expected[:, round(start * 31.25) : round(end * 31.25) + 1].mean(axis=1)
            ours = row[number * N_CEPSTRUM : (number + 1) * N_CEPSTRUM]
            np.testing.assert_allclose(ours, part, rtol=1e-3, atol=1e-3 * np.abs(part).max())


@pytest.mark.parametrize("hertz", [135, 450, 1200, 2400, 6500])
def test_a_pure_tone_falls_into_its_octave_band(hertz: float) -> None:
    found = features(tone(hertz))
    shares = [found[f"bands.share_early_{band:02d}"][0] for band in range(len(OCTAVE_EDGES) - 1)]
    assert np.argmax(shares) == np.searchsorted(OCTAVE_EDGES, hertz) - 1
    assert max(shares) == pytest.approx(0, abs=0.1)  # dB: all of it


def test_a_plucked_note_decays_as_steeply_as_it_was_made_to() -> None:
    found = features(noisy(tone(450, decay=12.0)), noisy(tone(450)))
    np.testing.assert_allclose(found["bands.decay_late_03"], [-12, 0], atol=0.5)  # dB/s
    np.testing.assert_allclose(found["envelope.held_drop"], [12 * 1.97, 0], atol=0.5)  # dB, over so many seconds
    np.testing.assert_allclose(found["partials.decay_00"], [12 * 1.4, 0], atol=0.5)


def test_noise_is_flatter_than_a_tone_and_rises_and_falls_more() -> None:
    found = features(noisy(tone()), synthetic()[2])
    assert found["flatness.late_01"][0] < -2 < found["flatness.late_01"][1] < 0
    assert found["flux.up_03"][1] > 2 * found["flux.up_03"][0]


def test_attack_time_follows_the_ramp() -> None:
    ramp = np.minimum(1, TIME / 0.5).astype(np.float32)  # half a second to full level
    slow, fast = features(tone() * ramp, tone())["envelope.attack"]
    assert 10**slow == pytest.approx(0.4, abs=0.06)  # from -20 dB (a tenth) to -1 dB (nine tenths)
    assert 10**fast < 0.03


def test_tremolo_rate_and_release() -> None:
    wave = tone() * (1 + 0.3 * np.sin(2 * np.pi * 5.5 * TIME)).astype(np.float32)
    found = features(wave, tone() * np.where(TIME > notes.KEY_UP, 0.1, 1).astype(np.float32))
    assert found["envelope.tremolo_00"][0] == pytest.approx(5.5, abs=0.3)
    assert found["envelope.release_05"][1] == pytest.approx(20, abs=0.1)  # dB, 0.4 s after


@pytest.mark.parametrize("pitch", [33, 45, 57, 69, 81, 93])
def test_pitch_of_a_harmonic_tone(pitch: int) -> None:
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    found = estimate_pitch(LogSpectrum()(long_spectrum(tone(hertz, (1, 0.6, 0.4, 0.3, 0.2)))))
    assert 12 * np.log2(found.item() / hertz) == pytest.approx(0, abs=0.3)  # semitones


def test_log_spectrum_keeps_the_largest_bin_of_a_cell_and_interpolates_between_bins() -> None:
    magnitude = torch.zeros(1, LENGTH // 2 + 1)
    magnitude[0, round(3000 * BINS_PER_HZ)] = 1.0  # a cell is 35 bins wide here
    magnitude[0, round(40 * BINS_PER_HZ)] = 1.0  # a bin is two cells wide
    grid = LogSpectrum()(magnitude)[0]
    assert grid.max() == 1 and grid[300:].gt(0).sum() == 1
    assert 1 < grid[:300].gt(0).sum() < 5


def test_partials_have_the_levels_and_places_they_were_given() -> None:
    found = find_partials(long_spectrum(noisy(tone(401.5, (1.0, 0.5, 0.25, 0.125)))), torch.tensor([400.0]))
    np.testing.assert_allclose(found.amplitude[0, :4] / found.amplitude[0, 0], [1, 0.5, 0.25, 0.125], rtol=0.15)
    assert found.fundamental.item() == pytest.approx(401.5, abs=0.2)
    assert found.deviation[0, :4].abs().max() < 3  # cents
    assert found.amplitude[0, 19:].max() == 0  # beyond what is looked at


def test_stretch_of_a_stiff_string() -> None:
    number = np.arange(1, 11)
    hertz = 220 * number * np.sqrt(1 + 5e-4 * number**2)
    wave = (0.1 * np.sin(2 * np.pi * hertz[:, None] * TIME).sum(axis=0)).astype(np.float32)
    assert find_partials(long_spectrum(wave), torch.tensor([221.0])).stretch.item() == pytest.approx(5e-4, rel=0.1)


def test_odd_partials_outweigh_even_ones_in_a_square_wave() -> None:
    square, saw = tone(250, (1, 0, 1 / 3, 0, 1 / 5)), tone(250, (1, 1 / 2, 1 / 3, 1 / 4, 1 / 5))
    even_to_odd = features(noisy(square), noisy(saw))["partials.early_even_to_odd"]
    assert even_to_odd[0] < -10 < even_to_odd[1]


def test_silence_and_clicks_stay_finite() -> None:
    click = np.zeros(SAMPLES, np.float32)
    click[5] = 1e-6
    assert np.isfinite(pool_notes(np.stack([0 * click, click, np.sign(tone())]))).all()


def test_notes_do_not_depend_on_their_batch() -> None:
    waveforms = np.concatenate([synthetic(), synthetic()[::-1]])
    np.testing.assert_allclose(pool_notes(waveforms)[5], pool_notes(waveforms[5:6])[0], rtol=1e-3, atol=1e-3)


def test_level_says_nothing() -> None:
    loud, quiet = pool_notes(np.stack([synthetic()[2], 0.01 * synthetic()[2]]))
    np.testing.assert_allclose(quiet, loud, rtol=1e-3, atol=1e-3)


def test_notes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="64000 samples, got 16000"):
        pool_notes(tone()[None, :SAMPLE_RATE])


def test_genuine_notes_have_the_pitch_of_their_name(shared_data) -> None:
    files = sorted((shared_data / "nsynth" / "nsynth-valid" / "audio").iterdir())[::20]
    waveforms = np.stack([audio.fit_length(audio.read(file, SAMPLE_RATE), SAMPLES) for file in files])
    spectra = torch.fft.rfft(torch.from_numpy(waveforms[:, 1600 : 1600 + LENGTH]) * torch.hann_window(LENGTH)).abs()
    midi = 69 + 12 * torch.log2(estimate_pitch(LogSpectrum()(spectra)) / 440).numpy()
    named = np.array([int(file.stem.split("-")[1]) for file in files])
    assert np.mean(np.abs(midi - named) < 0.7) > 0.6  # basses and mallets often lack their fundamental
