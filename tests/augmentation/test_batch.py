"""Mixing of batches with their targets, and masking of spectrograms."""

from __future__ import annotations

import pytest
import torch

from helpers.augmentation.mixing import Mixup
from helpers.augmentation.spectral import SpecAugment


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_mixed_targets_sum_to_one_and_the_clip_itself_prevails() -> None:
    targets = torch.eye(8)
    _, mixed = Mixup(1.0)(torch.randn(8, 100), targets)
    torch.testing.assert_close(mixed.sum(dim=1), torch.ones(8))
    assert (mixed.diagonal() >= 0.5).all()
    assert ((mixed > 0).sum(dim=1) > 1).any()


def test_waveforms_are_mixed_as_their_targets_say() -> None:
    waves = 3.0 * torch.eye(6).repeat_interleave(50, dim=1)  # each sounds where the others are silent
    mixed, targets = Mixup(1.0)(waves, torch.eye(6))
    loudness = mixed.view(6, 6, 50).mean(dim=2)
    torch.testing.assert_close(loudness / loudness.sum(dim=1, keepdim=True), targets)
    assert not torch.allclose(targets, torch.eye(6))


def test_soft_and_loud_notes_are_mixed_as_equals() -> None:
    waves = torch.eye(2).repeat_interleave(50, dim=1) * torch.tensor([[1.0], [1e-3]])
    mixed, targets = Mixup(1.0)(waves, torch.eye(2))
    loudness = mixed.view(2, 2, 50).mean(dim=2)
    torch.testing.assert_close(loudness / loudness.sum(dim=1, keepdim=True), targets)


def test_mixing_silence_or_one_note_is_harmless() -> None:
    mixed, _ = Mixup()(torch.zeros(3, 10), torch.eye(3))
    assert torch.equal(mixed, torch.zeros(3, 10))
    wave = torch.randn(1, 100)
    mixed, target = Mixup()(wave, torch.ones(1, 1))
    torch.testing.assert_close(mixed, wave / wave.square().mean().sqrt())
    torch.testing.assert_close(target, torch.ones(1, 1))


def test_masks_are_zero_and_the_rest_is_untouched() -> None:
    features = torch.rand(16, 1, 40, 60) + 1
    masked = SpecAugment(masks=1, band_share=0.2, time_share=0.3)(features)
    zero = masked == 0
    torch.testing.assert_close(masked[~zero], features[~zero])
    bands, frames = zero.all(dim=3)[:, 0], zero.all(dim=2)[:, 0]  # [B, M], [B, F]
    torch.testing.assert_close(zero[:, 0], bands[:, :, None] | frames[:, None, :])  # whole bands and whole frames only
    assert 0 < bands.sum(dim=1).max() <= 0.2 * 40 + 1
    assert 0 < frames.sum(dim=1).max() <= 0.3 * 60 + 1


def test_every_item_is_masked_elsewhere() -> None:
    masked = SpecAugment(masks=1, band_share=0.0, time_share=0.05)(torch.ones(64, 1, 4, 1_000)) == 0
    places = torch.nonzero(masked[:, 0, 0])  # [masked frames, 2] of item and frame
    assert len(places[:, 0].unique()) > 50
    assert places[:, 1].float().std() == pytest.approx(1_000 / 12**0.5, rel=0.2)  # evenly over the whole length


def test_masks_are_one_stretch_each() -> None:
    for item in SpecAugment(masks=1, time_share=0.5)(torch.ones(16, 1, 40, 60)):
        frames = (item == 0).all(dim=1)[0].int()
        assert frames.diff().clamp_min(0).sum() + frames[0] <= 1


def test_drawing_follows_the_seed() -> None:
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append((SpecAugment()(torch.ones(4, 1, 40, 60)), Mixup()(torch.ones(4, 10), torch.eye(4))[1]))
    assert all(torch.equal(a, b) for a, b in zip(results[0], results[1], strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(results[0], results[2], strict=True))


def test_no_masks_change_nothing() -> None:
    features = torch.rand(2, 1, 40, 60)
    assert torch.equal(SpecAugment(masks=0)(features), features)
