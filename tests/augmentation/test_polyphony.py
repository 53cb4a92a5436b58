import numpy as np
import pytest
import torch

from helpers import audio
from helpers.augmentation.mixing import Background, MixAndUnite
from helpers.datasets.base import Clip

TIME = torch.arange(8_000) / 8_000


@pytest.fixture
def tones():
    """Eight tones of different frequency and level, one class each."""
    frequencies = torch.arange(1, 9) * 200.0
    waveforms = torch.sin(2 * torch.pi * frequencies[:, None] * TIME) * torch.linspace(0.1, 0.8, 8)[:, None]
    return waveforms, torch.eye(8)


def heard(waveforms):
    """Which of the eight tones sound [B, 8]."""
    spectrum = torch.fft.rfft(waveforms).abs()[:, 200:1601:200]
    return spectrum > 0.05 * spectrum.amax(dim=1, keepdim=True)


def test_labels_say_exactly_what_sounds(tones):
    torch.manual_seed(0)
    mixed, united = MixAndUnite(voices=4, probability=1.0)(*tones)
    assert torch.equal(heard(mixed), united > 0.5)
    assert united.sum(dim=1).max() > 2
    assert (united.diagonal() == 1).all()  # every clip is still in its place


def test_added_voices_are_within_their_levels(tones):
    torch.manual_seed(0)
    mixed, united = MixAndUnite(voices=2, probability=1.0, level_db=(-6.0, -6.0))(*tones)
    spectrum = torch.fft.rfft(mixed).abs()[:, 200:1601:200]
    for row in torch.nonzero(united.sum(dim=1) == 2).flatten().tolist():
        others = [c for c in range(8) if united[row, c] and c != row]
        assert 20 * torch.log10(spectrum[row, others[0]] / spectrum[row, row]) == pytest.approx(-6.0, abs=0.1)


def test_no_mixing_keeps_labels_and_shape(tones):
    waveforms, targets = tones
    mixed, united = MixAndUnite(probability=0.0)(waveforms, targets)
    assert torch.equal(united, targets)
    correlation = (mixed * waveforms).sum(dim=1) / (mixed.norm(dim=1) * waveforms.norm(dim=1))
    torch.testing.assert_close(correlation, torch.ones(8))


def test_unknown_labels_stay_unknown_unless_a_partner_has_them(tones):
    torch.manual_seed(0)
    waveforms, targets = tones
    targets = torch.where(targets == 0, torch.nan, targets)
    _, united = MixAndUnite(voices=3, probability=1.0)(waveforms, targets)
    assert set(united[~united.isnan()].tolist()) == {1.0}
    assert (united == 1).sum() > 8


def test_background_has_the_drawn_level(tmp_path):
    noise = np.random.default_rng(0).standard_normal(40_000).astype(np.float32) * 0.1
    audio.write(tmp_path / "noise.wav", noise, 8_000)
    clip = Clip(tmp_path / "noise.wav", (), "noise")
    signal = tone = np.sin(2 * np.pi * 300 * np.arange(8_000) / 8_000).astype(np.float32)
    mixed = Background([clip], 8_000, snr_db=(12.0, 12.0))(signal, np.random.default_rng(1))
    ratio = 10 * np.log10(np.mean(tone**2) / np.mean((mixed - tone) ** 2))
    assert ratio == pytest.approx(12.0, abs=0.1)
    assert len(mixed) == len(signal)


def test_background_draws_another_stretch_each_time_and_leaves_silence(tmp_path):
    ramp = np.linspace(0.1, 0.9, 80_000, dtype=np.float32)
    audio.write(tmp_path / "ramp.wav", ramp, 8_000)
    behind = Background([Clip(tmp_path / "ramp.wav", (), "ramp")], 8_000)
    signal = np.ones(8_000, np.float32)
    first, second = (behind(signal, np.random.default_rng(seed)) for seed in (0, 1))
    assert not np.allclose(first, second)
    assert np.array_equal(behind(signal, np.random.default_rng(0)), first)
    assert not behind(np.zeros(8_000, np.float32), np.random.default_rng(0)).any()
