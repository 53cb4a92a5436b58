"""Figures of notes: mel spectrograms with axes in seconds and hertz, waveforms, and mel filter banks.

What a network looks at, beside what there is to see.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from helpers.plotting.style import PALETTE, WIDE, new_figure, styled

EVERY = 8  # of the filters of a bank one is drawn
TICKS_HZ = (250, 1_000, 4_000)


@styled
def note_grid(
    levels: np.ndarray, rows: Sequence[str], titles: Sequence[str], seconds: float, hertz: np.ndarray
) -> Figure:
    """Mel spectrograms in dB of one note each, an instrument a row, named on each; one colour bar for all.

    Args:
        levels: dB [notes, n_mels, frames], row by row.
        rows: name of each row.
        titles: of each note.
        seconds: length of the notes.
        hertz: centre frequency of every mel band [n_mels].
    """
    columns = len(titles) // len(rows)
    figure, axes = new_figure((10.8, 4.0), len(rows), columns, sharex=True, sharey=True, squeeze=False)
    for number, (axis, level, title) in enumerate(zip(axes.flat, levels, titles, strict=True)):
        shown = _spectrogram(axis, level, seconds, hertz, vmin=levels.min(), vmax=levels.max())
        name = f"{rows[number // columns]}\n{title}"
        axis.text(0.98, 0.95, name, color="white", ha="right", va="top", transform=axis.transAxes, fontsize=11,
                  bbox={"facecolor": "black", "alpha": 0.4, "linewidth": 0, "pad": 1.5})  # fmt: skip
    figure.supxlabel("time in s", fontsize=13)
    figure.supylabel("frequency in Hz, mel scale", fontsize=13)
    figure.colorbar(shown, ax=axes.ravel().tolist(), label="dB below the loudest point", shrink=0.9)
    return figure


@styled
def scales_figure(
    power: np.ndarray, level: np.ndarray, titles: Sequence[str], seconds: float, hertz: np.ndarray
) -> Figure:
    """The same notes [notes, n_mels, frames] as power (0 to 1) above and as level in dB below."""
    figure, axes = new_figure((WIDE[0], 4.0), 2, len(titles), sharex=True, sharey=True, squeeze=False)
    for row, (values, label) in enumerate(((power, "power"), (level, "dB"))):
        for axis, value in zip(axes[row], values, strict=True):
            shown = _spectrogram(axis, value, seconds, hertz, vmin=values.min(), vmax=values.max())
        figure.colorbar(shown, ax=axes[row].tolist(), label=label)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=13)
    figure.supxlabel("time in s", fontsize=13)
    figure.supylabel("frequency in Hz, mel scale", fontsize=13)
    return figure


@styled
def filters_figure(
    banks: Sequence[np.ndarray], levels: Sequence[np.ndarray], names: Sequence[str], seconds: float,
    centres: Sequence[np.ndarray], nyquist: float,
) -> Figure:  # fmt: skip
    """Filter banks [n_mels, bins] above, the same note's levels [n_mels, frames] in dB through them below."""
    figure, axes = new_figure(WIDE, 2, len(names), squeeze=False)
    for column, (bank, level, name, hertz) in enumerate(zip(banks, levels, names, centres, strict=True)):
        above, below = axes[:, column]
        above.plot(np.linspace(0, nyquist, bank.shape[1]) / 1000, bank[::EVERY].T, color=PALETTE[column], lw=1)
        above.set_title(name, fontsize=13)
        above.set_xlabel("frequency in kHz")
        shown = _spectrogram(below, level, seconds, hertz, vmin=level.max() - 80, vmax=level.max())
        below.set_xlabel("time in s")
        figure.colorbar(shown, ax=below, label="dB")
    axes[0, 0].set_ylabel(f"every {EVERY}th filter")
    axes[1, 0].set_ylabel("frequency in Hz")
    return figure


@styled
def waveform_grid(waveforms: np.ndarray, titles: Sequence[str], columns: int, sample_rate: int) -> Figure:
    """Waveforms [notes, samples] of full scale ±1 over time."""
    figure, axes = new_figure(WIDE, len(titles) // columns, columns, sharex=True, sharey=True, squeeze=False)
    for axis, waveform, title in zip(axes.flat, waveforms, titles, strict=True):
        axis.plot(np.arange(len(waveform)) / sample_rate, waveform, lw=0.4)
        axis.set_title(title, fontsize=12)
    figure.supxlabel("time in s", fontsize=13)
    return figure


@styled
def saliency_figure(
    examples: Sequence[tuple[str, np.ndarray, np.ndarray]], seconds: float, hertz: np.ndarray
) -> Figure:
    """For each (title, spectrogram [n_mels, frames], saliency 0 to 1 of the same shape) a column of the two."""
    figure, axes = new_figure(WIDE, 2, len(examples), sharex=True, sharey=True, squeeze=False)
    for (above, below), (title, spectrogram, weight) in zip(axes.T, examples, strict=True):
        _spectrogram(above, spectrogram, seconds, hertz)
        shown = _spectrogram(below, weight, seconds, hertz, vmin=0, vmax=1, cmap="magma")
        above.set_title(title)
        below.set_xlabel("time in s")
    for axis, label in zip(axes[:, 0], ("seen", "saliency"), strict=True):
        axis.set_ylabel(f"{label}\nHz, mel scale")
    figure.colorbar(shown, ax=axes[1].tolist(), label="gradient, relative")
    return figure


def image(axis: Axes, values: np.ndarray, seconds: float, **keywords) -> AxesImage:
    """Values [bands, frames] as colours, the lowest band below, time in s on the abscissa."""
    extent = (0, seconds, 0, len(values))
    return axis.imshow(values, origin="lower", aspect="auto", extent=extent, interpolation="nearest", **keywords)


def _spectrogram(axis: Axes, values: np.ndarray, seconds: float, hertz: np.ndarray, **keywords) -> AxesImage:
    """One image [n_mels, frames]; ticks at round frequencies where they lie among the bands."""
    axis.set_yticks(np.interp(TICKS_HZ, hertz, np.arange(len(hertz)) + 0.5), [f"{tick:,}" for tick in TICKS_HZ])
    return image(axis, values, seconds, **keywords)
