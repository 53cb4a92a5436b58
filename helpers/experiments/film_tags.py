"""Tag a film: what a trained network hears when, as a sources file, as an Audacity label track and as a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers import audio
from helpers.config import InputError, MelConfig
from helpers.datasets import film_annotations as label_files
from helpers.datasets.film_sources import SAMPLE_RATE, WINDOW_S
from helpers.datasets.films import BuiltFilm
from helpers.evaluation import frames
from helpers.features.mel import overview
from helpers.files import write_json
from helpers.models.checkpoint import Checkpoint
from helpers.plotting.style import save_figure
from helpers.plotting.timeline import timeline
from helpers.prediction.recordings import predict_frames

TASK = "films"
MEDIAN = 11  # windows: a third of a second
LOW = 0.6  # of the threshold: below that an instrument has ended

Heard = dict[str, list[tuple[float, float]]]


def decide(probability: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Smoothed probabilities [windows, classes] to decisions: median filter, then hysteresis."""
    return frames.hysteresis(probability, np.asarray(thresholds), LOW * np.asarray(thresholds))


def hear(network, path: Path, checkpoint: Checkpoint, track: int = 0) -> np.ndarray:
    """Smoothed probabilities [windows, classes] of a whole audio or video file.

    Raises:
        InputError: the file cannot be read, or is shorter than a window.
    """
    context = round(checkpoint.seconds / WINDOW_S)
    probability = predict_frames(network, audio.stream(path, SAMPLE_RATE, track=track), context)
    if not len(probability):
        raise InputError(f"{path}: holds less than {WINDOW_S:g} s of sound; name a longer file")
    return frames.smooth(probability, MEDIAN)


def stretches(probability: np.ndarray, checkpoint: Checkpoint) -> Heard:
    """What smoothed probabilities [windows, classes] come to: the stretches of each instrument."""
    said = decide(probability, checkpoint.thresholds)
    return {name: frames.events(said[:, c], WINDOW_S) for c, name in enumerate(checkpoint.classes)}


def tag(path: Path, checkpoint: Checkpoint, out: Path, track: int = 0) -> Heard:
    """Write `<name>.json`, `<name>.txt` and `<name>.png` into `out`; returns the stretches of each instrument.

    The JSON is a sources file with one film: what the network heard can be corrected, built and learned from. The
    certainty of a stretch is the mean probability in it.

    Raises:
        InputError: the file cannot be read.
    """
    probability = hear(checkpoint.network(), path, checkpoint, track)
    heard = stretches(probability, checkpoint)
    segments = [
        {"start": round(start, 3), "end": round(end, 3), "instruments": [name],
         "certainty": round(float(_during(probability[:, c], start, end).mean()), 3)}
        for c, name in enumerate(checkpoint.classes) for start, end in heard[name]
    ]
    segments.sort(key=lambda segment: segment["start"])
    name = Path(path).stem
    write_json(out / f"{name}.json", _sources(Path(path), checkpoint.classes, track, segments))
    labels = [(s["start"], s["end"], f"{s['instruments'][0]} @{s['certainty']:g}") for s in segments]
    label_files.write_audacity(out / f"{name}.txt", labels)
    save_figure(picture(path, {"model": heard}, Path(path).name, track), out / f"{name}.png")
    return heard


def labelled(film: BuiltFilm, instruments: list[str]) -> Heard:
    """The stretches that a film is labelled with."""
    return {name: frames.events(film.labels[:, c] == 1, WINDOW_S) for c, name in enumerate(instruments)}


def picture(path: Path, tracks: dict[str, Heard], title: str, track: int = 0):
    """Figure of tracks of stretches over the mel spectrogram of a whole file."""
    level, column_s = overview(audio.stream(path, SAMPLE_RATE, track=track), audio.length(path, track), MelConfig())
    return timeline(level, column_s, tracks, title)


def _during(values: np.ndarray, start: float, end: float) -> np.ndarray:
    return values[round(start / WINDOW_S) : round(end / WINDOW_S)]


def _sources(path: Path, instruments: list[str], track: int, segments: list[dict]) -> dict:
    source = {"id": "tagged", "file": path.name, "title": path.stem, "licence": "unknown", "split": "train",
              "track": track, "segments": segments}
    return {"version": 1, "instruments": instruments, "sources": [source]}
