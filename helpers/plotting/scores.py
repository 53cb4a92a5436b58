"""Figures of scores, drawn by seaborn: confusion matrices, curves, bars with intervals, thresholds, tables."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plotting import HALF, PALETTE, SEQUENTIAL, WIDE, new_figure, styled

NUMBERED = 20  # cells of a matrix with more classes than this carry no numbers
Score = float | Mapping[str, float]  # a number, or "value" with its interval "low", "high"


@styled
def confusion_figure(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices [true, predicted] of counts beside each other, coloured by share of the true class."""
    size = (5.7, 4.7) if len(matrices) == 1 else (WIDE[0], 5.0)
    figure, axes = new_figure(size, 1, len(matrices), squeeze=False)
    for axis, (title, counts) in zip(axes[0], matrices.items(), strict=True):
        counts = np.asarray(counts)
        heat_map(axis, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), classes, numbers=counts, vmax=1)
        axis.set(title=title, xlabel="predicted")
        if axis is not axes[0, 0]:
            axis.set_yticklabels([])
    axes[0, 0].set_ylabel("true")
    figure.colorbar(axes[0, 0].collections[0], ax=axes[0].tolist(), label="share of the true class", shrink=0.8)
    return figure


def heat_map(axis: Axes, values: np.ndarray, classes: Sequence[str], numbers: np.ndarray, vmax: float | None) -> None:
    """Values [C, C] as colours; what is not zero of `numbers` [C, C] stands in the cells while it can be read."""
    readable = len(classes) <= NUMBERED
    seaborn.heatmap(
        values, vmin=0, vmax=vmax, cmap=SEQUENTIAL, square=True, cbar=False, ax=axis, fmt="",
        annot=np.where(numbers > 0, numbers.astype(str), "") if readable else None, annot_kws={"fontsize": 9},
        xticklabels=list(classes), yticklabels=list(classes),
    )  # fmt: skip
    size = 9 if readable else max(3, 180 / len(classes))
    axis.tick_params("x", rotation=90, labelsize=size, length=0)
    axis.tick_params("y", rotation=0, labelsize=size, length=0)


@styled
def curves_figure(histories: Mapping[str, Mapping[str, Sequence[float]]], score_name: str = "accuracy") -> Figure:
    """Loss and score over epochs, training dashed and validation drawn through.

    Each history maps "train_loss", "train_score", "valid_loss" and "valid_score" to one value an epoch.
    """
    figure, axes = new_figure(WIDE, 1, 2)
    for axis, kind, label in zip(axes, ("loss", "score"), ("loss", score_name), strict=True):
        points = ((epoch, value, name, part) for name, history in histories.items()
                  for part, key in (("validation", "valid"), ("training", "train"))
                  for epoch, value in enumerate(history[f"{key}_{kind}"], start=1))  # fmt: skip
        epoch, value, name, part = zip(*points, strict=True)
        colours = PALETTE[: len(histories)]
        seaborn.lineplot(x=epoch, y=value, hue=name, style=part, markers=True, palette=colours, ax=axis)
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[1].set_ylim(0, 1)
    legend_above(figure, axes[1])
    return figure


def interval_bars(axis: Axes, bars: Iterable[tuple[str, str, Score]], upright: bool = False) -> None:
    """A bar for each (name, colour's name, score), with a line from low to high if it has them, in their order."""
    place, hue, value = _columns(bars)
    seaborn.barplot(
        x=place if upright else value, y=value if upright else place, hue=hue, orient="x" if upright else "y", ax=axis,
        estimator="median", errorbar=("pi", 100), palette=PALETTE[: len(set(hue))], saturation=1, capsize=0.2,
        err_kws={"color": "black", "linewidth": 1}, legend=len(set(hue)) > 1,
    )  # fmt: skip
    axis.set(xlabel="", ylabel="", **{"ylim" if upright else "xlim": (0, 1)})


def _columns(scores: Iterable[tuple[str, str, Score]]) -> tuple[Sequence, Sequence, Sequence]:
    """What seaborn draws: of each score all three numbers, whose median is the value and whose range the interval."""
    rows = ((place, hue, value) for place, hue, score in scores for value in (
        [score[end] for end in ("value", "low", "high") if end in score] if isinstance(score, Mapping) else [score]
    ))  # fmt: skip
    return tuple(zip(*rows, strict=True))


@styled
def dots_figure(
    panels: Mapping[str, Mapping[str, Mapping[str, Score]]], xlabel: str, baselines: Mapping[str, float] | None = None
) -> Figure:
    """Panels beside each other with a dot for each `panels[title][row][system]`, and its interval if it has one.

    `baselines[name]` are drawn as dashed lines.
    """
    same, height = len({tuple(rows) for rows in panels.values()}) == 1, 0.36 * max(map(len, panels.values())) + 1.6
    figure, axes = new_figure((WIDE[0], max(2.8, height)), 1, len(panels), squeeze=False, sharex=True, sharey=same)
    lowest = 0.0
    for axis, (title, rows) in zip(axes[0], panels.items(), strict=True):
        row, system, value = _columns((row, name, score) for row, one in rows.items() for name, score in one.items())
        systems, lowest = len(set(system)), min(lowest, *value)
        seaborn.pointplot(x=value, y=row, hue=system, orient="y", estimator="median", errorbar=("pi", 100),
                          dodge=0.3 * (systems > 1), linestyle="none", markersize=6, err_kws={"linewidth": 1},
                          palette=PALETTE[:systems], ax=axis)  # fmt: skip
        for name, place in (baselines or {}).items():
            axis.axvline(place, color="black", ls="--", lw=1, label=name)
        axis.tick_params("y", labelsize=10)
        axis.set(title=title, ylabel="")
        axis.grid(axis="x", lw=0.4)
    axes[0, 0].set_xlim(lowest - 0.03, 1.03)
    figure.supxlabel(xlabel, fontsize=12)
    legend_above(figure, axes[0, -1])
    return figure


