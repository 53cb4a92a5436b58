"""Figures of multi-label recognition: mixing made visible, thresholds, scores by class and by polyphony, STFT bands.

Figures of the genre study: augmentations, the table of models, protocols and what leakage does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from helpers.plotting.style import HALF, PALETTE, SEQUENTIAL, WIDE, new_figure


def images_figure(images: Mapping[str, np.ndarray], seconds: float, rows: int = 1, ylabel: str = "mel band") -> Figure:
    """Spectrograms [bands, frames] beside each other under their titles, time on the abscissa."""
    columns = -(-len(images) // rows)
    figure, axes = new_figure((WIDE[0], 2.1 * rows + 1.2), rows, columns, squeeze=False, sharex=True)
    for number, (axis, (title, image)) in enumerate(zip(axes.flat, images.items(), strict=False)):
        axis.imshow(image, origin="lower", aspect="auto", extent=(0, seconds, 0, len(image)), cmap=SEQUENTIAL)
        axis.set_title(title, fontsize=10)
        axis.set_ylabel(ylabel if number % columns == 0 else "")
    for axis in axes[-1]:
        axis.set_xlabel("time (s)")
    return figure


def thresholds_figure(
    scores: np.ndarray, targets: np.ndarray, thresholds: Sequence[float], classes: Sequence[str]
) -> Figure:
    """Scores [N, C] of excerpts with (dark) and without (light) each class, and where its threshold lies."""
    figure, axis = new_figure()
    generator = np.random.default_rng(0)
    for column in range(len(classes)):
        for there, colour in ((False, PALETTE[5]), (True, PALETTE[3])):
            values = scores[(targets[:, column] > 0.5) == there, column]
            place = column + (0.2 if there else -0.2) + generator.uniform(-0.12, 0.12, len(values))
            label = {True: "instrument plays", False: "does not"}[there] if column == 0 else None
            axis.plot(place, values, ".", ms=4, alpha=0.6, color=colour, label=label)
        label = "threshold" if column == 0 else None
        axis.hlines(thresholds[column], column - 0.4, column + 0.4, color="black", lw=2, label=label)
    axis.set_xticks(range(len(classes)), classes)
    axis.set_ylim(0, 1)
    axis.set_ylabel("score")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def class_figure(table: Mapping[str, Mapping[str, float]]) -> Figure:
    """Precision, recall and F1 of each class; `table[class]` holds these and `support`."""
    figure, axis = new_figure()
    place = np.arange(len(table))
    for number, metric in enumerate(("precision", "recall", "f1")):
        axis.bar(place + 0.27 * (number - 1), [row[metric] for row in table.values()], 0.25, label=metric)
    axis.set_xticks(place, [f"{name}\n({row['support']:.0f})" for name, row in table.items()])
    axis.set_ylim(0, 1)
    axis.set_xlabel("instrument (excerpts that have it)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def polyphony_figure(by_size: Mapping[str, float], missed: np.ndarray, classes: Sequence[str]) -> Figure:
    """F1 over the number of instruments, and what was said [C] where an instrument was missed [C]."""
    figure, axes = new_figure(WIDE, 1, 2, width_ratios=(1, 1.4))
    axes[0].bar(list(by_size), list(by_size.values()), color=PALETTE[0])
    axes[0].set_xlabel("instruments in the excerpt")
    axes[0].set_ylabel("micro F1")
    axes[0].set_ylim(0, 1)
    image = axes[1].imshow(missed, cmap=SEQUENTIAL)
    axes[1].set_xticks(range(len(classes)), classes, rotation=90, fontsize=9)
    axes[1].set_yticks(range(len(classes)), classes, fontsize=9)
    axes[1].set_xlabel("wrongly said instead")
    axes[1].set_ylabel("missed")
    figure.colorbar(image, ax=axes[1], label="excerpts")
    return figure


def pairs_figure(
    first: Mapping[str, float], second: Mapping[str, float], names: tuple[str, str], ylabel: str
) -> Figure:
    """Two bars for each class, e.g. one network for all against one for each."""
    figure, axis = new_figure((2 * HALF[0], HALF[1]))
    place = np.arange(len(first))
    for number, (values, name) in enumerate(zip((first, second), names, strict=True)):
        axis.bar(place + 0.4 * (number - 0.5), [values[key] for key in first], 0.38, label=name)
    axis.set_xticks(place, list(first))
    axis.set_ylim(0, 1)
    axis.set_ylabel(ylabel)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


POINTS = 2000  # of a waveform that are drawn


def augmentation_figure(waveforms: Mapping[str, np.ndarray], mels: Mapping[str, np.ndarray], seconds: float) -> Figure:
    """Waveforms [samples] above their mel spectrograms in dB [bands, frames], one column for each name."""
    figure, axes = new_figure((1.65 * len(waveforms), 3.8), 2, len(waveforms), sharex=True, sharey="row")
    for (above, below), (name, waveform) in zip(axes.T, waveforms.items(), strict=True):
        step = max(1, len(waveform) // POINTS)
        above.plot(np.linspace(0, seconds, len(waveform[::step])), waveform[::step], lw=0.4, color=PALETTE[0])
        above.set_title(name, fontsize=10)
        below.imshow(mels[name], origin="lower", aspect="auto", vmin=-60, vmax=0,
                     extent=(0, seconds, 0, len(mels[name])))
        below.set_xlabel("time / s", fontsize=9)
        for axis in (above, below):
            axis.tick_params(labelsize=8)
    axes[0, 0].set_ylabel("amplitude", fontsize=9)
    axes[1, 0].set_ylabel("mel band", fontsize=9)
    return figure


def table_figure(rows: Sequence[Mapping], parts: Sequence[str] = ("train", "valid", "test")) -> Figure:
    """Accuracies of every model without (open) and with augmentation (filled), by part, test with its interval.

    Each row holds "name" and, under "plain" and "augmented", {"value", "low", "high"} of each part.
    """
    figure, axes = new_figure((WIDE[0], 0.36 * len(rows) + 1.4), 1, len(parts), sharey=True)
    place = np.arange(len(rows))
    for axis, part in zip(axes, parts, strict=True):
        for offset, column, face in ((-0.15, "plain", "white"), (0.15, "augmented", PALETTE[0])):
            values = np.array([[row[column][part][key] for key in ("value", "low", "high")] for row in rows])
            if part == "test":
                axis.hlines(place + offset, values[:, 1], values[:, 2], color="grey", lw=1)
            axis.plot(values[:, 0], place + offset, "o", mfc=face, mec=PALETTE[0], ms=6, label=column)
        axis.set_title(part)
        axis.set_xlim(-0.03, 1.03)
        axis.grid(axis="x", lw=0.4)
    axes[0].set_yticks(place, [row["name"] for row in rows], fontsize=10)
    axes[0].invert_yaxis()
    figure.supxlabel("accuracy by track; bar: 95 % interval over tracks", fontsize=11)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def protocol_figure(scores: Mapping[str, Mapping[str, float]], chance: float) -> Figure:
    """Accuracies with intervals (`scores[protocol]` = {"value", "low", "high"}) beside each other, chance dashed."""
    figure, axis = new_figure((WIDE[0], 0.5 * len(scores) + 1.6))
    values = np.array([[score[key] for key in ("value", "low", "high")] for score in scores.values()])
    place = np.arange(len(scores))
    axis.hlines(place, values[:, 1], values[:, 2], color=PALETTE[0], lw=3, alpha=0.5)
    axis.plot(values[:, 0], place, "o", color=PALETTE[0], ms=9)
    for row, value in zip(place, values[:, 0], strict=True):
        axis.annotate(f"{value:.2f}", (value, row), (0, 9), textcoords="offset points", ha="center", fontsize=10)
    axis.axvline(chance, color="black", ls="--", lw=1, label=f"chance {chance:.2f}")
    axis.axvline(0, color="grey", lw=0.5)
    axis.set_yticks(place, list(scores))
    axis.set_ylim(len(scores) - 0.4, -0.6)
    axis.set_xlim(min(-0.02, values[:, 1].min() - 0.02), 1)
    axis.set_xlabel("accuracy, or difference of accuracies; bar: 95 % interval over tracks")
    axis.legend(loc="lower right")
    return figure
