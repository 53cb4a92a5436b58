"""What a network looks at, beside what there is to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from helpers.config import MelConfig
from helpers.plotting.style import WIDE, new_figure

TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000)


def saliency_figure(examples: Sequence[tuple[str, np.ndarray, np.ndarray]], mel: MelConfig) -> Figure:
    """For each (title, spectrogram [n_mels, frames], saliency of the same shape) a column of the two."""
    figure, axes = new_figure(WIDE, 2, len(examples), sharex=True, sharey=True, squeeze=False)
    for column, (title, spectrogram, weight) in enumerate(examples):
        extent = (0, spectrogram.shape[1] / mel.frame_rate, 0, mel.n_mels)
        shared = {"origin": "lower", "aspect": "auto", "extent": extent}
        axes[0, column].imshow(spectrogram, **shared)
        shown = axes[1, column].imshow(weight, cmap="magma", vmin=0, vmax=1, **shared)
        axes[0, column].set_title(title)
        axes[1, column].set_xlabel("time (s)")
    for axis, label in zip(axes[:, 0], ("seen", "saliency"), strict=True):
        axis.set_ylabel(f"{label}\nHz, mel scale")
        axis.set_yticks(_bands(np.array(TICKS_HZ), mel), TICKS_HZ)
    figure.colorbar(shown, ax=axes[1].tolist(), label="gradient, relative")
    return figure


def _bands(hertz: np.ndarray, mel: MelConfig) -> np.ndarray:
    """Position of frequencies on the axis of mel bands (HTK scale)."""

    def scale(f: np.ndarray | float) -> np.ndarray:
        return np.log1p(np.asarray(f, float) / 700)

    return (scale(hertz) - scale(mel.f_min)) / (scale(mel.f_max) - scale(mel.f_min)) * mel.n_mels
