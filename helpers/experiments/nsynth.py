"""NSynth families by neural networks: train one, score it on the test notes once, compare log with linear mel.

The rules of the homework: no pretrained model, no extra data, test notes only to report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from helpers.augmentation.batch import Mixup, SpecAugment
from helpers.augmentation.waveform import note_augmentation
from helpers.config import InputError, MelConfig, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, ClipDataset, clips_fingerprint, groups
from helpers.datasets.download import is_archive
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import versions
from helpers.evaluation.single import accuracy_by, predictions, top_k_accuracy, top_k_hits
from helpers.files import fingerprint
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint
from helpers.models.notes import Ensemble
from helpers.prediction.clips import predict
from helpers.training.fit import fit
from helpers.training.module import History

MODEL = "compact_cnn"
MEL = MelConfig(n_fft=2048, hop_length=512, n_mels=160, f_min=30.0, f_max=8_000.0)
# Linear power is spread over decades and takes smaller steps: of 4e-3 and 1e-3 the latter had less validation loss.
LEARNING_RATES = {"log": 2e-3, "linear": 1e-3}
RECIPE = TrainConfig(
    epochs=24, batch_size=32, weight_decay=0.05, label_smoothing=0.1, balanced=True, monitor="loss", patience=12
)


@dataclass(frozen=True)
class Trained:
    """A network after training, with what it was trained on."""

    network: nn.Module
    model: str  # name and arguments build the network again
    arguments: dict
    histories: list[dict[str, list[float]]]  # of each network that is in it
    config: TrainConfig
    train: list[Clip]


def recipe(compression: str, epochs: int, seed: int, workers: int = RECIPE.workers) -> TrainConfig:
    """The training recipe for a compression; everything but the learning rate is the same."""
    return replace(RECIPE, learning_rate=LEARNING_RATES[compression], epochs=epochs, seed=seed, workers=workers)


def dataset(clips: Sequence[Clip]) -> ClipDataset:
    """Notes as waveforms of four seconds and one-hot families.

    Raises:
        InputError: they lie in an archive, which can only be read from front to back.
    """
    if is_archive(clips[0].path):
        raise InputError(f"{clips[0].path}: training reads notes in random order; unpack it with `tar -xzf` first")
    return ClipDataset(clips, len(nsynth.FAMILIES), nsynth.SAMPLE_RATE, nsynth.SECONDS)


def limited(clips: Sequence[Clip], most: int, seed: int = 0) -> list[Clip]:
    """At most so many clips, drawn at random; the same ones for a seed."""
    if len(clips) <= most:
        return list(clips)
    chosen = np.random.default_rng(seed).choice(len(clips), most, replace=False)
    return [clips[index] for index in sorted(chosen)]


def train(
    train_clips: Sequence[Clip],
    valid_clips: Sequence[Clip],
    config: TrainConfig,
    compression: str = "log",
    model: str = MODEL,
    run_dir: Path | None = None,
    mixup: bool = False,
) -> Trained:
    """Train a model of `models.notes` on notes, selected on validation notes of other instruments."""
    import torch

    torch.manual_seed(config.seed)
    arguments = {"mel": asdict(replace(MEL, compression=compression))}
    network = build(model, len(nsynth.FAMILIES), **arguments)
    history = fit(
        network, dataset(train_clips), dataset(valid_clips), config,
        augment=note_augmentation(), batch_augment=Mixup() if mixup else None, spec_augment=SpecAugment(),
        run_dir=run_dir,
    )  # fmt: skip
    return Trained(network, model, arguments, [curves(history)], config, list(train_clips))


def curves(history: History) -> dict[str, list[float]]:
    """Loss and score of every epoch, as plain lists."""
    return {name: history.curve(name) for name in ("train_loss", "train_score", "valid_loss", "valid_score")}


def train_seeds(
    train_clips: Sequence[Clip],
    valid_clips: Sequence[Clip],
    config: TrainConfig,
    members: int,
    compression: str = "log",
    model: str = MODEL,
    run_dir: Path | None = None,
    mixup: bool = False,
) -> list[Trained]:
    """The same model from several seeds, counted up from the recipe's."""
    return [
        train(train_clips, valid_clips, replace(config, seed=seed), compression, model,
              run_dir / f"seed{seed}" if run_dir else None, mixup)
        for seed in range(config.seed, config.seed + members)
    ]  # fmt: skip


