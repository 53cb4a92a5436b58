"""Models 1.0, 2.0 and 2.3 of the slides on the predominant instrument, trained on one label a clip. Notebook 05."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from helpers.augmentation.mixing import MixAndUnite, Mixup
from helpers.augmentation.waveform import Compose, Noise, Resample, Sometimes
from helpers.config import InputError, TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip, ClipDataset
from helpers.experiments import common
from helpers.experiments import irmas as study
from helpers.experiments.common import Trained
from helpers.models import build, multistft, panns
from helpers.models.checkpoint import Checkpoint


@dataclass(frozen=True)
class Plan:
    """A network to train, and what is different from model 2.0 of the slides."""

    model: str
    arguments: dict[str, Any] = field(default_factory=dict)
    state: dict[str, torch.Tensor] | None = None  # weights of the encoder from elsewhere; it is frozen at first
    loss: str = "cross_entropy"
    noise: bool = True  # and another tuning
    mix: Mixup | MixAndUnite | None = None  # of batches and their labels


RECIPE = TrainConfig(  # batch size and optimiser of the slides
    epochs=30, batch_size=16, optimizer="adam", weight_decay=0.0, learning_rate=1e-3, schedule="constant", patience=8,
    workers=1,
)  # fmt: skip
AUGMENTATION = Compose((Sometimes(0.5, Resample(2.0)), Sometimes(0.5, Noise())))  # as the slides have it
FREEZE_EPOCHS = 4  # 0 to 3: so long a backbone with weights from elsewhere stays as it is
DESIGNS = {"1.0: nine spectrograms": Plan("nine_branch"), "2.0: three spectrograms": Plan("three_band")}
GOALS = {f"{name[:3]}, eleven sigmoids": replace(plan, loss="bce") for name, plan in DESIGNS.items()}


@dataclass(frozen=True)
class Scale:
    """How large the comparison is. The published width takes minutes an epoch on a processor, so only *full* has it."""

    epochs: int
    clips: int  # of training, at most, and half as many of validation
    real: int  # real clips to cross-validate on, at most
    channels: tuple[int, ...]  # of every extractor of the designs
    narrow: tuple[int, ...]  # of the other methods and transforms
    phrases: int  # of NSynth notes, which stand in for PANNs weights where there are none
    excerpts: int  # test excerpts, at most
    folds: int  # of the cross-validation on real clips
    workers: int  # processes that read; starting one takes longer than a small run


SCALES = {
    "smoke": Scale(1, 22, 33, (2, 4, 4, 8), (2, 4, 4, 8), 16, 6, 3, 0),
    "quick": Scale(2, 44, 66, (4, 8, 16, 32), (4, 8, 16, 32), 44, 12, 3, 0),
    "full": Scale(8, 66, 10**9, multistft.CHANNELS, (16, 32, 64, 128), 240, 10**9, 4, 1),
}


def recipe(scale: Scale, plan: Plan, seed: int) -> TrainConfig:
    """The recipe of all plans; with weights from elsewhere the backbone is frozen at first, nothing else differs."""
    frozen = min(FREEZE_EPOCHS, scale.epochs // 2) if plan.state else 0
    return replace(RECIPE, epochs=scale.epochs, seed=seed, workers=scale.workers, loss=plan.loss, freeze_epochs=frozen)


def sample_rate_of(model: str) -> int:
    """Rate in Hz that a model works at."""
    known = dict.fromkeys(panns.MODELS, panns.SAMPLE_RATE) | {study.MODEL: study.MEL.sample_rate}
    return known.get(model, multistft.SAMPLE_RATE)


def dataset(clips: Sequence[Clip], model: str = "three_band") -> ClipDataset:
    """Clips of three seconds as waveforms and one-hot targets [11]."""
    return ClipDataset(clips, len(irmas.CODES), sample_rate_of(model), irmas.SECONDS)


def train_design(
    plan: Plan, clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig, run_dir: Path | None = None
) -> Trained:
    """Train a network on the single labels of clips; the best epoch is that with most hits on `valid`."""
    return common.train(
        plan.model, plan.arguments, dataset(clips, plan.model), dataset(valid, plan.model), config, encoder=plan.state,
        keep=(*common.CURVES, "seconds"), augment=AUGMENTATION if plan.noise else None, batch_augment=plan.mix,
        run_dir=run_dir,
    )  # fmt: skip


def compare(
    plans: Mapping[str, Plan], clips: Sequence[Clip], valid: Sequence[Clip], scale: Scale, seed: int
) -> dict[str, Trained]:
    """Every plan trained on the same clips with the same recipe, best epoch on the same validation clips."""
    return {name: train_design(wide(plan, scale.channels), clips, valid, recipe(scale, plan, seed))
            for name, plan in plans.items()}  # fmt: skip


def wide(plan: Plan, channels: Sequence[int]) -> Plan:
    """The plan with extractors so wide, unless it says how wide they are."""
    return replace(plan, arguments={"channels": list(channels)} | plan.arguments)


def from_panns(path: Path, model: str = "three_band") -> Plan:
    """A network of full size that starts from a published PANNs file: model 2.3, or PANNs' own; else an InputError."""
    if model not in panns.MODELS | multistft.MODELS:
        raise InputError(f"model {model!r}: cannot start from PANNs weights; leave them out, or choose three_band")
    network, weights = build(model, len(irmas.CODES)), panns.read_panns(path)
    if model in panns.MODELS:
        panns.load_backbone(network, weights)
        return Plan(model, state=network.encoder.state_dict())
    network.encoder.load_panns(weights)
    return Plan(model, {"channels": list(multistft.CHANNELS)}, network.encoder.state_dict())


def train_network(
    root: Path, model: str, weights: Path | None, epochs: int | None, seed: int, run_dir: Path, command: str
) -> Checkpoint:
    """`predominant train --model`: train on all recordings but those that choose the epoch, from PANNs if given."""
    plan = from_panns(weights, model) if weights else Plan(model, study.ARGUMENTS if model == study.MODEL else {})
    config = recipe(replace(SCALES["full"], epochs=epochs or RECIPE.epochs), plan, seed)
    trained = train_design(plan, *study.recordings(root, 10**9, seed), config, run_dir)
    best = max(trained.histories[0]["valid_score"])
    return replace(study.checkpoint_of(trained, root, command, scores={"validation hit@1": round(best, 4)}),
                   sample_rate=sample_rate_of(model))  # fmt: skip
