"""Multi-label recognition on IRMAS: train on clips of one instrument, decide on excerpts with several.

Models, thresholds and epochs are chosen on mixtures of training clips of other recordings; test excerpts are scored
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit, softmax
from torch import nn
from tqdm import tqdm

from helpers.augmentation.batch import SpecAugment
from helpers.augmentation.mixing import MixAndUnite
from helpers.augmentation.waveform import Compose, Equalise, Resample, Sometimes
from helpers.config import MelConfig, TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip, ClipDataset, clips_fingerprint, groups, multi_hot, split_by_group
from helpers.datasets.mixtures import MixtureDataset
from helpers.evaluation import multilabel
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import versions
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.prediction.recordings import predict_windows
from helpers.training.fit import fit
from helpers.training.module import History

TASK = "irmas"
MODEL = "cnn_var_time"
MEL = MelConfig(sample_rate=16_000, n_fft=1024, hop_length=512, n_mels=64, f_min=50.0, f_max=8_000.0)
ARGUMENTS = {"mel": asdict(MEL), "channels": [16, 32, 64, 128]}
RECIPE = TrainConfig(loss="bce", learning_rate=3e-3, batch_size=32, monitor="loss", patience=15, workers=1)
FRACTIONS = (0.7, 0.3)  # of the training recordings that are trained on, and that choose epoch and thresholds
VOICES = 3  # instruments at once in training mixtures and validation mixtures, at most
MOST_MIXTURES = 1_000  # for validation
HOP_S = 1.5  # between windows of an excerpt
POOL = "mean"  # over the windows; fixed beforehand, because validation clips have only one window


@dataclass(frozen=True)
class Trained:
    """A network after training, its thresholds, and what it was trained on."""

    network: nn.Module
    thresholds: list[float]
    history: History
    config: TrainConfig
    train: list[Clip]
    validation: dict[str, float]


def augmentation() -> Compose:
    """Another tuning and tempo, another room."""
    return Compose((Sometimes(0.7, Resample(3.0)), Sometimes(0.7, Equalise(4.0))))


def recordings(root: Path, most: int, seed: int) -> tuple[list[Clip], list[Clip]]:
    """Training and validation clips, of different recordings; of each class at most its share of `most` clips."""
    train, valid = split_by_group(irmas.clips(root, "train"), FRACTIONS, seed)
    return thinned(train, most), thinned(valid, most)


def thinned(clips: Sequence[Clip], most: int) -> list[Clip]:
    """At most so many clips, evenly spaced in their order, which keeps the shares of the classes."""
    if len(clips) <= most:
        return list(clips)
    return [clips[index] for index in np.linspace(0, len(clips) - 1, most).round().astype(int)]


def train(
    clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig, mix: bool = True, run_dir: Path | None = None
) -> Trained:
    """Train CNNVarTime, with polyphonic mixing or without; both are validated on the same polyphonic mixtures."""
    torch.manual_seed(config.seed)
    network = build(MODEL, len(irmas.CODES), **ARGUMENTS)
    dataset = ClipDataset(clips, len(irmas.CODES), MEL.sample_rate, irmas.SECONDS)
    validation = ClipDataset(valid, len(irmas.CODES), MEL.sample_rate, irmas.SECONDS)
    mixtures = validation_mixtures(validation)
    history = fit(
        network, dataset, mixtures, config, augment=augmentation(),
        batch_augment=MixAndUnite(VOICES) if mix else None, spec_augment=SpecAugment(), run_dir=run_dir,
    )  # fmt: skip
    scores = dataset_scores(network, mixtures, config.batch_size)
    thresholds = multilabel.choose_thresholds(mixtures.targets, scores)
    decisions = scores > thresholds
    reached = {name: metric(mixtures.targets, scores, decisions) for name, metric in multilabel.METRICS.items()}
    return Trained(network, thresholds.tolist(), history, config, list(clips), reached)


def validation_mixtures(validation: ClipDataset) -> MixtureDataset:
    """The polyphonic mixtures that choose epoch and thresholds: two for each clip, a thousand at most."""
    return MixtureDataset(validation, min(2 * len(validation), MOST_MIXTURES), VOICES, seed=0)


def excerpt_scores(checkpoint: Checkpoint, network: nn.Module, path: Path, pool: str = POOL) -> np.ndarray:
    """Scores [classes] of a file of any length, in constant memory.

    Sigmoid of a multi-label network (one with thresholds), softmax of one for the predominant instrument.
    """
    probability = expit if checkpoint.thresholds else softmax
    logits = predict_windows(network, path, checkpoint.sample_rate, checkpoint.seconds, HOP_S)
    return multilabel.pool_windows((probability(row) for row in logits), pool)


def score_excerpts(checkpoint: Checkpoint, clips: Sequence[Clip], pool: str = POOL) -> np.ndarray:
    """Scores [clips, classes] of test excerpts."""
    network = checkpoint.network()
    rows = [excerpt_scores(checkpoint, network, clip.path, pool)
            for clip in tqdm(clips, desc="excerpts", unit="file", disable=None)]
    return np.stack(rows)


def scores_of(clips: Sequence[Clip], scores: np.ndarray, thresholds: Sequence[float], seed: int = 0) -> dict:
    """Every metric with its interval over tracks."""
    targets = multi_hot(clips, scores.shape[1])
    decisions = scores > np.asarray(thresholds)
    return {name: bootstrap(metric, groups(clips), targets, scores, decisions, seed=seed)
            for name, metric in multilabel.METRICS.items()}


def baselines(clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Constant answers: those published for IRMAS, and the best there is on these very excerpts."""
    targets = multi_hot(clips, len(irmas.CODES))
    answers = {codes: [irmas.CODES.index(code) for code in codes.split()] for codes in ("voi", "voi pia gel")}
    answers["best constant, chosen on the test labels"] = list(multilabel.best_constant(targets))
    return {f"always {name}" if name in ("voi", "voi pia gel") else name: multilabel.constant_scores(targets, labels)
            for name, labels in answers.items()}


def checkpoint_of(trained: Trained, root: Path, command: str) -> Checkpoint:
    """The self-describing checkpoint."""
    return Checkpoint(
        task=TASK, model=MODEL, arguments=ARGUMENTS, classes=list(irmas.CODES), sample_rate=MEL.sample_rate,
        seconds=irmas.SECONDS, state=trained.network.state_dict(), thresholds=trained.thresholds,
        seed=trained.config.seed, data=data_of(root, trained.train), command=command, versions=versions(),
        scores={"validation mixtures": trained.validation},
    )  # fmt: skip


def data_of(root: Path, clips: Sequence[Clip]) -> dict:
    """What a checkpoint says of the clips it was trained on."""
    label = irmas.label_of(root, "train", irmas.clips(root, "train"))
    return {"corpus": "IRMAS", "label": label, "n": len(clips), "fingerprint": clips_fingerprint(clips)}


def recipe(epochs: int, seed: int, loss: str = RECIPE.loss) -> TrainConfig:
    """The training recipe; for very few epochs starting a process that reads takes longer than it saves."""
    return replace(RECIPE, epochs=epochs, seed=seed, loss=loss, workers=min(RECIPE.workers, epochs // 3))


def dataset_scores(network: nn.Module, data: MixtureDataset, batch_size: int) -> np.ndarray:
    """Probabilities [n, classes] of a data set of equally long waveforms."""
    rows = []
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            batch = [data[index][0] for index in range(start, min(start + batch_size, len(data)))]
            rows.append(torch.sigmoid(network(torch.from_numpy(np.stack(batch)))).numpy())
    return np.concatenate(rows)
