"""The models of the slides on IRMAS: 1.0 with nine spectrograms, 2.0 with three, 2.3 with three and transfer.

They learn the one label of each training clip with a softmax; the prediction for an excerpt is correct if it is among
its labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from helpers.augmentation.batch import Mixup
from helpers.augmentation.mixing import MixAndUnite
from helpers.augmentation.waveform import Compose, Noise, Resample, Sometimes
from helpers.config import TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip, ClipDataset
from helpers.evaluation.results import versions
from helpers.experiments.irmas import TASK, data_of, recordings
from helpers.models import build, multistft, panns
from helpers.models.base import AudioClassifier
from helpers.models.checkpoint import Checkpoint
from helpers.training.fit import fit
from helpers.training.module import History

RECIPE = TrainConfig(  # batch size and optimiser of the slides
    epochs=30, batch_size=16, optimizer="adam", weight_decay=0.0, learning_rate=1e-3, schedule="constant", patience=8,
    workers=1,
)  # fmt: skip
FREEZE_EPOCHS = 3  # a backbone with weights from elsewhere is frozen for so long
THAWED_RATE = 0.1  # learning rate of the backbone afterwards, relative to the head's


@dataclass(frozen=True)
class Methods:
    """What the slides tried beside the architecture, each on or off."""

    normalise: bool = True  # every spectrogram to mean 0 and deviation 1
    noise: bool = True  # random noise and tuning
    mixing: bool = False  # convex mixes of clips and labels
    additive: bool = False  # sums of clips with all their labels, each of them a right answer


def batch_augmentation(methods: Methods) -> Mixup | MixAndUnite | None:
    """How clips of a batch are combined, if at all."""
    if methods.additive:
        return MixAndUnite(voices=2)
    return Mixup() if methods.mixing else None


def sample_rate_of(model: str) -> int:
    """Rate in Hz that a model listens at."""
    return panns.SAMPLE_RATE if model in panns.MODELS else multistft.SAMPLE_RATE


def fit_predominant(
    network: AudioClassifier, sample_rate: int, clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig,
    methods: Methods, run_dir: Path | None = None,
) -> History:
    """Train a network on the single labels of clips; the best epoch is that with most hits on `valid`."""
    sets = (ClipDataset(part, len(irmas.CODES), sample_rate, irmas.SECONDS) for part in (clips, valid))
    noise = Compose((Sometimes(0.5, Resample(2.0)), Sometimes(0.5, Noise())))
    return fit(network, *sets, config, augment=noise if methods.noise else None,
               batch_augment=batch_augmentation(methods), run_dir=run_dir)


def transferred(config: TrainConfig) -> TrainConfig:
    """The recipe for a backbone with weights from elsewhere: frozen at first, then at a lower learning rate."""
    return replace(config, freeze_epochs=FREEZE_EPOCHS, encoder_lr_scale=THAWED_RATE)


def load_weights(network: AudioClassifier, model: str, path: Path) -> None:
    """Start a network of `multistft` or `panns` from a published PANNs file.

    Raises:
        InputError: the file cannot be used, or is of another network.
    """
    state = panns.read_panns(path)
    if model in panns.MODELS:
        panns.load_backbone(network, state)
    else:
        network.encoder.load_panns(state)


def train(
    root: Path, model: str, weights: Path | None, epochs: int, seed: int, run_dir: Path, command: str
) -> Checkpoint:
    """Train one of the models on all training recordings but a fifth, which chooses the epoch."""
    torch.manual_seed(seed)
    network = build(model, len(irmas.CODES))
    config = replace(RECIPE, seed=seed, epochs=epochs or RECIPE.epochs)
    if weights:
        load_weights(network, model, weights)
        config = transferred(config)
    clips, valid = recordings(root, 10**9, seed)
    rate = sample_rate_of(model)
    history = fit_predominant(network, rate, clips, valid, config, Methods(), run_dir)
    scores = {"validation hit@1": round(history.epochs[history.best].valid_score, 4)}
    return checkpoint_of(network, model, {}, clips, root, seed, command, scores)


def checkpoint_of(
    network: AudioClassifier, model: str, arguments: dict, clips: Sequence[Clip], root: Path, seed: int, command: str,
    scores: dict,
) -> Checkpoint:
    """The self-describing checkpoint; without thresholds, because it names one instrument."""
    return Checkpoint(
        task=TASK, model=model, arguments=arguments, classes=list(irmas.CODES), sample_rate=sample_rate_of(model),
        seconds=irmas.SECONDS, state=network.state_dict(), seed=seed, data=data_of(root, clips), scores=scores,
        command=command, versions=versions(),
    )  # fmt: skip
