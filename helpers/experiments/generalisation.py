"""How far a recogniser of families carries: instruments left out of training, and timbres changed on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import from_numpy, inference_mode, nn

from helpers.augmentation.waveform import Augmentation, Chorus, Compose, Distort, Equalise, Reverberate
from helpers.config import TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, groups
from helpers.evaluation.results import Result, Score
from helpers.evaluation.single import majority_baseline
from helpers.experiments import nsynth as study

# Stronger than anything in training: what amplifiers, effects and other recordings do to an instrument.
CHANGES: dict[str, Augmentation] = {
    "as recorded": Compose(()),
    "distorted": Distort((2.0, 10.0)),
    "equalised": Equalise(12.0),
    "chorus": Chorus(),
    "room": Reverberate(),
    "all of them": Compose((Distort((2.0, 10.0)), Equalise(12.0), Chorus(), Reverberate())),
}
BATCH = 64  # notes


def robustness(network: nn.Module, clips: Sequence[Clip], seed: int = 0) -> dict[str, float]:
    """Top-1 accuracy on notes under each of `CHANGES`; a stand-in for kinds of sound that training does not have."""
    data, labels = study.dataset(clips), study.labels_of(clips)
    rows = {}
    for name, change in CHANGES.items():
        rng, hits = np.random.default_rng(seed), 0
        for start in range(0, len(data), BATCH):
            chosen = range(start, min(start + BATCH, len(data)))
            waveforms = np.stack([change(data.waveform(i), rng).astype(np.float32) for i in chosen])
            with inference_mode():
                hits += int((network(from_numpy(waveforms)).argmax(dim=1).numpy() == labels[chosen]).sum())
        rows[name] = hits / len(data)
    return rows


def cross_validate(
    train_clips: Sequence[Clip], valid_clips: Sequence[Clip], config: TrainConfig, folds: int, compression: str
) -> np.ndarray:
    """Logits [train clips, 11] for every training note from a network that never heard its instrument.

    The instruments of each family are dealt out to the folds; the best epoch is chosen on the validation notes,
    whose instruments are others again.
    """
    fold_of = instrument_folds(train_clips, folds, config.seed)
    logits = np.zeros((len(train_clips), len(nsynth.FAMILIES)), np.float32)
    for fold in range(folds):
        others = [clip for clip, f in zip(train_clips, fold_of, strict=True) if f != fold]
        held_out = [clip for clip, f in zip(train_clips, fold_of, strict=True) if f == fold]
        trained = study.train(others, valid_clips, replace(config, patience=config.epochs), compression)
        logits[fold_of == fold] = study.logits_of(trained.network, held_out)
    return logits


def instrument_folds(clips: Sequence[Clip], folds: int, seed: int) -> np.ndarray:
    """Fold [clips] of each note: instruments of a family are shuffled and dealt out in turn."""
    generator = np.random.default_rng(seed)
    fold_of: dict[str, int] = {}
    for label in sorted({clip.labels[0] for clip in clips}):
        instruments = sorted({clip.group for clip in clips if clip.labels[0] == label})
        for number, instrument in enumerate(generator.permutation(instruments)):
            fold_of[str(instrument)] = number % folds
    return np.array([fold_of[clip.group] for clip in clips])


def result(
    logits: np.ndarray, clips: Sequence[Clip], data: str, config: TrainConfig, compression: str, command: str
) -> Result:
    """The metrics file of a cross-validation."""
    labels = study.labels_of(clips)
    system = f"{study.MODEL}, {compression} mel, instruments left out"
    return Result(
        title="Instrument family by a CNN: training instruments left out in turn",
        corpus="NSynth, training notes",
        data=data,
        n=len(clips),
        groups=len(set(groups(clips))),
        group_kind="instrument",
        fingerprint=study.data_fingerprint(clips),
        seed=config.seed,
        budget=f"{config.epochs} epochs",
        command=command,
        scores={system: {name: Score(**score) for name, score in study.scores_of(logits, clips).items()}},
        baselines={"majority class": majority_baseline(labels, labels)},
        classes=list(nsynth.FAMILIES),
        details={"hardest": study.hardest(logits, clips, most=8)},
    )
