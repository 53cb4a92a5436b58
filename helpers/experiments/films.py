"""Recognise instruments in films every 30 ms: transfer from NSynth against scratch, single windows, statistics.

Shown in notebook 04.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from helpers import audio
from helpers.augmentation.mixing import AddSolos
from helpers.augmentation.spectral import SpecAugment
from helpers.augmentation.waveform import Compose, Equalise, Noise, Reverberate, Sometimes
from helpers.config import BUDGETS, CACHE, InputError, MelConfig, TrainConfig
from helpers.datasets import chmusic, film_builder
from helpers.datasets import films as corpus
from helpers.datasets.base import Clip
from helpers.datasets.films import SAMPLE_RATE, WINDOW_S, BuiltFilm, FilmDataset, Films
from helpers.evaluation import frames, score_text
from helpers.evaluation.results import Result
from helpers.experiments import common
from helpers.experiments.common import Trained, curves, data_root
from helpers.experiments.film_tags import TASK, constants, decide, film_counts, predict_film, scores
from helpers.experiments.nsynth import MEL
from helpers.features.mel import mfcc
from helpers.files import fingerprint
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.models.classic import SingleWindow
from helpers.models.frames import GRID, HOP, FrameEnsemble, MiddleSeconds, arguments_of, initialise
from helpers.training.fit import fit

MODEL, STATISTICS, BOTH = "film_crnn", "film_statistics", "film_ensemble"
EPOCHS = {"smoke": 1, "quick": 3, "full": 16}
CRNN_SHARE, THRESHOLD = 0.3, 0.4  # of both together; by left-out solos (`left_out`) and validation films
CONTEXT_S = 3.84  # s around a window that a network is given
RECIPE = {"loss": "bce", "balanced": False, "learning_rate": 2e-3, "batch_size": 8}  # the same for both starts
ROOMS = Compose((Sometimes(0.7, Equalise(5.0)), Sometimes(0.3, Reverberate((0.1, 0.5))), Sometimes(0.3, Noise())))
STARTS = ("from NSynth", "from scratch")
WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
MFCC = MelConfig(SAMPLE_RATE, n_fft=WINDOW, hop_length=WINDOW, n_mels=40, f_min=0.0)
BLOCK = 1_000  # windows whose coefficients are computed at once


@dataclass(frozen=True)
class Runs:
    """All networks of one start, one for each seed, and their counts on the test films."""

    trained: list[Trained]
    counts: np.ndarray  # [seeds, films, levels, 3, classes]


def load(root: str, budget: str) -> Films:
    """The built films below a data root: as they are, or built into the cache from `films/sources.json`."""
    folder = data_root("films", root, budget) / "films"
    if (folder / film_builder.MANIFEST).is_file():
        return corpus.load(folder)
    out = CACHE / "films" / fingerprint([folder.resolve()])
    film_builder.build(folder / "sources.json", folder, out)
    return corpus.load(out)


def chmusic_solos(root: str, budget: str, built: Films) -> list[Clip]:
    """Solos of ChMusic to mix into the films, if the corpus is there and is of the same kind, real or generated."""
    try:
        place = data_root("chmusic", root, budget)
        same = (chmusic.CORPUS.label(place, "pieces", len(chmusic.pieces(place))) == "demo") == (built.data == "demo")
        return chmusic.solos(place, built.instruments) if same else []
    except InputError:
        return []


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
    context = windows_of(context_s)
    training = FilmDataset(films.split("train"), context, context // 4)
    validation = FilmDataset(films.split("valid"), context, context)
    arguments = arguments_of(notes) if notes else {"mel": asdict(replace(MEL, hop_length=HOP))}
    model = build(MODEL, len(films.instruments), seed=config.seed, **arguments)
    if notes:
        initialise(model, notes)
    alone = [*solos, *corpus.solos(films.split("train"))]
    history = fit(
        model, training, validation, config, augment=ROOMS, spec_augment=SpecAugment(),
        batch_augment=AddSolos(alone, SAMPLE_RATE, augment=ROOMS) if alone else None, run_dir=run_dir,
    )
    trained = Trained(model, MODEL, arguments, [curves(history)], config, alone)
    return replace(trained, thresholds=thresholds(model, films.split("valid"), context * WINDOW_S))


def combine(crnn: Trained, statistics: MiddleSeconds) -> Trained:
    """Both as one network, which averages their log-odds, with one threshold for all instruments.

    So few recordings of each cannot tell a threshold for each.
    """
    members, shares = [{"name": MODEL, **crnn.arguments}, {"name": STATISTICS}], [CRNN_SHARE, 1 - CRNN_SHARE]
    network = FrameEnsemble([crnn.network, statistics], shares).eval()
    arguments, high = {"members": members, "weights": shares}, (THRESHOLD,) * len(crnn.thresholds)
    return replace(crnn, network=network, model=BOTH, arguments=arguments, thresholds=high)


def checkpoint_of(trained: Trained, films: Films, context_s: float, **more) -> Checkpoint:
    """The checkpoint of a training; `more` are `scores`, `command` and what else is to be known of the data."""
    return common.checkpoint(
        TASK, trained, films.instruments, SAMPLE_RATE, windows_of(context_s) * WINDOW_S, corpus="films",
        label=films.data, **({"scores": {}, "command": "", "films": films.fingerprint} | more),
    )  # fmt: skip


def thresholds(network: nn.Module, valid: Sequence[BuiltFilm], context_s: float) -> tuple[float, ...]:
    """One threshold a class, chosen on validation films."""
    probabilities = [predict_film(network, film.path, context_s) for film in valid]
    return tuple(frames.thresholds([film.targets for film in valid], probabilities, decide, WINDOW_S).tolist())


def evaluate(network: nn.Module, test: Sequence[BuiltFilm], context_s: float, high: Sequence[float]) -> np.ndarray:
    """Counts [films, levels, 3, classes] on films that nothing was chosen on, with thresholds `high`."""
    return np.stack([film_counts(film.targets, decide(predict_film(network, film.path, context_s), high))
                     for film in test])  # fmt: skip


def report(checkpoint: Checkpoint, films: Films) -> dict[str, dict]:
    """Scores on the test films with intervals and constant baselines, as plain values; prints the main ones."""
    test = films.split("test")
    counts = evaluate(checkpoint.network(), test, checkpoint.seconds, checkpoint.thresholds)
    found, baselines = scores(counts, test, films.instruments, checkpoint.seed), constants(test)
    for key in ("window_micro_f1", "segment_micro_f1"):
        print(f"{films.data} test films ({len(test)}): {key} {score_text(found[key].model_dump())}, "
              f"best constant {baselines['best constant'][key]:.3f}")
    return {"test": {key: score.model_dump() for key, score in found.items()}, "baselines": baselines}


def compare(
    films: Films, notes: Checkpoint, budget: str, seed: int, command: str, solos: Sequence[Clip] = ()
) -> tuple[Result, dict[str, Runs]]:
    """Train from both starts with every seed of the budget, all else equal, and score the test films once."""
    test, config, runs = films.split("test"), recipe(EPOCHS[budget], seed), {}
    for start in STARTS:
        every = [train(films, replace(config, seed=seed + number), notes if start == STARTS[0] else None, solos=solos)
                 for number in range(BUDGETS[budget].seeds)]
        runs[start] = Runs(every, np.stack([evaluate(one.network, test, CONTEXT_S, one.thresholds) for one in every]))
    f1 = {start: [scores(counts, test, films.instruments, 0)["segment_micro_f1"].value for counts in one.counts]
          for start, one in runs.items()}
    found = common.result(
        "Films: gong, erhu, dizi, pipa; transfer from NSynth against scratch", "films", films.data,
        [Clip(film.path, (), film.id) for film in test],
        {start: scores(one.counts.sum(axis=0), test, films.instruments, seed) for start, one in runs.items()},
        group_kind="film", baselines=constants(test), command=command, seed=seed, budget=budget,
        classes=list(films.instruments), details={"segment_micro_f1 of every seed": f1, "recipe": asdict(config)},
    )  # fmt: skip
    windows = sum(len(film.labels) for film in test)
    return found.model_copy(update={"n": windows, "fingerprint": films.fingerprint}), runs


def single_windows(films: Films) -> np.ndarray:
    """Counts [films, levels, 3, classes] on the test films of linear decisions on the 30 ms of single windows.

    Fitted on the training films, thresholds chosen on those of the split valid, as for the networks.
    """
    fitted, valid, test = (films.split(side) for side in ("train", "valid", "test"))
    targets = np.concatenate([film.targets for film in fitted])
    model = SingleWindow().fit(np.concatenate([_window_mfcc(film) for film in fitted]), targets)
    probabilities = [model.probability(_window_mfcc(film)) for film in valid]
    chosen = frames.thresholds([film.targets for film in valid], probabilities, np.greater_equal, WINDOW_S)
    return np.stack([film_counts(film.targets, model.probability(_window_mfcc(film)) >= chosen) for film in test])


def _window_mfcc(film: BuiltFilm) -> np.ndarray:
    """MFCCs [windows, 20] of every window of a film, each from the 30 ms of that window."""
    rows, count = [], len(film.labels)
    for first in range(0, count, BLOCK):
        waveform = audio.read(film.path, SAMPLE_RATE, (first + 0.5) * WINDOW_S, BLOCK * WINDOW_S)
        coefficients = mfcc(audio.fit_length(waveform, BLOCK * WINDOW), MFCC)  # centred: window middles
        rows.append(coefficients[: min(BLOCK, count - first)])
    return np.concatenate(rows)
