"""Figures of sounds: spectrograms with their axes, waveforms, mel filter banks, and what plays when."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from helpers.plotting import PALETTE, WIDE, new_figure, styled

EVERY = 8  # of the filters of a bank one is drawn
TICKS_HZ = (250, 1_000, 4_000)
POINTS = 2000  # of a waveform that are drawn
RANGE_DB = 70.0
Events = Sequence[tuple[float, float]]


@styled
def note_grid(
    levels: np.ndarray, rows: Sequence[str], titles: Sequence[str], seconds: float, hertz: np.ndarray
) -> Figure:
    """Mel spectrograms in dB [notes, n_mels, frames] of notes of `seconds`, named on each; one colour bar for all.

    `rows` names the instrument of each row, `titles` each note; `hertz` are the centres of the bands [n_mels].
    """
    columns = len(titles) // len(rows)
    figure, axes = new_figure((10.8, 4.0), len(rows), columns, sharex=True, sharey=True, squeeze=False)
    for number, (axis, level, title) in enumerate(zip(axes.flat, levels, titles, strict=True)):
        shown = _image(axis, level, seconds, hertz, vmin=levels.min(), vmax=levels.max())
        name = f"{rows[number // columns]}\n{title}"
        axis.text(0.98, 0.95, name, color="white", ha="right", va="top", transform=axis.transAxes, fontsize=11,
                  bbox={"facecolor": "black", "alpha": 0.4, "linewidth": 0, "pad": 1.5})  # fmt: skip
    _name_axes(figure)
    figure.colorbar(shown, ax=axes.ravel().tolist(), label="dB below the loudest point", shrink=0.9)
    return figure


@styled
def rows_figure(
    rows: Mapping[str, np.ndarray], titles: Sequence[str], seconds: float, hertz: np.ndarray
) -> Figure:
    """The same notes seen in several ways below each other; `rows[colour bar's label]` is [notes, n_mels, frames]."""
    figure, axes = new_figure((WIDE[0], 4.0), len(rows), len(titles), sharex=True, sharey=True, squeeze=False)
    for row, (label, values) in zip(axes, rows.items(), strict=True):
        for axis, value in zip(row, values, strict=True):
            shown = _image(axis, value, seconds, hertz, vmin=values.min(), vmax=values.max())
        figure.colorbar(shown, ax=row.tolist(), label=label)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=13)
    _name_axes(figure)
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
        shown = _image(below, level, seconds, hertz, vmin=level.max() - 80, vmax=level.max())
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
def images_figure(images: Mapping[str, np.ndarray], seconds: float, rows: int = 1, ylabel: str = "mel band") -> Figure:
    """Spectrograms [bands, frames] beside each other under their titles, time on the abscissa."""
    columns = -(-len(images) // rows)
    figure, axes = new_figure((WIDE[0], 2.1 * rows + 1.2), rows, columns, squeeze=False, sharex=True)
    for number, (axis, (title, values)) in enumerate(zip(axes.flat, images.items(), strict=False)):
        _image(axis, values, seconds)
        axis.set_title(title, fontsize=10)
        axis.set_ylabel(ylabel if number % columns == 0 else "")
    for axis in axes[-1]:
        axis.set_xlabel("time (s)")
    return figure


@styled
def timeline(level: np.ndarray, column_s: float, tracks: Mapping[str, Mapping[str, Events]], title: str) -> Figure:
    """Mel spectrogram in dB [n_mels, columns of `column_s`], below it for each instrument a row of bars where it plays.

    `tracks`: "labels" or "model" -> instrument -> stretches (start s, end s), drawn one below the other.
    """
    figure, (above, below) = new_figure(WIDE, 2, 1, sharex=True, height_ratios=[2, 1 + 0.3 * len(tracks)])
    _image(above, level, level.shape[1] * column_s, vmin=level.max() - RANGE_DB, rasterized=True)
    above.set(title=title, ylabel="mel band")
    names = list(dict.fromkeys(name for track in tracks.values() for name in track))
    height = 0.8 / len(tracks)
    for t, (track, playing) in enumerate(tracks.items()):
        opacity = 1.0 if t == 0 else 0.55
        for row, name in enumerate(names):
            bars = [(start, end - start) for start, end in playing.get(name, ())]
            place = (row - 0.4 + t * height, height * 0.9)
            below.broken_barh(bars, place, color=PALETTE[row % len(PALETTE)], alpha=opacity)
        if len(tracks) > 1:
            below.text(1.005, 1 - (t + 0.5) / len(tracks), track, transform=below.transAxes, fontsize=9, va="center")
    below.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel="time in s")
    return figure


@styled
def augmentation_figure(waveforms: Mapping[str, np.ndarray], mels: Mapping[str, np.ndarray], seconds: float) -> Figure:
    """Waveforms [samples] above their mel spectrograms in dB [bands, frames], one column for each name."""
    figure, axes = new_figure((1.65 * len(waveforms), 3.8), 2, len(waveforms), sharex=True, sharey="row")
    for (above, below), (name, waveform) in zip(axes.T, waveforms.items(), strict=True):
        step = max(1, len(waveform) // POINTS)
        above.plot(np.linspace(0, seconds, len(waveform[::step])), waveform[::step], lw=0.4, color=PALETTE[0])
        above.set_title(name, fontsize=10)
        _image(below, mels[name], seconds, vmin=-60, vmax=0)
        below.set_xlabel("time / s", fontsize=9)
        for axis in (above, below):
            axis.tick_params(labelsize=8)
    axes[0, 0].set_ylabel("amplitude", fontsize=9)
    axes[1, 0].set_ylabel("mel band", fontsize=9)
    return figure


def _image(axis: Axes, values: np.ndarray, seconds: float, hertz: np.ndarray | None = None, **keywords) -> AxesImage:
    """Values [bands, frames] as colours over time in s; with centres of the bands, ticks at round frequencies."""
    if hertz is not None:
        axis.set_yticks(np.interp(TICKS_HZ, hertz, np.arange(len(hertz)) + 0.5), [f"{tick:,}" for tick in TICKS_HZ])
    extent = (0, seconds, 0, len(values))
    return axis.imshow(values, origin="lower", aspect="auto", extent=extent, interpolation="nearest", **keywords)


def _name_axes(figure: Figure) -> None:
    figure.supxlabel("time in s", fontsize=13)
    figure.supylabel("frequency in Hz, mel scale", fontsize=13)
