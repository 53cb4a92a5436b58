"""Networks on IRMAS: for all instruments of an excerpt (notebook 04), and the slides' designs for the first (05).

Epochs and thresholds are chosen on clips, or mixtures of clips, of other recordings; test excerpts are scored once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import expit, softmax
from torch import nn
from tqdm import tqdm

from helpers import audio
from helpers.augmentation.mixing import MixAndUnite, Mixup
from helpers.augmentation.spectral import SpecAugment
from helpers.augmentation.waveform import Compose, Equalise, Noise, Resample, Sometimes
from helpers.config import InputError, MelConfig, TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip, ClipDataset, groups, multi_hot, split_by_group, subset
from helpers.datasets.mixtures import MixtureDataset
from helpers.evaluation import bootstrap, multilabel
from helpers.evaluation.results import Result
from helpers.experiments import common
from helpers.experiments.common import Trained, block_folds, split_by_fold
from helpers.models import build, multistft, panns
from helpers.models.checkpoint import Checkpoint, load_checkpoint
from helpers.prediction.clips import batches, infer, predict_windows

TASK = "irmas"
MODEL = "cnn_var_time"
MEL = MelConfig(sample_rate=16_000, n_fft=1024, hop_length=512, n_mels=64, f_min=50.0, f_max=8_000.0)
RATES = dict.fromkeys(panns.MODELS, panns.SAMPLE_RATE) | dict.fromkeys(multistft.MODELS, multistft.SAMPLE_RATE)  # Hz
ARGUMENTS = {"mel": asdict(MEL), "channels": [16, 32, 64, 128]}
RECIPE = TrainConfig(loss="bce", learning_rate=3e-3, batch_size=32, monitor="loss", patience=15, workers=1)
EPOCHS = {"smoke": 1, "quick": 6, "full": 30}
CLIPS = {"smoke": 33, "quick": 66, "full": 10**9}  # of training and of validation, at most
EXCERPTS = {"smoke": 12, "quick": 24, "full": 10**9}
AUGMENTATION = Compose((Sometimes(0.7, Resample(3.0)), Sometimes(0.7, Equalise(4.0))))  # tuning and tempo, room
FRACTIONS = (0.7, 0.3)  # of the training recordings that are trained on, and that choose epoch and thresholds
VOICES = 3  # instruments at once in training mixtures and validation mixtures, at most
MOST_MIXTURES = 1_000  # for validation
HOP_S = 1.5  # between windows of an excerpt
POOL = "mean"  # over the windows; fixed beforehand, because validation clips have only one window
SILENCE = 1e-5  # peak below which a recording holds no instrument
SLIDES = TrainConfig(epochs=30, batch_size=16, optimizer="adam", weight_decay=0.0, learning_rate=1e-3, patience=8,
                     schedule="constant", workers=1)  # fmt: skip  # the slides' batch size and optimiser
NOISE = Compose((Sometimes(0.5, Resample(2.0)), Sometimes(0.5, Noise())))  # as the slides have it
FREEZE_EPOCHS = 4  # 0 to 3: so long a backbone with weights from elsewhere stays as it is


@dataclass(frozen=True)
class Plan:
    """A network to train, and what is different from model 2.0 of the slides."""

    model: str
    arguments: dict[str, Any] = field(default_factory=dict)
    state: dict[str, torch.Tensor] | None = None  # weights of the encoder from elsewhere; it is frozen at first
    loss: str = "cross_entropy"
    noise: bool = True  # and another tuning
    mix: Mixup | MixAndUnite | None = None  # of batches and their labels


def recipe(epochs: int, seed: int, loss: str = RECIPE.loss) -> TrainConfig:
    """The training recipe; for very few epochs starting a process that reads takes longer than it saves."""
    return replace(RECIPE, epochs=epochs, seed=seed, loss=loss, workers=min(RECIPE.workers, epochs // 3))


def recordings(root: Path, most: int, seed: int) -> tuple[list[Clip], list[Clip]]:
    """Training and validation clips, of different recordings; of each class at most its share of `most` clips."""
    train, valid = split_by_group(irmas.clips(root, "train"), FRACTIONS, seed)
    return subset(train, most, seed), subset(valid, most, seed)


def dataset(clips: Sequence[Clip], labels: Sequence[int] | None = None, model: str = MODEL) -> ClipDataset:
    """Clips of three seconds as waveforms at the rate of a model and targets [11], or targets of some classes only."""
    data = ClipDataset(clips, len(irmas.CODES), RATES.get(model, MEL.sample_rate), irmas.SECONDS)
    if labels is not None:
        data.targets = data.targets[:, list(labels)]
    return data


def mixtures(data: ClipDataset) -> MixtureDataset:
    """The polyphonic mixtures that choose epoch and thresholds: two for each clip, a thousand at most."""
    return MixtureDataset(data, min(2 * len(data), MOST_MIXTURES), VOICES, seed=0)


def train(
    clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig, mix: bool = True, run_dir: Path | None = None,
    labels: Sequence[int] | None = None,
) -> Trained:  # fmt: skip
    """Train CNNVarTime for all classes or those of `labels`; polyphonic mixtures choose epoch and thresholds."""
    validation = mixtures(dataset(valid, labels))
    trained = common.train(
        MODEL, ARGUMENTS, dataset(clips, labels), validation, config, augment=AUGMENTATION,
        batch_augment=MixAndUnite(VOICES) if mix else None, spec_augment=SpecAugment(), run_dir=run_dir,
    )
    targets, scores = validation.targets, dataset_scores(trained.network, validation)
    thresholds = multilabel.choose_thresholds(targets, scores)
    reached = {name: metric(targets, scores, scores > thresholds) for name, metric in multilabel.METRICS.items()}
    return replace(trained, thresholds=tuple(thresholds.tolist()), validation=reached)


def dataset_scores(network: nn.Module, data: MixtureDataset) -> np.ndarray:
    """Probabilities [n, classes] of a data set of equally long waveforms."""
    parts = batches(range(len(data)), RECIPE.batch_size)
    return expit(np.concatenate(list(infer(network.eval(), parts, lambda part: np.stack([data[n][0] for n in part])))))


def cross_validate(clips: Sequence[Clip], config: TrainConfig, folds: int, mix: bool = True) -> dict[str, np.ndarray]:
    """Decisions on mixtures of clips whose recordings were left out of training; thresholds come from inside.

    Returns "targets", "scores", "decisions" [mixtures, 11], and "groups" [mixtures], the recording of the first clip.
    """
    fold_of, parts = block_folds(clips, folds), []
    for fold in range(folds):
        known, valid, outside = split_by_fold(clips, fold_of, fold)
        trained, held_out = train(known, valid, config, mix), mixtures(dataset(outside))
        scores = dataset_scores(trained.network, held_out)
        parts.append({"targets": held_out.targets, "scores": scores, "decisions": scores > np.array(trained.thresholds),
                      "groups": np.resize(groups(outside), len(held_out))})  # fmt: skip
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def intervals(targets: np.ndarray, scores: np.ndarray, decisions: np.ndarray, groups: np.ndarray, seed=0) -> dict:
    """Every metric of arrays [n, classes], with its interval over groups [n]."""
    return {name: bootstrap(metric, groups, targets, scores, decisions, seed=seed)
            for name, metric in multilabel.METRICS.items()}  # fmt: skip


def excerpt_scores(checkpoint: Checkpoint, network: nn.Module, path: Path, pool: str = POOL) -> np.ndarray:
    """Scores [classes] of a file of any length, in constant memory: zeros for silence, softmax without thresholds."""
    if not any(np.abs(block).max(initial=0) > SILENCE for block in audio.stream(path, checkpoint.sample_rate)):
        return np.zeros(len(checkpoint.classes))
    probability = expit if checkpoint.thresholds else softmax
    logits = predict_windows(network, path, checkpoint.sample_rate, checkpoint.seconds, HOP_S)
    return multilabel.pool_windows((probability(row) for row in logits), pool)


def score_excerpts(checkpoint: Checkpoint, clips: Sequence[Clip], pool: str = POOL) -> np.ndarray:
    """Scores [clips, 11] of test excerpts; what a checkpoint for fewer classes does not know scores 0."""
    network, wide = checkpoint.network(), np.zeros((len(clips), len(irmas.CODES)))
    columns = [irmas.CODES.index(code) for code in checkpoint.classes]
    for row, clip in enumerate(tqdm(clips, desc="excerpts", unit="file", disable=None)):
        wide[row, columns] = excerpt_scores(checkpoint, network, clip.path, pool)
    return wide


def scores_of(clips: Sequence[Clip], scores: np.ndarray, thresholds: Sequence[float], seed: int = 0) -> dict:
    """Every metric of test excerpts with its interval over tracks."""
    return intervals(multi_hot(clips, scores.shape[1]), scores, scores > np.asarray(thresholds), groups(clips), seed)


def baselines(targets: np.ndarray) -> dict[str, dict[str, float]]:
    """Constant answers: those usual for IRMAS, and the best there is on these very excerpts [n, 11]."""
    answers = {"always voi": [10], "always voi pia gel": [10, 6, 4]}  # indices of codes
    answers["best constant, chosen on the test labels"] = multilabel.best_constant(targets)[0]
    return {name: multilabel.constant_scores(targets, labels) for name, labels in answers.items()}


def checkpoint_of(
    trained: Trained, root: Path, command: str, codes: Sequence[str] = irmas.CODES, **more: Any
) -> Checkpoint:
    """The self-describing checkpoint."""
    label = irmas.CORPUS.label(root, "train", len(irmas.clips(root, "train")))
    more.setdefault("scores", {"validation mixtures": trained.validation} if trained.validation else {})
    return common.checkpoint(TASK, trained, codes, RATES.get(trained.model, MEL.sample_rate), irmas.SECONDS,
                             corpus="IRMAS", label=label, command=command, **more)  # fmt: skip


def evaluation(path: Path, root: Path, pool: str, command: str) -> Result:
    """`irmas evaluate`: scores of a checkpoint on all test excerpts below `root`."""
    checkpoint, clips = load_checkpoint(path, TASK), irmas.clips(root, "test")
    scores, thresholds = score_excerpts(checkpoint, clips, pool), np.ones(len(irmas.CODES))
    thresholds[[irmas.CODES.index(code) for code in checkpoint.classes]] = checkpoint.thresholds or 0.5
    return result(
        "IRMAS multi-label", root, clips, {"validation thresholds": scores_of(clips, scores, thresholds)},
        command=command, seed=checkpoint.seed,
        details={"pool": pool, "trained on": checkpoint.data, **class_table(clips, scores, thresholds)},
    )  # fmt: skip


def substitutions(targets: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Counts [C, C]: how often class j was wrongly predicted in an excerpt in which class i was missed."""
    missed, invented = (targets > 0.5) & ~decisions, decisions & (targets < 0.5)
    return missed.T.astype(int) @ invented.astype(int)


