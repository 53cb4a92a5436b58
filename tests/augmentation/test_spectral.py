"""Augmented power spectrograms: a shift moves a tone, gains are smooth, decays fall, noise and rooms stay soft."""

from __future__ import annotations

import pytest
import torch
from note_folders import tone

from helpers.augmentation.spectral import SpectralAugmentation, shifted_filters
from helpers.config import MelConfig
from helpers.features.mel import mel_filters, power_spectrogram

MEL = MelConfig(n_fft=2048, hop_length=1024, n_mels=160, f_min=30.0, f_max=8_000.0)
AUGMENT = SpectralAugmentation(MEL)


def spectrum(frequency: float) -> torch.Tensor:
    """Power spectrogram [1, K, F] of a tone."""
    waveform = torch.from_numpy(tone(frequency, 4.0))[None]
    return power_spectrogram(waveform, torch.hann_window(MEL.n_fft), MEL.hop_length)


@pytest.mark.parametrize("semitones", [-4.0, 3.5, 12.0])
def test_shifted_filters_see_a_shifted_tone(semitones: float) -> None:
    seen = (shifted_filters(MEL, semitones) @ spectrum(600.0)).mean(dim=2)[0]
    wanted = (mel_filters(MEL).T @ spectrum(600.0 * 2 ** (semitones / 12))).mean(dim=2)[0]
    assert seen.argmax() == wanted.argmax()
    torch.testing.assert_close(shifted_filters(MEL, 0.0), mel_filters(MEL).T)


def test_a_shift_down_leaves_no_hole_at_the_top() -> None:
    flat = torch.ones(1, 1025, 1)
    assert (shifted_filters(MEL, -4.0) @ flat)[0, -5:].min() > 0.1


def test_gains_are_smooth_and_as_wide_as_they_say() -> None:
    torch.manual_seed(0)
    level = 10 * AUGMENT.equalise(torch.ones(500, 160, 1)).log10()[:, :, 0]
    moved = level[level.abs().amax(dim=1) > 0]
    assert 0.7 < len(moved) / 500 < 0.9
    assert moved.std() == pytest.approx(AUGMENT.equalise_db, rel=0.25)
    assert moved.diff(dim=1).abs().median() < 1.0


def test_decays_fall_and_rooms_ring_behind() -> None:
    torch.manual_seed(0)
    level = 10 * AUGMENT.decay(torch.ones(400, 1, 63)).log10()[:, 0]
    assert (level.diff(dim=1) <= 1e-6).all() and level[:, 0].abs().max() < 1e-6
    assert -AUGMENT.decay_db_per_s * 4 <= level[:, -1].min() < -20
    click = torch.zeros(400, 1, 63)
    click[:, :, 10] = 1.0
    rung = AUGMENT.room(click)[:, 0]
    wet = rung[:, 11] > 0
    assert 0.08 < wet.float().mean() < 0.25
    assert rung[:, :10].abs().max() == 0 and (rung[wet][:, 11:].diff(dim=1) <= 0).all()
    assert rung[:, 11:].sum(dim=1).max() < 0.1


def test_noise_is_soft_and_differs_from_note_to_note() -> None:
    torch.manual_seed(0)
    noise = AUGMENT.noise(torch.zeros(400, 160, 63))
    level = 10 * noise.mean(dim=(1, 2)).log10()
    assert 0.3 < torch.isfinite(level).float().mean() < 0.5
    assert level.max() < -25


@pytest.mark.parametrize("power", [torch.zeros(2, 1025, 63), torch.rand(2, 1025, 63)], ids=["silence", "noise"])
def test_anything_gives_finite_bands(power: torch.Tensor) -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        given = AUGMENT(power)
        assert given.shape == (2, 160, 63) and torch.isfinite(given).all() and (given >= 0).all()


def test_drawing_follows_the_seed() -> None:
    given = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        given.append(AUGMENT(spectrum(500.0)))
    assert torch.equal(given[0], given[1]) and not torch.equal(given[0], given[2])
