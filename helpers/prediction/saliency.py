"""Pictures of what networks are given and look at: spectrograms, and gradients of a decision with respect to them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier
from helpers.prediction.clips import windows

COPIES = 16  # noisy copies whose gradients are averaged
NOISE = 0.15  # standard deviation of the noise; the front end's output has about 1
GRID = 4  # bins; strided convolutions leave a checkerboard of this size in a gradient, which is averaged out
COLUMNS = 1500  # of an overview: about as many as a figure has pixels
CHUNK_S = 5.0  # of a recording at a time


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


def overview(blocks: Iterable[np.ndarray], seconds: float, config: MelConfig) -> tuple[np.ndarray, float]:
    """Mean mel level of a recording that comes in blocks [samples].

    Returns:
        level in dB, float32 [n_mels, columns]; and the seconds that a column stands for. Memory does not depend on
        the length.
    """
    pooled = max(1, round(seconds * config.frame_rate / COLUMNS))  # frames in a column
    size = pooled * config.hop_length * max(1, round(CHUNK_S * config.frame_rate / pooled))
    frontend, columns = MelFrontend(config), []
    for block in windows(blocks, size, size, margin=0):
        (power,) = frontend.reduce(frontend.spectrum(torch.from_numpy(block[None])).transpose(1, 2))
        columns.append(power[0, :, :-1].reshape(config.n_mels, -1, pooled).mean(dim=2).numpy())
    count = max(1, round(seconds * config.frame_rate / pooled))
    return 10 * np.log10(np.concatenate(columns, axis=1)[:, :count] + 1e-10), pooled / config.frame_rate
