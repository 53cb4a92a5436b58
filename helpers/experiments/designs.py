"""Models 1.0, 2.0 and 2.3 of the slides on the predominant instrument, trained on one label a clip. Notebook 05."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from helpers.augmentation.mixing import MixAndUnite, Mixup
from helpers.augmentation.waveform import Compose, Noise, Resample, Sometimes
from helpers.config import InputError, TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip
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


def recipe(plan: Plan, epochs: int, seed: int, workers: int = RECIPE.workers) -> TrainConfig:
    """The recipe of all plans; with weights from elsewhere the backbone is frozen at first, nothing else differs."""
    frozen = min(FREEZE_EPOCHS, epochs // 2) if plan.state else 0
    return replace(RECIPE, epochs=epochs, seed=seed, workers=workers, loss=plan.loss, freeze_epochs=frozen)


def train_design(
    plan: Plan, clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig, run_dir: Path | None = None
) -> Trained:
    """Train a network on the single labels of clips; the best epoch is that with most hits on `valid`."""
    sets = (study.dataset(part, model=plan.model) for part in (clips, valid))
    return common.train(
        plan.model, plan.arguments, *sets, config, encoder=plan.state, keep=(*common.CURVES, "seconds"),
        augment=AUGMENTATION if plan.noise else None, batch_augment=plan.mix, run_dir=run_dir,
    )  # fmt: skip


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
    config = recipe(plan, epochs or RECIPE.epochs, seed)
    trained = train_design(plan, *study.recordings(root, 10**9, seed), config, run_dir)
    best = max(trained.histories[0]["valid_score"])
    return study.checkpoint_of(trained, root, command, scores={"validation hit@1": round(best, 4)})
