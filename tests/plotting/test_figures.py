"""Every figure shows the numbers that it is given, and drawing one changes nothing for anybody else."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from helpers.plotting import save_figure, scores, spectrograms

NAMES = ("bass", "brass", "flute")
SCORE = {"value": 0.8, "low": 0.7, "high": 0.85}
OTHER = {"value": 0.5, "low": 0.4, "high": 0.65}
HISTORY = {f"{part}_{kind}": [0.5, 0.7, 0.8] for part in ("train", "valid") for kind in ("loss", "score")}
PARTS = {part: {name: {"plain": SCORE, "augmented": OTHER} for name in ("net", "other net")}
         for part in ("train", "valid", "test")}  # fmt: skip
RANDOM = np.random.default_rng(0)
FIGURES = {
    "confusion": lambda: scores.confusion_figure({"log": np.diag([9, 8, 7]), "linear": np.eye(3, dtype=int)}, NAMES),
    "curves": lambda: scores.curves_figure({"log": HISTORY, "linear": HISTORY}),
    "bars": lambda: scores.bars_figure({"net": {"top1": SCORE, "top3": OTHER}, "trees": {"top1": OTHER, "top3": SCORE}},
                                       {"majority": 0.1}),
    "groups": lambda: scores.group_figure({"a": {"top1": 0.5, "n": 4}, "b": {"top1": 0.25, "n": 8}}, "instrument"),
    "reliability": lambda: scores.reliability_figure(
        {"net": {"count": [1, 2], "confidence": [0.3, 0.8], "accuracy": [0.2, 0.9], "ece": 0.1}}),
    "ablation": lambda: scores.dots_figure({"pooling": {"mean": {"knn": 0.5, "svm": 0.6}},
                                            "scaling": {"none": {"knn": 0.4, "svm": 0.3}}}, "top-1 on the pool"),
    "importance": lambda: scores.importance_figure({"mfcc": 0.2, "chroma": -0.01}, {"mfcc 3": 0.02}, "trees"),
    "images": lambda: spectrograms.images_figure({"a": RANDOM.random((8, 9)), "b": RANDOM.random((8, 9))}, 3.0),
    "thresholds": lambda: scores.thresholds_figure(RANDOM.random((20, 3)), RANDOM.integers(0, 2, (20, 3)),
                                                  [0.5, 0.4, 0.6], NAMES),
    "classes": lambda: scores.class_figure({n: {"precision": 0.5, "recall": 0.6, "f1": 0.55} for n in NAMES}, "a", "b"),
    "polyphony": lambda: scores.polyphony_figure({"1": 0.7, "2": 0.5}, RANDOM.integers(0, 4, (3, 3)), NAMES),
    "rows": lambda: spectrograms.rows_figure({"dB": RANDOM.random((2, 40, 9)), "saliency": RANDOM.random((2, 40, 9))},
                                             ["a", "b"], 4.0, np.geomspace(50, 7900, 40)),
    "augmentation": lambda: spectrograms.augmentation_figure(
        {n: RANDOM.normal(size=4000) for n in NAMES}, {n: -60 * RANDOM.random((8, 9)) for n in NAMES}, 3.0),
    "table": lambda: scores.dots_figure(PARTS, "accuracy by track"),
    "protocols": lambda: scores.dots_figure({"": {"track": {"one model": SCORE}, "leaky minus track": {
        "one model": OTHER | {"low": -0.1}}}}, "accuracy, or difference of accuracies", {"chance": 0.1}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_saved_and_leaves_the_global_style_alone(name: str, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    saved = save_figure(FIGURES[name](), tmp_path / f"{name}.png")
    assert saved.stat().st_size > 5_000
    assert dict(mpl.rcParams) == before


def test_notebooks_show_figures_that_pyplot_does_not_know() -> None:
    from matplotlib import pyplot

    assert FIGURES["curves"]()._repr_png_().startswith(b"\x89PNG")
    assert not pyplot.get_fignums()


def test_bars_reach_their_values_and_lines_their_intervals() -> None:
    axis = FIGURES["bars"]().axes[0]
    widths = sorted(round(bar.get_width(), 3) for bar in axis.patches if bar.get_width())
    assert widths == [0.5, 0.5, 0.8, 0.8]
    ends = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) > 2]
    spans = sorted((round(min(x), 3), round(max(x), 3)) for x in ends)
    assert spans == [(0.4, 0.65), (0.4, 0.65), (0.7, 0.85), (0.7, 0.85)]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["net", "trees"]


def test_the_numbers_of_a_heat_map_are_the_counts() -> None:
    axis = FIGURES["confusion"]().axes[0]
    assert [text.get_text() for text in axis.texts if text.get_text()] == ["9", "8", "7"]
    assert axis.collections[0].get_array().max() == 1


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (save_figure(FIGURES["bars"](), tmp_path / f"{n}.svg").read_bytes() for n in range(2))
    assert first == second


def test_groups_stand_worst_first_beside_the_mean_over_all_items() -> None:
    axis = FIGURES["groups"]().axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b (8)", "a (4)"]
    assert axis.get_legend().get_texts()[0].get_text() == "all: 33.3%"


def test_dots_stand_at_their_values_and_lines_span_their_intervals() -> None:
    figure = FIGURES["protocols"]()
    dots, *lines = (line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()))
    assert list(dots) == [0.8, 0.5]
    assert [(min(x), max(x)) for x in lines] == [(0.7, 0.85), (-0.1, 0.65), (0.1, 0.1)]
    assert figure.axes[0].get_xlim()[0] < -0.1 and figure.get_supxlabel() == "accuracy, or difference of accuracies"
    shown = {name: [label.get_text() for label in axis.get_yticklabels()] for name in ("ablation", "table")
             for axis in FIGURES[name]().axes[:1]}  # fmt: skip
    assert shown == {"ablation": ["mean"], "table": ["net", "other net"]}


def test_axes_of_importances_say_what_is_drawn() -> None:
    lost, decrease = (axis.get_xlabel() for axis in FIGURES["importance"]().axes)
    assert "validation notes" in lost and "training notes" in decrease


def test_legend_of_many_long_names_stays_inside_the_figure():
    baselines = {f"a baseline with a long name, number {n}": n / 10 for n in range(3)}
    figure = scores.bars_figure({"net": {"top1": SCORE, "top3": OTHER}}, baselines)
    assert figure.legends[0].get_window_extent().width < figure.bbox.width
