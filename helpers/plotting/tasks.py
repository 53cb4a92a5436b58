"""Figures of multi-label recognition, of instruments in time, and of the genre study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn
from matplotlib.figure import Figure

from helpers.plotting.scores import Interval, heat_map, interval_bars, legend_above
from helpers.plotting.spectrograms import image
from helpers.plotting.style import PALETTE, WIDE, new_figure, styled

POINTS = 2000  # of a waveform that are drawn
RANGE_DB = 70.0
Events = Sequence[tuple[float, float]]


@styled
def images_figure(images: Mapping[str, np.ndarray], seconds: float, rows: int = 1, ylabel: str = "mel band") -> Figure:
    """Spectrograms [bands, frames] beside each other under their titles, time on the abscissa."""
    columns = -(-len(images) // rows)
    figure, axes = new_figure((WIDE[0], 2.1 * rows + 1.2), rows, columns, squeeze=False, sharex=True)
    for number, (axis, (title, values)) in enumerate(zip(axes.flat, images.items(), strict=False)):
        image(axis, values, seconds)
        axis.set_title(title, fontsize=10)
        axis.set_ylabel(ylabel if number % columns == 0 else "")
    for axis in axes[-1]:
        axis.set_xlabel("time (s)")
    return figure


@styled
def thresholds_figure(
    scores: np.ndarray, targets: np.ndarray, thresholds: Sequence[float], classes: Sequence[str]
) -> Figure:
    """Scores [N, C] of excerpts with (dark) and without (light) each class, and where its threshold lies."""
    figure, axis = new_figure()
    names = np.broadcast_to(np.array(classes), scores.shape)
    present = np.where(targets > 0.5, "instrument plays", "does not")
    order, colours = ["does not", "instrument plays"], [PALETTE[5], PALETTE[3]]
    seaborn.stripplot(x=names.ravel(), y=scores.ravel(), hue=present.ravel(), hue_order=order, palette=colours,
                      dodge=True, alpha=0.6, size=4, ax=axis)  # fmt: skip
    for column, threshold in enumerate(thresholds):
        label = None if column else "threshold"
        axis.hlines(threshold, column - 0.4, column + 0.4, color="black", lw=2, label=label, zorder=5)
    axis.set(ylim=(0, 1), xlabel="", ylabel="score")
    legend_above(figure, axis)
    return figure


@styled
def class_figure(table: Mapping[str, Mapping[str, float]], xlabel: str, ylabel: str) -> Figure:
    """Bars of each class, e.g. its precision, recall and F1; `table[class][bar]` are in 0..1."""
    figure, axis = new_figure()
    interval_bars(axis, ((name, bar, {"value": value}) for name, row in table.items() for bar, value in row.items()),
                  upright=True)  # fmt: skip
    axis.set(xlabel=xlabel, ylabel=ylabel)
    legend_above(figure, axis)
    return figure


@styled
def polyphony_figure(by_size: Mapping[str, float], missed: np.ndarray, classes: Sequence[str]) -> Figure:
    """F1 over the number of instruments, and what was predicted [C] where an instrument was missed [C]."""
    figure, (left, right) = new_figure(WIDE, 1, 2, width_ratios=(1, 1.4))
    interval_bars(left, ((name, "", {"value": f1}) for name, f1 in by_size.items()), upright=True)
    left.set(xlabel="instruments in the excerpt", ylabel="micro F1")
    heat_map(right, missed, classes, numbers=np.rint(missed).astype(int), vmax=None)
    right.set(xlabel="wrongly predicted instead", ylabel="missed")
    figure.colorbar(right.collections[0], ax=right, label="excerpts")
    return figure


@styled
def timeline(level: np.ndarray, column_s: float, tracks: Mapping[str, Mapping[str, Events]], title: str) -> Figure:
    """Mel spectrogram above, below it a row for each instrument with a bar where it plays.

    Args:
        level: mel level in dB [n_mels, columns].
        column_s: seconds that a column stands for.
        tracks: name of a track ("labels", "model") -> instrument -> stretches (start s, end s); tracks of an
            instrument are drawn one below the other.
        title: of the figure.
    """
    figure, (above, below) = new_figure(WIDE, 2, 1, sharex=True, height_ratios=[2, 1 + 0.3 * len(tracks)])
    image(above, level, level.shape[1] * column_s, vmin=level.max() - RANGE_DB, rasterized=True)
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
        image(below, mels[name], seconds, vmin=-60, vmax=0)
        below.set_xlabel("time / s", fontsize=9)
        for axis in (above, below):
            axis.tick_params(labelsize=8)
    axes[0, 0].set_ylabel("amplitude", fontsize=9)
    axes[1, 0].set_ylabel("mel band", fontsize=9)
    return figure


@styled
def table_figure(rows: Sequence[Mapping]) -> Figure:
    """Accuracies of every model without and with augmentation, by part, with their intervals.

    Each row holds "name" and, under "plain" and "augmented", {"value", "low", "high"} of each part.
    """
    figure, axes = new_figure((WIDE[0], 0.36 * len(rows) + 1.4), 1, 3, sharey=True)
    for axis, part in zip(axes, ("train", "valid", "test"), strict=True):
        points = [(row["name"], column, row[column][part][end]) for row in rows for column in ("plain", "augmented")
                  for end in ("value", "low", "high")]  # fmt: skip
        name, column, value = zip(*points, strict=True)
        seaborn.pointplot(x=value, y=name, hue=column, orient="y", estimator="median", errorbar=("pi", 100), dodge=0.3,
                          linestyle="none", markersize=5, err_kws={"linewidth": 1}, palette=[PALETTE[5], PALETTE[0]],
                          ax=axis)  # fmt: skip
        axis.set(title=part, xlim=(-0.03, 1.03), ylabel="")
        axis.grid(axis="x", lw=0.4)
        if axis is not axes[0]:
            axis.get_legend().remove()
    axes[0].tick_params("y", labelsize=10)
    figure.supxlabel("accuracy by track; line: 95 % interval over tracks", fontsize=11)
    legend_above(figure, axes[0])
    return figure


@styled
def protocol_figure(scores: Mapping[str, Interval], chance: float) -> Figure:
    """Accuracies with intervals (`scores[protocol]` = {"value", "low", "high"}) below each other, chance dashed."""
    figure, axis = new_figure((WIDE[0], 0.5 * len(scores) + 1.6))
    interval_bars(axis, ((name, "", score) for name, score in scores.items()))
    for row, score in enumerate(scores.values()):
        axis.annotate(f"{score['value']:.2f}", (max(score["high"], 0), row), (6, 0), textcoords="offset points",
                      va="center", fontsize=10)  # fmt: skip
    axis.axvline(chance, color="black", ls="--", lw=1, label=f"chance {chance:.2f}")
    axis.set_xlim(min(0.0, *(score["low"] - 0.02 for score in scores.values())), 1.05)
    axis.set_xlabel("accuracy, or difference of accuracies; line: 95 % interval over tracks")
    axis.legend(loc="lower right")
    return figure
