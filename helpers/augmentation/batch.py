"""Augmentations of batches in torch: mixing waveforms with their targets, and masking spectrograms.

They draw from torch's global generators, which `training.fit` seeds for each epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Mixup:
    """Convex mixes of pairs, targets alike (Zhang et al., mixup, ICLR 2018)."""

    alpha: float = 0.3  # of the beta distribution that the share is drawn from

    def __call__(self, waveforms: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, T], [B, classes] -> the same."""
        share = torch.distributions.Beta(self.alpha, self.alpha).sample((len(targets), 1)).to(waveforms)
        share = torch.maximum(share, 1 - share)  # the clip itself prevails
        partner = torch.randperm(len(targets), device=waveforms.device)
        level = waveforms.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)
        loud = waveforms / level
        return (share * loud + (1 - share) * loud[partner]), share * targets + (1 - share) * targets[partner]


@dataclass(frozen=True)
class SpecAugment:
    """Bands and stretches of a standardised spectrogram set to zero, its mean (Park et al., Interspeech 2019)."""

    masks: int = 2  # of each kind
    band_share: float = 0.12  # largest height of a mask
    time_share: float = 0.12  # largest length of a mask

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> the same, each item masked elsewhere."""
        for _ in range(self.masks):
            features = self._masked(features, 2, self.band_share)
            features = self._masked(features, 3, self.time_share)
        return features

    @staticmethod
    def _masked(features: torch.Tensor, axis: int, share: float) -> torch.Tensor:
        size, batch = features.shape[axis], len(features)
        width = torch.rand(batch, 1, device=features.device) * share * size
        first = torch.rand(batch, 1, device=features.device) * (size - width)
        position = torch.arange(size, device=features.device)
        keep = (position < first) | (position >= first + width)  # [B, size]
        shape = [batch, 1, 1, 1]
        shape[axis] = size
        return features * keep.view(shape)
