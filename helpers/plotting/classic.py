"""Figures of the classic models: ablations side by side, and what the models rely on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from helpers.plotting.style import PALETTE, WIDE, new_figure


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
