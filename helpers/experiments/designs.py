"""Models 1.0, 2.0 and 2.3 of the slides on the predominant instrument, and what their methods change (notebook 05).

The networks learn the one label of each training clip with a softmax; the prediction for an excerpt is correct if it is
among its labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.augmentation.mixing import MixAndUnite, Mixup
from helpers.augmentation.waveform import Compose, Noise, Resample, Sometimes
from helpers.config import TrainConfig
from helpers.datasets import irmas, nsynth
from helpers.datasets.base import Clip, ClipDataset, multi_hot
from helpers.datasets.mixtures import PhraseDataset
from helpers.evaluation.multilabel import per_class
from helpers.experiments import irmas as study
from helpers.experiments.common import Trained, block_folds, curves, labels_of, split_by_fold
from helpers.models import build, multistft, panns
from helpers.models.checkpoint import Checkpoint
from helpers.prediction.clips import predict_clips
from helpers.training.fit import fit

Plan = tuple[str, dict[str, Any], dict[str, Any]]  # model, its arguments, options of `train_design`
RECIPE = TrainConfig(  # batch size and optimiser of the slides
    epochs=30, batch_size=16, optimizer="adam", weight_decay=0.0, learning_rate=1e-3, schedule="constant", patience=8,
    workers=1,
)  # fmt: skip
FREEZE_EPOCHS = 4  # 0 to 3: so long a backbone with weights from elsewhere stays as it is
DESIGNS = {"1.0: nine spectrograms": "nine_branch", "2.0: three spectrograms": "three_band"}
METHODS: dict[str, Plan] = {  # what the slides tried beside the architecture, each switched on or off alone
    "without normalisation": ("three_band", {"normalise": False}, {}),
    "without noise": ("three_band", {}, {"noise": False}),
    "with data mixing": ("three_band", {}, {"mix": Mixup()}),
    "with additive samples": ("three_band", {}, {"mix": MixAndUnite(voices=2)}),
}
TRANSFORMS: dict[str, Plan] = {name: ("one_branch", {"transform": name}, {}) for name in multistft.TRANSFORMS}


@dataclass(frozen=True)
class Scale:
    """How large the comparison is: on a processor the published width takes hours, so budgets below full are narrow."""

    epochs: int
    clips: int  # of training and of validation, at most
    channels: tuple[int, ...]  # of every extractor
    phrases: int  # of NSynth notes, which stand in for PANNs weights where there are none
    excerpts: int  # test excerpts, at most
    folds: int  # of the cross-validation on real clips
    workers: int  # processes that read; starting one takes longer than a small run


SCALES = {
    "smoke": Scale(1, 24, (2, 4, 4, 8), 16, 6, 3, 0),
    "quick": Scale(2, 66, (4, 8, 16, 32), 44, 16, 3, 0),
    "full": Scale(25, 10**9, multistft.CHANNELS, 3_000, 10**9, 4, 1),
}


def augmentation() -> Compose:
    """Random noise and another tuning, as the slides have it."""
    return Compose((Sometimes(0.5, Resample(2.0)), Sometimes(0.5, Noise())))


def recipe(scale: Scale, seed: int, moved: bool = False) -> TrainConfig:
    """The recipe of all designs; with weights from elsewhere the backbone is frozen at first, nothing else differs."""
    config = replace(RECIPE, epochs=scale.epochs, seed=seed, workers=scale.workers)
    return replace(config, freeze_epochs=min(FREEZE_EPOCHS, config.epochs // 2)) if moved else config


def sample_rate_of(model: str) -> int:
    """Rate in Hz that a model works at."""
    return panns.SAMPLE_RATE if model in panns.MODELS else multistft.SAMPLE_RATE


def dataset(clips: Sequence[Clip], model: str = "three_band") -> ClipDataset:
    """Clips of three seconds as waveforms and one-hot targets [11]."""
    return ClipDataset(clips, len(irmas.CODES), sample_rate_of(model), irmas.SECONDS)


def train_design(
    model: str, arguments: dict[str, Any], clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig,
    noise: bool = True, mix: Mixup | MixAndUnite | None = None, state: dict | None = None, run_dir: Path | None = None,
) -> Trained:  # fmt: skip
    """Train a network on the single labels of clips; the best epoch is that with most hits on `valid`.

    `mix` mixes batches and their labels; `state` holds weights for the encoder from elsewhere.
    """
    network = build(model, len(irmas.CODES), seed=config.seed, **arguments)
    if state:
        network.encoder.load_state_dict(state)
    history = fit(network, dataset(clips, model), dataset(valid, model), config,
                  augment=augmentation() if noise else None, batch_augment=mix, run_dir=run_dir)  # fmt: skip
    return Trained(network, model, arguments, [curves(history)], config, list(clips))


def encoder_weights(scale: Scale, seed: int, panns_file: Path | None, notes_root: Path) -> dict[str, torch.Tensor]:
    """Weights for the branches of model 2.3: of a published PANNs file, or learned from phrases of NSynth notes."""
    if panns_file:
        network = build("three_band", len(irmas.CODES), seed=seed)
        network.encoder.load_panns(panns.read_panns(panns_file))
        return network.encoder.state_dict()
    source = build("three_band", len(nsynth.FAMILIES), seed=seed, channels=list(scale.channels))
    sets = (PhraseDataset(nsynth.clips(notes_root, split), len(nsynth.FAMILIES), multistft.SAMPLE_RATE, irmas.SECONDS,
                          n, seed)
            for split, n in (("train", scale.phrases), ("valid", scale.phrases // 4)))  # fmt: skip
    fit(source, *sets, recipe(scale, seed))
    return source.encoder.state_dict()


def designs(state: dict, source: str) -> dict[str, Plan]:
    """Plans of 1.0, 2.0 and 2.3, the last with weights from elsewhere, which say how wide it is."""
    widths = [len(weight) for name, weight in state.items() if name.startswith("branches.0.") and weight.ndim == 4]
    plans = {name: (model, {}, {}) for name, model in DESIGNS.items()}
    return plans | {f"2.3: three, from {source}": ("three_band", {"channels": widths}, {"state": state})}


def compare(
    plans: Mapping[str, Plan], clips: Sequence[Clip], valid: Sequence[Clip], scale: Scale, seed: int
) -> dict[str, Trained]:
    """Every plan trained on the same clips with the same recipe, best epoch on the same validation clips."""
    return {
        name: train_design(model, {"channels": list(scale.channels)} | arguments, clips, valid,
                           recipe(scale, seed, moved="state" in options), **options)
        for name, (model, arguments, options) in plans.items()
    }  # fmt: skip


def hits_by_folds(plans: Mapping[str, Plan], clips: Sequence[Clip], scale: Scale, seed: int) -> dict[str, np.ndarray]:
    """For every plan and clip whether networks that were not trained on its block name it, as floats [clips]."""
    fold_of, labels = block_folds(clips, scale.folds), labels_of(clips)
    found = {name: np.zeros(len(clips)) for name in plans}
    for fold in range(scale.folds):
        known, valid, outside = split_by_fold(clips, fold_of, fold)
        for name, trained in compare(plans, known, valid, scale, seed).items():
            logits = predict_clips(trained.network, outside, sample_rate_of(trained.model), irmas.SECONDS)
            found[name][fold_of == fold] = logits.argmax(axis=1) == labels[fold_of == fold]
    return found


def compare_detectors(
    root: Path, clips: Sequence[Clip], valid: Sequence[Clip], test: Sequence[Clip], config: TrainConfig
) -> dict[str, tuple[float, float]]:
    """F1 of every instrument on test excerpts: of one network for all eleven, and of a detector for it alone."""
    targets = multi_hot(test, len(irmas.CODES))

    def f1(labels: Sequence[int]) -> list[float]:
        trained = study.train(clips, valid, config, labels=labels)
        checkpoint = study.checkpoint_of(trained, root, "", [irmas.CODES[label] for label in labels])
        scores = study.score_excerpts(checkpoint, test)[:, labels]
        return per_class(targets[:, labels], scores > np.array(trained.thresholds))["f1"].tolist()

    together = f1(range(len(irmas.CODES)))
    return {code: (together[label], *f1([label])) for label, code in enumerate(irmas.CODES)}


def train_network(
    root: Path, model: str, weights: Path | None, epochs: int, seed: int, run_dir: Path, command: str
) -> Checkpoint:
    """`predominant train --model`: train on all recordings but those that choose the epoch, from PANNs if given."""
    clips, valid = study.recordings(root, 10**9, seed)
    scale, state = replace(SCALES["full"], epochs=epochs or RECIPE.epochs), None
    if weights and model in panns.MODELS:
        network = build(model, len(irmas.CODES), seed=seed)
        panns.load_backbone(network, panns.read_panns(weights))
        state = network.encoder.state_dict()
    elif weights:
        state = encoder_weights(scale, seed, weights, root)
    config = recipe(scale, seed, moved=state is not None)
    trained = train_design(model, {}, clips, valid, config, state=state, run_dir=run_dir)
    best = max(trained.histories[0]["valid_score"])
    return replace(study.checkpoint_of(trained, root, command, scores={"validation hit@1": round(best, 4)}),
                   sample_rate=sample_rate_of(model))  # fmt: skip
