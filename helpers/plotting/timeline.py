"""What is heard when, over the mel spectrogram of a film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting.style import PALETTE, WIDE, new_figure

RANGE_DB = 70.0
Events = Sequence[tuple[float, float]]


def timeline(level: np.ndarray, column_s: float, tracks: Mapping[str, Mapping[str, Events]], title: str = "",
             first_s: float = 0.0) -> Figure:
    """Mel spectrogram above, below it a row for each instrument with a bar where it is heard.

    Args:
        level: mel level in dB [n_mels, columns].
        column_s: seconds that a column stands for.
        tracks: name of a track ("labels", "model") -> instrument -> stretches (start s, end s); tracks of an
            instrument are drawn one below the other.
        title: of the figure.
        first_s: time of the first column.
    """
    figure, (above, below) = new_figure(WIDE, 2, 1, sharex=True, height_ratios=[2, 1 + 0.3 * len(tracks)])
    _spectrogram(above, level, (first_s, first_s + level.shape[1] * column_s))
    _bars(below, tracks)
    above.set_title(title)
    below.set_xlabel("time in s")
    return figure


def _spectrogram(axes: Axes, level: np.ndarray, span: tuple[float, float]) -> None:
    axes.imshow(level, origin="lower", aspect="auto", extent=(*span, 0, len(level)), interpolation="nearest",
                vmin=level.max() - RANGE_DB, vmax=level.max(), rasterized=True)
    axes.set_ylabel("mel band")


def _bars(axes: Axes, tracks: Mapping[str, Mapping[str, Events]]) -> None:
    names = list(dict.fromkeys(name for track in tracks.values() for name in track))
    height = 0.8 / len(tracks)
    for t, (track, heard) in enumerate(tracks.items()):
        for row, name in enumerate(names):
            bars = [(start, end - start) for start, end in heard.get(name, ())]
            axes.broken_barh(bars, (row - 0.4 + t * height, height * 0.9), color=PALETTE[row % len(PALETTE)],
                             alpha=1.0 if t == 0 else 0.55)
        if len(tracks) > 1:
            axes.text(1.005, 1 - (t + 0.5) / len(tracks), track, transform=axes.transAxes, fontsize=9, va="center",
                      alpha=1.0 if t == 0 else 0.7)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
