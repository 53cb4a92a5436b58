"""Recognise instruments in films every 30 ms: training on built films, decisions, scores, tags to correct; notebook 04.

Axis letters: N windows of 30 ms, C classes (instruments).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from helpers import audio
from helpers.augmentation.mixing import AddSolos
from helpers.augmentation.spectral import SpecAugment
from helpers.augmentation.waveform import Compose, Equalise, Noise, Reverberate, Sometimes
from helpers.config import InputError, MelConfig, TrainConfig
from helpers.datasets import film_sources
from helpers.datasets import films as corpus
from helpers.datasets.base import Clip
from helpers.datasets.films import SAMPLE_RATE, WINDOW_S, BuiltFilm, FilmDataset, Films
from helpers.evaluation import bootstrap, multilabel
from helpers.evaluation.results import Score
from helpers.experiments.common import Trained, curves
from helpers.experiments.nsynth import MEL
from helpers.features.mel import mfcc
from helpers.files import write_json
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.models.frames import GRID, HOP, FrameEnsemble, MiddleSeconds, arguments_of, initialise
from helpers.plotting import save_figure
from helpers.plotting.spectrograms import timeline
from helpers.prediction.clips import overview, predict_frames
from helpers.training.fit import fit

TASK = "films"
MODEL, STATISTICS, BOTH = "film_crnn", "film_statistics", "film_ensemble"
EPOCHS = {"smoke": 1, "quick": 3, "full": 16}
CRNN_SHARE, THRESHOLD = 0.3, 0.4  # of both together; by left-out solos (`left_out`) and validation films
CONTEXT_S = 3.84  # s around a window that a network is given
RECIPE = {"loss": "bce", "balanced": False, "learning_rate": 2e-3, "batch_size": 8}  # the same for both starts
ROOMS = Compose((Sometimes(0.7, Equalise(5.0)), Sometimes(0.3, Reverberate((0.1, 0.5))), Sometimes(0.3, Noise())))
LEVELS = ("window", "segment", "event")
MEDIAN = 11  # windows: a third of a second
LOW = 0.6  # of the threshold: below that an instrument has ended
WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
MFCC = MelConfig(SAMPLE_RATE, n_fft=WINDOW, hop_length=WINDOW, n_mels=40, f_min=0.0)
BLOCK = 1_000  # windows whose coefficients are computed at once

Stretches = dict[str, list[tuple[float, float]]]  # instrument -> (start s, end s)


def recipe(epochs: int, seed: int) -> TrainConfig:
    """How to train: the same from NSynth weights and from random ones."""
    return TrainConfig(epochs=epochs, seed=seed, **RECIPE)


def windows_of(context_s: float) -> int:
    """A context in windows, rounded to what the network's grid allows; an InputError if none is left."""
    count = round(context_s / WINDOW_S / GRID) * GRID
    if count <= 0:
        raise InputError(f"--context {context_s:g}: is too short; take a second or more")
    return count


