"""The mel front end against the textbook formula and another library; time, level and silence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from note_folders import tone

from helpers.config import MelConfig
from helpers.features import mel
from helpers.features.mel import FilterBank, MelFrontend, front_ends

CONFIG = MelConfig(n_fft=1024, hop_length=256, n_mels=64, f_min=50.0, f_max=7_000.0)


def frontend(**changes: object) -> MelFrontend:
    """An untrained front end in evaluation mode: its statistics are mean 0 and variance 1."""
    return MelFrontend(MelConfig(**{**vars(CONFIG), **changes})).eval()


def centres(config: MelConfig) -> np.ndarray:
    """Centre frequencies of the bands in Hz on the HTK scale, mel = 2595 log10(1 + f / 700)."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (config.f_min, config.f_max))
    return 700 * (10 ** (np.linspace(low, high, config.n_mels + 2)[1:-1] / 2595) - 1)


@pytest.mark.parametrize("band", [12, 25, 40, 60])
def test_pure_tone_falls_into_its_band(band: int) -> None:
    wave = torch.from_numpy(tone(centres(CONFIG)[band]))[None]
    bands = frontend().power(wave)[0].mean(dim=1)
    assert bands.argmax() == band
    assert bands[[b for b in range(64) if abs(b - band) > 2]].max() < 0.02


def test_same_numbers_as_librosa_on_the_htk_scale() -> None:
    librosa = pytest.importorskip("librosa")
    wave = np.random.default_rng(0).uniform(-1, 1, 16_000).astype(np.float32)
    theirs = librosa.feature.melspectrogram(
        y=wave, sr=16_000, n_fft=1024, hop_length=256, n_mels=64, fmin=50.0, fmax=7_000.0, htk=True, norm=None,
        pad_mode="reflect",
    )  # fmt: skip
    ours = frontend().power(torch.from_numpy(wave)[None])[0].numpy()
    np.testing.assert_allclose(ours, theirs / theirs.max(), rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("samples", [16_000, 16_127, 16_128, 64_000])
def test_shape_is_what_the_configuration_says(samples: int) -> None:
    assert frontend()(torch.zeros(2, samples)).shape == (2, 1, 64, CONFIG.frames(samples))


def test_a_later_sound_is_in_later_frames() -> None:
    clicks = torch.zeros(2, 16_000)
    clicks[0, 10 * 256], clicks[1, 17 * 256] = 1.0, 1.0
    power = frontend().power(clicks)
    assert power.sum(dim=1).argmax(dim=1).tolist() == [10, 17]
    torch.testing.assert_close(power[0, :, 5:16], power[1, :, 12:23])


@pytest.mark.parametrize("compression", ["log", "linear"])
def test_level_does_not_matter(compression: str) -> None:
    wave = torch.from_numpy(tone(440.0) + tone(3_000.0, level=0.05))[None]
    loud, soft = (frontend(compression=compression)(wave * level) for level in (1.0, 0.01))
    torch.testing.assert_close(loud, soft, rtol=1e-3, atol=1e-4)


def test_log_and_linear_are_the_same_power_spectrogram() -> None:
    wave = torch.from_numpy(tone(440.0) + tone(3_000.0, level=0.05))[None]
    log, linear = frontend(compression="log")(wave), frontend(compression="linear")(wave)
    torch.testing.assert_close(log, torch.log10(linear + 1e-10), rtol=1e-3, atol=1e-3)
    assert linear.min() >= 0 and linear.max() == pytest.approx(1, abs=1e-4)
    assert log.min() >= -10.001 and log.max() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("compression", ["log", "linear"])
def test_silence_is_finite_also_in_training(compression: str) -> None:
    silent = frontend(compression=compression)
    assert torch.isfinite(silent(torch.zeros(2, 8_000))).all()
    assert torch.isfinite(silent.train()(torch.zeros(2, 8_000))).all()


@pytest.mark.parametrize("compression", ["log", "linear"])
def test_training_standardises_every_band(compression: str) -> None:
    module = frontend(compression=compression).train()
    waves = torch.randn(8, 16_000, generator=torch.Generator().manual_seed(0)) * torch.linspace(1, 0, 16_000)
    features = module(waves)[:, 0]
    torch.testing.assert_close(features.mean(dim=(0, 2)), torch.zeros(64), atol=1e-4, rtol=0)
    torch.testing.assert_close(features.std(dim=(0, 2)), torch.ones(64), atol=1e-2, rtol=0)
    kept = module.standardise.running_mean.clone()
    module.eval()(waves)
    assert kept.abs().sum() > 0
    torch.testing.assert_close(module.standardise.running_mean, kept)  # frozen outside of training


def test_each_clip_is_treated_on_its_own() -> None:
    waves = torch.from_numpy(np.stack([tone(300.0), tone(2_000.0, level=0.01)]))
    together = frontend()(waves)
    torch.testing.assert_close(together[1:], frontend()(waves[1:]), rtol=1e-4, atol=1e-4)


def test_front_ends_of_one_window_share_a_transform(monkeypatch: pytest.MonkeyPatch) -> None:
    real, hops = mel.power_spectrogram, []

    def counted(waveform: torch.Tensor, window: torch.Tensor, hop_length: int, pad_mode: str) -> torch.Tensor:
        hops.append(hop_length)
        return real(waveform, window, hop_length, pad_mode)

    kinds = ({"hop_length": 512}, {}, {"hop_length": 384}, {"n_fft": 2048}, {"compression": "linear"})
    several, wave = [frontend(**changes) for changes in kinds], torch.randn(1, 16_000)
    alone = [one(wave) for one in several]
    monkeypatch.setattr(mel, "power_spectrogram", counted)
    for one, together in zip(alone, front_ends(several, wave), strict=True):
        torch.testing.assert_close(together, one, rtol=1e-4, atol=1e-4)
    assert hops == [256, 384, 256]  # 512 and 256 in one, 384 is no multiple, another window


@pytest.mark.parametrize("n_mels", [10, 64, 500])
def test_filters_in_groups_give_what_the_whole_bank_gives(n_mels: int) -> None:
    bank = frontend(n_mels=n_mels).mel.mel_scale.fb  # 500 bands: some reach no bin
    power = torch.rand(2, 7, len(bank))
    torch.testing.assert_close(FilterBank(bank)(bank, power), (power @ bank).transpose(1, 2))
