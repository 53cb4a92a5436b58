"""What notebooks show of IRMAS before any training: counts, a mixture, the spectrograms of models 1.0 and 2.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from helpers import audio
from helpers.augmentation.mixing import MixAndUnite
from helpers.datasets import irmas
from helpers.datasets.base import ClipDataset, multi_hot
from helpers.experiments.irmas import MEL
from helpers.features.mel import MelFrontend
from helpers.models.multistft import NINE_VIEWS, SAMPLE_RATE, BandSpectrograms

FLOOR = 1e-6  # of the peak power; what is softer is drawn black


def class_counts(root: Path) -> dict[str, np.ndarray]:
    """How many training clips and test excerpts have each instrument [11]."""
    return {split: multi_hot(irmas.clips(root, split), len(irmas.CODES)).sum(axis=0).astype(int)
            for split in ("train", "test")}


def mixing_views(root: Path, seed: int) -> dict[str, np.ndarray]:
    """Log-mel spectrograms [64, frames] of two clips of different instruments and of their mixture, by their labels."""
    clips = irmas.clips(root, "train")
    first = clips[int(np.random.default_rng(seed).integers(len(clips)))]
    second = next(clip for clip in clips if clip.labels != first.labels)
    data = ClipDataset([first, second], len(irmas.CODES), MEL.sample_rate, irmas.SECONDS)
    pair, labels = torch.from_numpy(np.stack([data.waveform(0), data.waveform(1)])), torch.from_numpy(data.targets)
    mixed, united = _mixture(pair, labels, seed)
    frontend = MelFrontend(MEL)
    names = [" + ".join(irmas.NAMES[c] for c in row.nonzero().flatten().tolist()) for row in [*labels, united]]
    levels = torch.log10(frontend.power(torch.stack([*pair, mixed])) + FLOOR).numpy()
    return dict(zip(names, levels, strict=True))


def band_views(root: Path, seed: int) -> dict[str, np.ndarray]:
    """The nine spectrograms [128, 100] of model 1.0 for one training clip; those of model 2.0 are marked."""
    clips = irmas.clips(root, "train")
    clip = clips[int(np.random.default_rng(seed).integers(len(clips)))]
    waveform = torch.from_numpy(audio.read(clip.path, SAMPLE_RATE, duration=irmas.SECONDS))
    views = BandSpectrograms(NINE_VIEWS, normalise=False)(waveform[None])[0].numpy()
    chosen = {0: "▸ ", 4: "▸ ", 8: "▸ "}
    titles = [f"{chosen.get(number, '')}{band.low / 1000:g}–{band.high / 1000:.3g} kHz, n_fft {band.n_fft}"
              for number, band in enumerate(NINE_VIEWS)]
    return dict(zip(titles, views, strict=True))


def _mixture(pair: torch.Tensor, labels: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first clip with the second added to it, and the union of their labels."""
    mix = MixAndUnite(voices=2, probability=1.0)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        while True:  # until the second clip is drawn as the partner
            mixed, united = mix(pair, labels)
            if united[0].sum() == 2:
                return mixed[0], united[0]
