"""What a trained network says of a film: decisions for every 30 ms, their scores, tags to correct, a picture.

Shown in notebook 04. Axis letters: N windows of 30 ms, C classes (instruments).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from helpers import audio
from helpers.config import InputError, MelConfig
from helpers.datasets import film_sources
from helpers.datasets.films import SAMPLE_RATE, WINDOW_S, BuiltFilm
from helpers.evaluation import bootstrap, frames
from helpers.evaluation.results import Score
from helpers.files import write_json
from helpers.models.checkpoint import Checkpoint
from helpers.plotting.spectrograms import timeline
from helpers.plotting.style import save_figure
from helpers.prediction.clips import predict_frames
from helpers.prediction.saliency import overview

TASK = "films"
LEVELS = ("window", "segment", "event")
MEDIAN = 11  # windows: a third of a second
LOW = 0.6  # of the threshold: below that an instrument has ended

Stretches = dict[str, list[tuple[float, float]]]  # instrument -> (start s, end s)


def predict_film(network: nn.Module, path: Path, context_s: float, track: int = 0) -> np.ndarray:
    """Smoothed probabilities [N, C] of a whole audio or video file, from `context_s` seconds at a time.

    Raises:
        InputError: the file cannot be read, or is shorter than a window.
    """
    blocks = audio.stream(path, SAMPLE_RATE, track=track)
    probability = predict_frames(network, blocks, round(context_s / WINDOW_S))
    if not len(probability):
        raise InputError(f"{path}: holds less than {WINDOW_S:g} s of sound; name a longer file")
    return frames.smooth(probability, MEDIAN)


def decide(probability: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Smoothed probabilities to decisions, bool [N, C], by hysteresis."""
    return frames.hysteresis(probability, np.asarray(thresholds), LOW * np.asarray(thresholds))


def stretches(probability: np.ndarray, thresholds: Sequence[float], instruments: Sequence[str]) -> Stretches:
    """What smoothed probabilities come to: the stretches of each instrument."""
    decided = decide(probability, thresholds)
    return {name: frames.events(decided[:, c], WINDOW_S) for c, name in enumerate(instruments)}


def labelled(film: BuiltFilm, instruments: Sequence[str]) -> Stretches:
    """The stretches that a film is labelled with."""
    return {name: frames.events(film.labels[:, c] == 1, WINDOW_S) for c, name in enumerate(instruments)}


def film_counts(truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """Hits, false alarms and misses of one film: [levels, 3, C]."""
    seconds = frames.segments(truth, WINDOW_S), frames.segments(decided, WINDOW_S) == 1
    return np.stack([
        np.stack(frames.window_counts(truth, decided)),
        np.stack(frames.window_counts(*seconds)),
        np.stack(frames.event_counts(truth, decided, WINDOW_S)),
    ])


def scores(counts: np.ndarray, films: Sequence[BuiltFilm], instruments: Sequence[str], seed: int) -> dict[str, Score]:
    """Micro and macro F1, precision and recall on every level, and F1 of each instrument, with intervals over films.

    `counts` is [films, levels, 3, C]. What is not defined, such as the F1 of an instrument that neither plays nor is
    predicted, is left out.
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


def constants(films: Sequence[BuiltFilm]) -> dict[str, dict[str, float]]:
    """Constant answers: the best constant set of instruments, and all of them, all the time."""
    truths = {"window": [film.targets for film in films]}
    truths["segment"] = [frames.segments(truth, WINDOW_S) for truth in truths["window"]]
    answers: dict[str, dict[str, float]] = {"best constant": {}, "all instruments": {}}
    for level, parts in truths.items():
        truth = np.concatenate(parts)
        answers["best constant"][f"{level}_micro_f1"] = frames.best_constant(truth)[1]
        everything = frames.rates(frames.window_counts(truth, np.ones(truth.shape, bool)))
        answers["all instruments"] |= {f"{level}_{key}": everything[key] for key in ("micro_f1", "macro_f1")}
    return answers


def tag(path: Path, checkpoint: Checkpoint, out: Path, track: int = 0) -> Stretches:
    """Write `<name>.json`, `<name>.txt` and `<name>.png` into `out`; returns the stretches of each instrument.

    The JSON is a sources file with one film: it can be corrected, built and learned from. The certainty of a stretch
    is the mean probability in it.

    Raises:
        InputError: the file cannot be read.
    """
    path, probability = Path(path), predict_film(checkpoint.network(), path, checkpoint.seconds, track)
    found = stretches(probability, checkpoint.thresholds, checkpoint.classes)
    segments = [
        {"start": round(start, 3), "end": round(end, 3), "instruments": [name],
         "certainty": round(float(probability[round(start / WINDOW_S) : round(end / WINDOW_S), c].mean()), 3)}
        for c, name in enumerate(checkpoint.classes) for start, end in found[name]
    ]  # fmt: skip
    segments.sort(key=lambda segment: segment["start"])
    source = {"id": "tagged", "file": path.name, "title": path.stem, "licence": "unknown", "split": "train",
              "track": track, "segments": segments}
    content = {"version": 1, "instruments": list(checkpoint.classes), "sources": [source]}
    write_json(out / f"{path.stem}.json", content)
    labels = [(s["start"], s["end"], f"{s['instruments'][0]} @{s['certainty']:g}") for s in segments]
    film_sources.write_audacity(out / f"{path.stem}.txt", labels)
    save_figure(picture(path, {"model": found}, path.name, track), out / f"{path.stem}.png")
    return found


def picture(path: Path, tracks: dict[str, Stretches], title: str, track: int = 0):
    """Figure of tracks of stretches over the mel spectrogram of a whole file."""
    level, column_s = overview(audio.stream(path, SAMPLE_RATE, track=track), audio.length(path, track), MelConfig())
    return timeline(level, column_s, tracks, title)


def _rate(level: int, key: str, c: int | None = None) -> Callable[[np.ndarray], float]:
    """A rate of counts [films, levels, 3, C] summed over films."""

    def measure(counts: np.ndarray) -> float:
        value = frames.rates(frames.Counts(*counts[:, level].sum(axis=0)))[key]
        return float(value if c is None else value[c])

    return measure