@styled
def bars_figure(
    scores: Mapping[str, Mapping[str, Score]], baselines: Mapping[str, float], xlabel: str = "accuracy"
) -> Figure:
    """Horizontal bars with intervals: `scores[system][metric]` in 0..1; `baselines[name]` are drawn as dashed lines."""
    bars = [(name, metric, score) for name, row in scores.items() for metric, score in row.items()]
    figure, axis = new_figure((WIDE[0], max(2.5, 0.35 * len(bars) + 1.2)))
    interval_bars(axis, bars)
    for style, (name, value) in zip(("--", ":", "-."), baselines.items(), strict=False):
        axis.axvline(value, color="black", ls=style, lw=1, label=name)
    axis.set_xlabel(f"{xlabel} (line: 95 % interval)")
    legend_above(figure, axis)
    return figure


def legend_above(figure: Figure, axis: Axes) -> None:
    """That of one axes as the only legend of the figure, above it, in as many rows as its labels need."""
    handles, labels = axis.get_legend_handles_labels()
    for other in figure.axes:
        if other.get_legend():
            other.get_legend().remove()
    for columns in range(max(1, len(labels)), 0, -1):
        legend = figure.legend(handles, labels, loc="outside upper center", ncols=columns)
        if columns == 1 or legend.get_window_extent().width < figure.bbox.width:
            return
        legend.remove()


@styled
def group_figure(rows: Mapping[str, Mapping[str, float]], what: str) -> Figure:
    """One bar a group (instrument, recording), the worst first: `rows[name]` holds its "top1" and its number "n"."""
    figure, axis = new_figure((WIDE[0], max(WIDE[1], 0.19 * len(rows) + 1)))
    worst_first = sorted(rows.items(), key=lambda item: item[1]["top1"])
    interval_bars(axis, ((f"{name} ({row['n']})", "", row["top1"]) for name, row in worst_first))
    overall = np.average([row["top1"] for row in rows.values()], weights=[row["n"] for row in rows.values()])
    axis.axvline(overall, color="black", ls="--", lw=1, label=f"all: {overall:.1%}")
    axis.tick_params("y", labelsize=max(4, min(10, 330 / max(len(rows), 1))))
    axis.set_xlabel(f"top-1 accuracy by {what} (n)")
    axis.legend()
    return figure


@styled
def reliability_figure(curves: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Accuracy over confidence for each system; `curves` as `evaluation.single.reliability` gives them."""
    figure, axis = new_figure(HALF)
    axis.plot([0, 1], [0, 1], color="grey", lw=1, ls="--", label="perfectly calibrated")
    for name, curve in curves.items():
        known = np.asarray(curve["count"]) > 0
        label = f"{name} (error {curve['ece']:.2f})"
        axis.plot(np.asarray(curve["confidence"])[known], np.asarray(curve["accuracy"])[known], "o-", label=label)
    axis.set(xlabel="confidence", ylabel="accuracy")
    axis.legend(fontsize=9)
    return figure



@styled
def importance_figure(blocks: Mapping[str, float], columns: Mapping[str, float], model: str) -> Figure:
    """Left: top-1 lost when a block of features is shuffled (0..1). Right: weight of the strongest single columns."""
    figure, axes = new_figure(WIDE, 1, 2)
    labels = (f"{model}: top-1 on validation notes,\nweighted by kind, lost when shuffled",
              "extra-trees: mean decrease of impurity\non training notes, all columns sum to 1")
    for axis, values, label in zip(axes, (blocks, columns), labels, strict=True):
        names = sorted(values, key=lambda name: -values[name])
        interval_bars(axis, ((name, "", values[name]) for name in names))
        axis.set_xlim(auto=True)
        axis.autoscale(axis="x")
        axis.tick_params("y", labelsize=10)
        axis.set_xlabel(label, fontsize=11)
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
    place = np.arange(len(classes))
    axis.hlines(thresholds, place - 0.4, place + 0.4, color="black", lw=2, label="threshold", zorder=5)
    axis.set(ylim=(0, 1), xlabel="", ylabel="score")
    legend_above(figure, axis)
    return figure


@styled
def class_figure(table: Mapping[str, Mapping[str, float]], xlabel: str, ylabel: str) -> Figure:
    """Bars of each class, e.g. its precision, recall and F1; `table[class][bar]` are in 0..1."""
    figure, axis = new_figure()
    interval_bars(axis, ((name, bar, value) for name, row in table.items() for bar, value in row.items()), upright=True)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    legend_above(figure, axis)
    return figure


@styled
def polyphony_figure(by_size: Mapping[str, float], missed: np.ndarray, classes: Sequence[str]) -> Figure:
    """F1 over the number of instruments, and what was predicted [C] where an instrument was missed [C]."""
    figure, (left, right) = new_figure(WIDE, 1, 2, width_ratios=(1, 1.4))
    interval_bars(left, ((name, "", f1) for name, f1 in by_size.items()), upright=True)
    left.set(xlabel="instruments in the excerpt", ylabel="micro F1")
    heat_map(right, missed, classes, numbers=np.rint(missed).astype(int), vmax=None)
    right.set(xlabel="wrongly predicted instead", ylabel="missed")
    figure.colorbar(right.collections[0], ax=right, label="excerpts")
    return figure
