"""Learn to hear instruments in films, starting from NSynth or from nothing, and say how well that works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from helpers.augmentation.batch import SpecAugment
from helpers.augmentation.mixing import AddSolos
from helpers.augmentation.waveform import Compose, Equalise, Noise, Reverberate, Sometimes
from helpers.config import InputError, TrainConfig
from helpers.datasets.base import Clip
from helpers.datasets.film_sources import SAMPLE_RATE, WINDOW_S
from helpers.datasets.films import FilmDataset, Films
from helpers.datasets.films import solos as film_solos
from helpers.evaluation import frames
from helpers.evaluation import results as metrics
from helpers.experiments.film_scores import constants, film_counts, scores
from helpers.experiments.film_tags import TASK, decide, hear
from helpers.experiments.nsynth import MEL, curves
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.models.frames import GRID, arguments_of, initialise
from helpers.training.fit import fit

MODEL = "film_crnn"
EPOCHS = 16  # at most; a budget may allow fewer
CONTEXT_S = 3.84  # s around a window that a network is given
RECIPE = {"loss": "bce", "balanced": False, "learning_rate": 2e-3, "batch_size": 8}
TRANSFER = {"freeze_epochs": 1, "encoder_lr_scale": 0.5, "layer_lr_decay": 0.8}  # for a trunk that can already hear
ROOMS = Compose((Sometimes(0.7, Equalise(5.0)), Sometimes(0.3, Reverberate((0.1, 0.5))), Sometimes(0.3, Noise())))


def recipe(transfer: bool, epochs: int, seed: int) -> TrainConfig:
    """How to train, from NSynth weights or from random ones; everything else is the same."""
    return TrainConfig(epochs=epochs, seed=seed, **RECIPE, **(TRANSFER if transfer else {}))


def windows_of(context_s: float) -> int:
    """A context in windows, rounded to what the network's grid allows.

    Raises:
        InputError: it is too short to hear anything in.
    """
    count = round(context_s / WINDOW_S / GRID) * GRID
    if count <= 0:
        raise InputError(f"--context {context_s:g}: is too short; take a second or more")
    return count


def train(films: Films, config: TrainConfig, notes: Checkpoint | None = None, context_s: float = CONTEXT_S,
          solos: Sequence[Clip] = (), run_dir: Path | None = None) -> Checkpoint:
    """Train on the films of the split train; thresholds and the best epoch are chosen on those of valid.

    `notes` is an NSynth checkpoint to start from; None: random weights. `solos` are clips of single instruments that
    are mixed into the training films, beside the passages of these films in which one instrument plays alone.
    """
    context = windows_of(context_s)
    training = FilmDataset(films.split("train"), context, context // 4)
    validation = FilmDataset(films.split("valid"), context, context)
    arguments = arguments_of(notes) if notes else {"mel": asdict(MEL)}
    model = build(MODEL, len(films.instruments), **arguments)
    if notes:
        initialise(model, notes)
    alone = [*solos, *film_solos(films.split("train"))]
    history = fit(
        model, training, validation, config, augment=ROOMS, spec_augment=SpecAugment(),
        batch_augment=AddSolos(alone, SAMPLE_RATE) if alone else None, run_dir=run_dir,
    )
    checkpoint = Checkpoint(
        TASK, MODEL, arguments, films.instruments, SAMPLE_RATE, context * WINDOW_S, model.state_dict(),
        seed=config.seed, versions=metrics.versions(), history=[curves(history)],
        data={"corpus": "films", "data": films.data, "n": len(training), "fingerprint": films.fingerprint},
    )  # fmt: skip
    heard = [hear(model, film.path, checkpoint) for film in films.split("valid")]
    truths = [film.targets for film in films.split("valid")]
    checkpoint.thresholds = frames.thresholds(truths, heard, decide, WINDOW_S).tolist()
    return checkpoint


def evaluate(checkpoint: Checkpoint, films: Films) -> np.ndarray:
    """Counts [films, levels, 3, classes] on the films of the split test, which nothing was chosen on."""
    network = checkpoint.network()
    return np.stack([
        film_counts(film.targets, decide(hear(network, film.path, checkpoint), checkpoint.thresholds))
        for film in films.split("test")
    ])


def report(checkpoint: Checkpoint, films: Films) -> dict[str, dict]:
    """Scores on the test films with intervals and constant baselines, as plain values; prints the main ones."""
    test = films.split("test")
    found = scores(evaluate(checkpoint, films), test, films.instruments, checkpoint.seed)
    baselines = constants(test, films.instruments)
    for level in ("window", "segment"):
        key = f"{level}_micro_f1"
        print(f"{films.data} test films ({len(test)}): {key} {found[key].value:.3f} "
              f"[{found[key].low:.3f}, {found[key].high:.3f}], best constant {baselines['best constant'][key]:.3f}")
    return {"test": {key: score.model_dump() for key, score in found.items()}, "baselines": baselines}
