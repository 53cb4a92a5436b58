"""From the segments of a source to one label for each instrument in every window of 30 ms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.datasets.films_sources import WINDOW_S, Source


def window_count(seconds: float) -> int:
    """Whole windows in a film of a length."""
    return int(seconds / WINDOW_S + 1e-6)


def labels(source: Source, instruments: Sequence[str], first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the windows first … first + count - 1.

    A window belongs to a segment if its middle does. Inside of segments the instruments that none of them names are
    absent. Outside nothing is known, unless the source is annotated exhaustively: then nothing is heard.

    Returns:
        presence float32 [count, instruments]: 1 heard, 0 not heard, NaN unknown; and certainty float32 [count]: the
        lowest of the segments that a window belongs to, 1 for background, NaN where nothing is known.
    """
    background = 0.0 if source.exhaustive else np.nan
    presence = np.full((count, len(instruments)), background, np.float32)
    certainty = np.full(count, 1.0 if source.exhaustive else np.nan, np.float32)
    spans = [(segment, *_span(segment.start + source.offset, segment.end + source.offset, first, count))
             for segment in source.segments]
    for _, begin, end in spans:
        presence[begin:end] = 0.0
    for segment, begin, end in spans:
        presence[begin:end, [instruments.index(name) for name in segment.instruments]] = 1.0
        certainty[begin:end] = np.fmin(certainty[begin:end], segment.certainty)
    return presence, certainty


def _span(start: float, end: float, first: int, count: int) -> tuple[int, int]:
    """Windows whose middle lies in [start, end), relative to `first` and cut to the `count` that are asked for."""
    begin, stop = (int(np.ceil(np.round(time / WINDOW_S - 0.5, 6))) - first for time in (start, end))
    return min(max(begin, 0), count), min(max(stop, 0), count)