def class_table(clips: Sequence[Clip], scores: np.ndarray, thresholds: Sequence[float]) -> dict:
    """Precision, recall, F1 and support of each class by its code, and how F1 falls with polyphony."""
    targets, decisions = multi_hot(clips, len(irmas.CODES)), scores > np.asarray(thresholds)
    table = pd.DataFrame(multilabel.per_class(targets, decisions), index=irmas.CODES)
    sizes = targets.sum(axis=1).astype(int)
    by_size = {str(n): multilabel.micro_f1(targets[sizes == n], decisions[sizes == n]) for n in np.unique(sizes)}
    return {"classes": table.round(4).to_dict("index"), "micro_f1 by number of instruments": by_size}


def result(title: str, root: Path, clips: Sequence[Clip], scores: Mapping, **more: Any) -> Result:
    """The metrics file of an experiment on test excerpts."""
    label, targets = irmas.CORPUS.label(root, "test", len(clips)), multi_hot(clips, len(irmas.CODES))
    return common.result(title, "IRMAS", label, clips, scores, group_kind="track", baselines=baselines(targets),
                         classes=list(irmas.CODES), **more)  # fmt: skip


def plan_recipe(plan: Plan, epochs: int, seed: int, workers: int = SLIDES.workers) -> TrainConfig:
    """The recipe of all plans; with weights from elsewhere the backbone is frozen at first, nothing else differs."""
    frozen = min(FREEZE_EPOCHS, epochs // 2) if plan.state else 0
    return replace(SLIDES, epochs=epochs, seed=seed, workers=workers, loss=plan.loss, freeze_epochs=frozen)


def train_design(
    plan: Plan, clips: Sequence[Clip], valid: Sequence[Clip], config: TrainConfig, run_dir: Path | None = None
) -> Trained:
    """Train a network on the single labels of clips; the best epoch is that with most hits on `valid`."""
    sets = (dataset(part, model=plan.model) for part in (clips, valid))
    return common.train(
        plan.model, plan.arguments, *sets, config, encoder=plan.state, keep=(*common.CURVES, "seconds"),
        augment=NOISE if plan.noise else None, batch_augment=plan.mix, run_dir=run_dir,
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
    plan = from_panns(weights, model) if weights else Plan(model, ARGUMENTS if model == MODEL else {})
    config = plan_recipe(plan, epochs or SLIDES.epochs, seed)
    trained = train_design(plan, *recordings(root, 10**9, seed), config, run_dir)
    best = max(trained.histories[0]["valid_score"])
    return checkpoint_of(trained, root, command, scores={"validation hit@1": round(best, 4)})
