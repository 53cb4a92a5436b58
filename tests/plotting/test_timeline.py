"""The timeline shows every stretch where it is, in the row of its instrument."""

from __future__ import annotations

import numpy as np

from helpers.plotting.spectrograms import timeline


def test_bars_stand_where_the_stretches_are() -> None:
    tracks = {"labels": {"gong": [(1.0, 2.5)], "erhu": []}, "model": {"gong": [(1.5, 2.0)], "erhu": [(0.0, 1.0)]}}
    figure = timeline(np.random.default_rng(0).normal(size=(16, 40)), 0.1, tracks, "a film")
    above, below = figure.axes
    assert above.get_title() == "a film"
    assert list(above.images[0].get_extent()) == [0, 4.0, 0, 16]
    assert [label.get_text() for label in below.get_yticklabels()] == ["gong", "erhu"]
    spans = [tuple(np.round([path.vertices[:, 0].min(), path.vertices[:, 0].max()], 6)) for bars in below.collections
             for path in bars.get_paths()]
    assert spans == [(1.0, 2.5), (1.5, 2.0), (0.0, 1.0)]
    rows = [path.vertices[:-1, 1].mean() for bars in below.collections for path in bars.get_paths()]
    assert rows[0] < rows[1] < 0.5 < rows[2] < 1.5
