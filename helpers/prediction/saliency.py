"""What a network looks at: the gradient of its decision with respect to the spectrogram."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from helpers.models.base import AudioClassifier

COPIES = 16  # noisy copies whose gradients are averaged
NOISE = 0.15  # standard deviation of the noise; the front end's output has about 1
GRID = 4  # bins; strided convolutions leave a checkerboard of this size in a gradient, which is averaged out


def saliency(network: AudioClassifier, waveform: np.ndarray, label: int) -> np.ndarray:
    """How much each bin of the front end's output moves the logit of a class, smoothed over noisy copies.

    SmoothGrad (Smilkov et al., 2017) of gradients (Simonyan et al., 2013).

    Args:
        network: a single classifier, not an ensemble.
        waveform: [samples].
        label: class whose logit is followed.

    Returns:
        float32 [n_mels, frames], 0..1.
    """
    network = network.eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        features = network.frontend(torch.from_numpy(waveform)[None])  # [1, 1, M, F]
    noisy = features + NOISE * torch.randn((COPIES, *features.shape[1:]), generator=generator)
    noisy.requires_grad_(True)
    logit = network.head(network.encoder(noisy))[:, label].sum()
    (gradient,) = torch.autograd.grad(logit, noisy)
    strength = gradient.abs().mean(dim=(0, 1), keepdim=True)
    strength = avg_pool2d(strength, GRID + 1, stride=1, padding=GRID // 2, count_include_pad=False)[0, 0]
    return (strength / strength.max().clamp_min(1e-12)).numpy()


def spectrogram(network: AudioClassifier, waveform: np.ndarray) -> np.ndarray:
    """What the front end hands to the encoder for [samples]: float32 [n_mels, frames]."""
    with torch.no_grad():
        return network.eval().frontend(torch.from_numpy(waveform)[None])[0, 0].numpy()
