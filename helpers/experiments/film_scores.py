"""Score what a network hears in films against their labels, film by film."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from helpers.datasets.film_sources import WINDOW_S
from helpers.datasets.films import BuiltFilm
from helpers.evaluation import frames
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import Score

LEVELS = ("window", "segment", "event")


def film_counts(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Hits, false alarms and misses of one film: [levels, 3, classes]."""
    seconds = frames.segments(truth, WINDOW_S), frames.segments(said, WINDOW_S) == 1
    return np.stack([
        np.stack(frames.window_counts(truth, said)),
        np.stack(frames.window_counts(*seconds)),
        np.stack(frames.event_counts(truth, said, WINDOW_S)),
    ])


def scores(counts: np.ndarray, films: Sequence[BuiltFilm], instruments: Sequence[str], seed: int) -> dict[str, Score]:
    """Micro and macro F1, precision and recall on every level, and F1 of each instrument, with intervals over films.

    `counts` is [films, levels, 3, classes]. What is not defined, such as the F1 of an instrument that is neither
    heard nor said, is left out.
    """
    found = {}
    for level, name in enumerate(LEVELS):
        measures: dict[str, Callable] = {f"{name}_{key}": _rate(level, key) for key in
                                         ("micro_f1", "macro_f1", "micro_precision", "micro_recall")}
        measures |= {f"{name}_f1_{instrument}": _rate(level, "f1", c) for c, instrument in enumerate(instruments)}
        for key, measure in measures.items():
            if np.isfinite(measure(counts)):
                found[key] = Score(**bootstrap(measure, np.array([film.id for film in films]), counts, seed=seed))
    return found


def constants(films: Sequence[BuiltFilm], instruments: Sequence[str]) -> dict[str, dict[str, float]]:
    """Answers that listen to nothing: the best constant set of instruments, and all of them, all the time."""
    truths = {"window": [film.targets for film in films]}
    truths["segment"] = [frames.segments(truth, WINDOW_S) for truth in truths["window"]]
    answers: dict[str, dict[str, float]] = {"best constant": {}, "all instruments": {}}
    for level, parts in truths.items():
        truth = np.concatenate(parts)
        answers["best constant"][f"{level}_micro_f1"] = frames.best_constant(truth)[1]
        everything = frames.rates(frames.window_counts(truth, np.ones(truth.shape, bool)))
        answers["all instruments"] |= {f"{level}_{key}": everything[key] for key in ("micro_f1", "macro_f1")}
    return answers


def _rate(level: int, key: str, c: int | None = None) -> Callable[[np.ndarray], float]:
    """A rate of counts [films, levels, 3, classes] summed over films."""

    def measure(counts: np.ndarray) -> float:
        value = frames.rates(frames.Counts(*counts[:, level].sum(axis=0)))[key]
        return float(value if c is None else value[c])

    return measure