def train(films: Films, config: TrainConfig, notes: Checkpoint | None = None, context_s: float = CONTEXT_S,
          solos: Sequence[Clip] = (), run_dir: Path | None = None) -> Trained:  # fmt: skip
    """Train a CRNN on the films of the split train; the best epoch and thresholds are chosen on those of valid.

    `notes` is an NSynth checkpoint whose convolutions are taken over; None: random weights. `solos` are clips of
    single instruments that are mixed into the training films, beside the solo passages of these films.
    """
    context, fitted, valid = windows_of(context_s), films.split("train"), films.split("valid")
    arguments = arguments_of(notes) if notes else {"mel": asdict(replace(MEL, hop_length=HOP))}
    model = build(MODEL, len(films.instruments), seed=config.seed, **arguments)
    if notes:
        initialise(model, notes)
    alone = [*solos, *corpus.solos(fitted)]
    history = fit(
        model, FilmDataset(fitted, context, context // 4), FilmDataset(valid, context, context), config,
        augment=ROOMS, spec_augment=SpecAugment(), run_dir=run_dir,
        batch_augment=AddSolos(alone, SAMPLE_RATE, augment=ROOMS) if alone else None,
    )  # fmt: skip
    probabilities = [predict_film(model, film.path, context * WINDOW_S) for film in valid]
    chosen = multilabel.thresholds_in_time([film.targets for film in valid], probabilities, decide, WINDOW_S)
    return Trained(model, MODEL, arguments, [curves(history)], config, alone, tuple(chosen.tolist()))


def combine(crnn: Trained, statistics: MiddleSeconds) -> Trained:
    """Both as one network, which averages their log-odds, with one threshold for all instruments.

    So few recordings of each cannot tell a threshold for each.
    """
    members, shares = [{"name": MODEL, **crnn.arguments}, {"name": STATISTICS}], [CRNN_SHARE, 1 - CRNN_SHARE]
    network = FrameEnsemble([crnn.network, statistics], shares).eval()
    arguments, high = {"members": members, "weights": shares}, (THRESHOLD,) * len(crnn.thresholds)
    return replace(crnn, network=network, model=BOTH, arguments=arguments, thresholds=high)


def predict_film(network: nn.Module, path: Path, context_s: float, track: int = 0) -> np.ndarray:
    """Smoothed probabilities [N, C] of a whole audio or video file, from `context_s` seconds at a time.

    An InputError if the file cannot be read, or is shorter than a window.
    """
    blocks = audio.stream(path, SAMPLE_RATE, track=track)
    probability = predict_frames(network, blocks, round(context_s / WINDOW_S))
    if not len(probability):
        raise InputError(f"{path}: holds less than {WINDOW_S:g} s of sound; name a longer file")
    return multilabel.smooth(probability, MEDIAN)


def decide(probability: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Smoothed probabilities to decisions, bool [N, C], by hysteresis."""
    return multilabel.hysteresis(probability, np.asarray(thresholds), LOW * np.asarray(thresholds))


def stretches(active: np.ndarray, instruments: Sequence[str]) -> Stretches:
    """Decisions or labels, bool [N, C], as the stretches of each instrument."""
    return {name: multilabel.events(active[:, c], WINDOW_S) for c, name in enumerate(instruments)}


def film_counts(truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """Hits, false alarms and misses of one film: [levels, 3, C]."""
    seconds = multilabel.segments(truth, WINDOW_S), multilabel.segments(decided, WINDOW_S) == 1
    return np.stack([multilabel.window_counts(truth, decided), multilabel.window_counts(*seconds),
                     multilabel.event_counts(truth, decided, WINDOW_S)])  # fmt: skip


def evaluate(network: nn.Module, test: Sequence[BuiltFilm], context_s: float, high: Sequence[float]) -> np.ndarray:
    """Counts [films, levels, 3, C] on films that nothing was chosen on, with thresholds `high`."""
    return np.stack([film_counts(film.targets, decide(predict_film(network, film.path, context_s), high))
                     for film in test])  # fmt: skip


def scores(counts: np.ndarray, films: Sequence[BuiltFilm], instruments: Sequence[str], seed: int) -> dict[str, Score]:
    """Micro and macro F1, precision and recall on every level, and F1 of each instrument, with intervals over films.

    `counts` is [films, levels, 3, C]. What is not defined, such as the F1 of an instrument that neither plays nor is
    predicted, is left out.
    """
    found, ids = {}, np.array([film.id for film in films])
    rates = {key: (key, 0) for key in ("micro_f1", "macro_f1", "micro_precision", "micro_recall")}
    rates |= {f"f1_{instrument}": ("f1", c) for c, instrument in enumerate(instruments)}
    for level, name in enumerate(LEVELS):
        for key, (rate, c) in rates.items():
            measure = partial(_rate, level=level, key=rate, c=c)
            if np.isfinite(measure(counts)):
                found[f"{name}_{key}"] = Score(**bootstrap(measure, ids, counts, seed=seed))
    return found


def _rate(counts: np.ndarray, level: int, key: str, c: int = 0) -> float:
    """A rate of counts [films, levels, 3, C] summed over films, of a class if there is one for each."""
    return float(np.atleast_1d(multilabel.rates(multilabel.Counts(*counts[:, level].sum(axis=0)))[key])[c])


def constants(films: Sequence[BuiltFilm]) -> dict[str, dict[str, float]]:
    """Constant answers: the best constant set of instruments, and all of them, all the time."""
    answers: dict[str, dict[str, float]] = {"best constant": {}, "all instruments": {}}
    windows = [film.targets for film in films]
    for level, parts in {"window": windows, "segment": [multilabel.segments(one, WINDOW_S) for one in windows]}.items():
        truth = np.concatenate(parts)
        answers["best constant"][f"{level}_micro_f1"] = multilabel.best_constant(truth)[1]
        everything = multilabel.rates(multilabel.window_counts(truth, np.ones(truth.shape, bool)))
        answers["all instruments"] |= {f"{level}_{key}": everything[key] for key in ("micro_f1", "macro_f1")}
    return answers


def window_mfcc(film: BuiltFilm) -> np.ndarray:
    """MFCCs [N, 20] of every window of a film, each from the 30 ms of that window."""
    rows, count = [], len(film.labels)
    for first in range(0, count, BLOCK):
        waveform = audio.read(film.path, SAMPLE_RATE, (first + 0.5) * WINDOW_S, BLOCK * WINDOW_S)
        coefficients = mfcc(audio.fit_length(waveform, BLOCK * WINDOW), MFCC)  # centred: window middles
        rows.append(coefficients[: min(BLOCK, count - first)])
    return np.concatenate(rows)


def tag(path: Path, checkpoint: Checkpoint, out: Path, track: int = 0) -> Stretches:
    """Write `<name>.json`, `<name>.txt` and `<name>.png` into `out`; returns the stretches of each instrument.

    The JSON is a sources file with one film: it can be corrected, built and learned from. The certainty of a stretch
    is the mean probability in it. An InputError if the file cannot be read.
    """
    probability = predict_film(checkpoint.network(), path, checkpoint.seconds, track)
    found, segments = stretches(decide(probability, checkpoint.thresholds), checkpoint.classes), []
    for c, (name, spans) in enumerate(found.items()):
        for start, end in spans:
            certainty = probability[round(start / WINDOW_S) : round(end / WINDOW_S), c].mean()
            segments.append({"start": round(start, 3), "end": round(end, 3), "instruments": [name],
                             "certainty": round(float(certainty), 3)})  # fmt: skip
    segments.sort(key=lambda segment: segment["start"])
    source = {"id": "tagged", "file": path.name, "title": path.stem, "licence": "unknown", "split": "train",
              "track": track, "segments": segments}  # fmt: skip
    write_json(out / f"{path.stem}.json", {"version": 1, "instruments": list(found), "sources": [source]})
    labels = [(s["start"], s["end"], f"{s['instruments'][0]} @{s['certainty']:g}") for s in segments]
    film_sources.write_audacity(out / f"{path.stem}.txt", labels)
    save_figure(picture(path, {"model": found}, path.name, track), out / f"{path.stem}.png")
    return found


def picture(path: Path, tracks: dict[str, Stretches], title: str, track: int = 0):
    """Figure of tracks of stretches over the mel spectrogram of a whole file."""
    level, column_s = overview(audio.stream(path, SAMPLE_RATE, track=track), audio.length(path, track), MelConfig())
    return timeline(level, column_s, tracks, title)
