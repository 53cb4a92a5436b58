"""Figures of scores: confusion matrices, learning curves, bars with intervals, calibration.

Figures of the classic models: ablations side by side, and what the models rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting.style import HALF, PALETTE, SEQUENTIAL, WIDE, new_figure

NUMBERED = 20  # cells of a matrix with more classes than this carry no numbers


def confusion_figure(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices [true, predicted] of counts beside each other, coloured by share of the true class."""
    width, height = HALF if len(matrices) == 1 else WIDE
    figure, axes = new_figure(
        (width if len(matrices) > 1 else width + 1, height + 0.4), 1, len(matrices), squeeze=False
    )
    for column, (axis, (title, matrix)) in enumerate(zip(axes[0], matrices.items(), strict=True)):
        image = _confusion(axis, np.asarray(matrix), classes, labelled=column == 0)
        axis.set_title(title)
    figure.colorbar(image, ax=axes[0].tolist(), label="share of the true class", shrink=0.8)
    return figure


def _confusion(axis: Axes, matrix: np.ndarray, classes: Sequence[str], labelled: bool):
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(shares, vmin=0, vmax=1, cmap=SEQUENTIAL)
    size = 9 if len(classes) <= NUMBERED else max(3, 180 / len(classes))
    axis.set_xticks(range(len(classes)), classes, rotation=90, fontsize=size)
    axis.set_yticks(range(len(classes)), classes if labelled else [], fontsize=size)
    axis.set_xlabel("predicted")
    if labelled:
        axis.set_ylabel("true")
    axis.spines[:].set_visible(False)
    if len(classes) <= NUMBERED:
        for row, column in np.argwhere(matrix > 0):
            dark = shares[row, column] < 0.6
            axis.text(
                column,
                row,
                matrix[row, column],
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
    return image


def curves_figure(histories: Mapping[str, Mapping[str, Sequence[float]]], score_name: str = "accuracy") -> Figure:
    """Loss and score over epochs, training dashed and validation drawn through.

    Each history maps "train_loss", "train_score", "valid_loss" and "valid_score" to one value an epoch.
    """
    figure, axes = new_figure(WIDE, 1, 2)
    for colour, (name, history) in zip(PALETTE, histories.items(), strict=False):
        for axis, kind in zip(axes, ("loss", "score"), strict=True):
            epochs = np.arange(1, len(history[f"train_{kind}"]) + 1)
            axis.plot(epochs, history[f"train_{kind}"], ".--", color=colour, label=f"{name}, training")
            axis.plot(epochs, history[f"valid_{kind}"], ".-", color=colour, label=f"{name}, validation")
    for axis, label in zip(axes, ("loss", score_name), strict=True):
        axis.set_xlabel("epoch")
        axis.set_ylabel(label)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[1].set_ylim(0, 1)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=4 - len(histories) % 2)
    return figure


def bars_figure(
    scores: Mapping[str, Mapping[str, Mapping[str, float]]], baselines: Mapping[str, float], xlabel: str = "accuracy"
) -> Figure:
    """Horizontal bars with intervals: `scores[system][metric]` = {"value", "low", "high"}, in 0..1.

    `baselines[name]` are drawn as dashed lines.
    """
    metrics = list(next(iter(scores.values())))
    figure, axis = new_figure((WIDE[0], max(2.5, 0.35 * len(scores) * len(metrics) + 1.2)))
    height = 0.8 / len(metrics)
    for number, metric in enumerate(metrics):
        values = np.array([[s[metric][part] for part in ("value", "low", "high")] for s in scores.values()])
        place = np.arange(len(scores)) + (number - (len(metrics) - 1) / 2) * height
        axis.barh(place, values[:, 0], height * 0.9, color=PALETTE[number], label=metric)
        errors = np.abs(values[:, 1:] - values[:, :1]).T
        axis.errorbar(values[:, 0], place, xerr=errors, fmt="none", ecolor="black", capsize=2, lw=1)
    for style, (name, value) in zip(("--", ":", "-."), baselines.items(), strict=False):
        axis.axvline(value, color="black", ls=style, lw=1, label=name)
    axis.set_yticks(range(len(scores)), list(scores))
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.set_xlabel(f"{xlabel} (bar: 95 % interval)")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=len(metrics) + len(baselines))
    return figure


def group_figure(accuracies: Mapping[str, float], counts: Mapping[str, int], overall: float, what: str) -> Figure:
    """One bar a group (instrument, recording), the worst first; n behind each name."""
    names = sorted(accuracies, key=lambda name: accuracies[name])
    figure, axis = new_figure((WIDE[0], max(WIDE[1], 0.19 * len(names) + 1)))
    axis.barh(range(len(names)), [accuracies[name] for name in names], color=PALETTE[0])
    axis.axvline(overall, color="black", ls="--", lw=1, label=f"all: {overall:.1%}")
    size = max(4, min(10, 330 / max(len(names), 1)))
    axis.set_yticks(range(len(names)), [f"{name} ({counts[name]})" for name in names], fontsize=size)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlim(0, 1)
    axis.set_xlabel(f"top-1 accuracy by {what} (n)")
    axis.legend()
    return figure


def reliability_figure(curves: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Accuracy over confidence for each system; `curves` as `evaluation.single.reliability` gives them."""
    figure, axis = new_figure(HALF)
    axis.plot([0, 1], [0, 1], color="grey", lw=1, ls="--", label="perfectly calibrated")
    for name, curve in curves.items():
        known = np.asarray(curve["count"]) > 0
        label = f"{name} (error {curve['ece']:.2f})"
        axis.plot(np.asarray(curve["confidence"])[known], np.asarray(curve["accuracy"])[known], "o-", label=label)
    axis.set_xlabel("confidence")
    axis.set_ylabel("accuracy")
    axis.legend(fontsize=9)
    return figure


def ablation_figure(panels: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """One panel for each experiment: `panels[title][row][system]` is an accuracy in 0..1, one dot each."""
    figure, axes = new_figure(WIDE, 1, len(panels), squeeze=False, sharex=True)
    for axis, (title, rows) in zip(axes[0], panels.items(), strict=True):
        systems = list(next(iter(rows.values())))
        for colour, marker, system in zip(PALETTE, "osD^v", systems, strict=False):
            values = [row[system] for row in rows.values()]
            axis.plot(values, range(len(rows)), marker, color=colour, label=system, alpha=0.85)
        axis.set_yticks(range(len(rows)), list(rows), fontsize=10)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_xlim(0, 1)
        axis.grid(axis="x", alpha=0.3)
        axis.set_title(title)
        axis.set_xlabel("validation top-1")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return figure


def importance_figure(kinds: Mapping[str, float], columns: Mapping[str, float], model: str) -> Figure:
    """Left: accuracy lost without each kind of feature (0..1). Right: weight of the strongest single columns."""
    figure, axes = new_figure(WIDE, 1, 2)
    labels = (f"{model}: top-1 lost when shuffled", "extra-trees: mean decrease of impurity")
    for axis, values, label in zip(axes, (kinds, columns), labels, strict=True):
        names = sorted(values, key=values.get, reverse=True)
        axis.barh(np.arange(len(names)), [values[name] for name in names], color=PALETTE[0])
        axis.set_yticks(range(len(names)), names, fontsize=10)
        axis.invert_yaxis()
        axis.set_xlabel(label, fontsize=11)
    return figure