def ensemble(trained: Sequence[Trained]) -> Trained:
    """One network that averages the probabilities of several of the same model."""
    first = trained[0]
    network = Ensemble([member.network for member in trained]).eval()
    arguments = {"member": first.model, "count": len(trained), **first.arguments}
    histories = [history for member in trained for history in member.histories]
    return replace(first, network=network, model="ensemble", arguments=arguments, histories=histories)


def logits_of(network: nn.Module, clips: Sequence[Clip]) -> np.ndarray:
    """Logits [clips, 11].

    Raises:
        InputError: a note cannot be read; an experiment does not go on without it.
    """
    logits, unreadable = predict(network, clips, nsynth.SAMPLE_RATE, nsynth.SECONDS)
    if unreadable:
        raise InputError(next(iter(unreadable.values())))
    return logits


def labels_of(clips: Sequence[Clip]) -> np.ndarray:
    """Family indices [clips]."""
    return np.array([clip.labels[0] for clip in clips])


def scores_of(logits: np.ndarray, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Top-1 and top-3 accuracy with intervals over instruments."""
    labels, instruments = labels_of(clips), groups(clips)
    return {f"top{k}": bootstrap(np.mean, instruments, top_k_hits(logits, labels, k).astype(float)) for k in (1, 3)}


def save(path: Path, trained: Trained, root: Path, scores: dict, command: str) -> None:
    """Write the self-describing checkpoint."""
    data = {
        "corpus": "NSynth",
        "label": nsynth.label_of(root, "train", trained.train),
        "n": len(trained.train),
        "fingerprint": clips_fingerprint(trained.train),
    }
    checkpoint = Checkpoint(
        task=nsynth.TASK, model=trained.model, arguments=trained.arguments, classes=list(nsynth.FAMILIES),
        sample_rate=nsynth.SAMPLE_RATE, seconds=nsynth.SECONDS, state=trained.network.state_dict(),
        seed=trained.config.seed, data=data, scores=scores, history=trained.histories, command=command,
        versions=versions(),
    )  # fmt: skip
    save_checkpoint(path, checkpoint, half=True)


def sentence(what: str, scores: dict[str, dict[str, float]]) -> str:
    """Top-1 and top-3 with intervals as one line."""
    parts = [
        f"{k.replace('top', 'top-')} {s['value']:.1%} [{s['low']:.1%}, {s['high']:.1%}]" for k, s in scores.items()
    ]
    return f"{what}: " + ", ".join(parts)


def data_fingerprint(*parts: Sequence[Clip]) -> str:
    """Digest of several lists of clips."""
    return fingerprint(clips_fingerprint(part) for part in parts)


def top1(logits: np.ndarray, clips: Sequence[Clip]) -> float:
    """Top-1 accuracy."""
    return top_k_accuracy(logits, labels_of(clips), 1)


def by_instrument(logits: np.ndarray, clips: Sequence[Clip]) -> tuple[dict[str, float], dict[str, int], float]:
    """Top-1 accuracy and number of notes of each instrument, and the overall accuracy."""
    hits, instruments = top_k_hits(logits, labels_of(clips), 1), groups(clips)
    return accuracy_by(instruments, hits), dict(Counter(instruments.tolist())), float(hits.mean())


def hardest(logits: np.ndarray, clips: Sequence[Clip], most: int = 3) -> list[tuple[str, str, int]]:
    """The commonest confusions as (true family, predicted family, notes)."""
    pairs = Counter(
        (nsynth.FAMILIES[true], nsynth.FAMILIES[said])
        for true, said in zip(labels_of(clips), predictions(logits), strict=True)
        if true != said
    )
    return [(true, said, n) for (true, said), n in pairs.most_common(most)]
