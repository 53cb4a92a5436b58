"""ChMusic: the paper's baseline beside a CNN, on the paper's split (pieces 1 to 4 train, piece 5 tests)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers.audio import fit_length, read
from helpers.augmentation.batch import SpecAugment
from helpers.augmentation.waveform import note_augmentation
from helpers.config import BUDGETS, TrainConfig
from helpers.datasets import chmusic
from helpers.datasets.base import Clip, ClipDataset, clips_fingerprint, groups
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import Result, Score
from helpers.evaluation.single import confusion_matrix, majority_baseline, predictions, top_k_hits
from helpers.experiments.nsynth import MEL, MODEL
from helpers.features.spectral import Frames, SpectralConfig
from helpers.files import fingerprint
from helpers.models import build
from helpers.models.classic import FrameVote
from helpers.prediction.clips import predict
from helpers.training.fit import fit

MFCC = SpectralConfig(seconds=chmusic.CLIP_S, hop_length=1024)  # 20 coefficients every 64 ms
NEIGHBOURS = (3, 5, 9, 15)  # tried on validation
VALIDATION_PIECE = ".4"  # of the training pieces, chooses neighbours and the CNN's epoch
PASSES = 3  # epochs for one of a budget: the corpus is small, an epoch is a handful of steps
SYSTEMS = {"kNN": "20 MFCCs, k-NN, majority vote", "CNN": "compact CNN"}


def compare(root: Path, budget: str, seed: int, command: str) -> Result:
    """Score both systems on piece 5 of every instrument, once."""
    train, test = chmusic.clips(root, "train"), chmusic.clips(root, "test")
    train = train[:: -(-len(train) // BUDGETS[budget].max_clips)]
    known = [clip for clip in train if not clip.group.endswith(VALIDATION_PIECE)]
    held_out = [clip for clip in train if clip.group.endswith(VALIDATION_PIECE)]
    neighbours, votes = baseline(known, held_out, test)
    scores = {SYSTEMS["kNN"]: votes, SYSTEMS["CNN"]: network(known, held_out, test, budget, seed)}
    labels = labels_of(test)
    return Result(
        title="ChMusic: eleven Chinese instruments, clips of five seconds", corpus="ChMusic",
        data=chmusic.label_of(root), n=len(test), groups=len(set(groups(test))), group_kind="piece",
        fingerprint=fingerprint([clips_fingerprint(train), clips_fingerprint(test)]), seed=seed, budget=budget,
        command=command, classes=list(chmusic.CLASSES),
        scores={name: {f"top{k}": Score(**bootstrap(np.mean, groups(test), top_k_hits(values, labels, k).astype(float)))
                       for k in (1, 3)} for name, values in scores.items()},
        baselines={"majority class": majority_baseline(labels_of(train), labels)},
        confusion={name: confusion_matrix(labels, predictions(values), len(chmusic.CLASSES)).tolist()
                   for name, values in scores.items()},
        details={"neighbours": neighbours},
    )  # fmt: skip


def baseline(train: list[Clip], valid: list[Clip], test: list[Clip]) -> tuple[int, np.ndarray]:
    """The number of neighbours that is best on validation pieces, and its votes [test clips, classes]."""
    parts = [[frames_of(clip) for clip in tqdm(part, desc="MFCC", unit="clip", disable=None)]
             for part in (train, valid, test)]
    fitted = {k: FrameVote(k, len(chmusic.CLASSES)).fit(parts[0], labels_of(train)) for k in NEIGHBOURS}
    accuracy = {k: top_k_hits(model.votes(parts[1]), labels_of(valid), 1).mean() for k, model in fitted.items()}
    best = max(NEIGHBOURS, key=accuracy.__getitem__)
    return best, fitted[best].votes(parts[2])


def network(train: list[Clip], valid: list[Clip], test: list[Clip], budget: str, seed: int) -> np.ndarray:
    """Logits [test clips, classes] of a CNN that was trained from random weights."""
    model = build(MODEL, len(chmusic.CLASSES), mel=asdict(MEL))
    sets = [ClipDataset(part, len(chmusic.CLASSES), MEL.sample_rate, chmusic.CLIP_S) for part in (train, valid)]
    epochs = PASSES * BUDGETS[budget].epochs
    config = TrainConfig(epochs=epochs, label_smoothing=0.1, weight_decay=0.05, monitor="loss", seed=seed)
    fit(model, *sets, config, augment=note_augmentation(), spec_augment=SpecAugment())
    return predict(model, test, MEL.sample_rate, chmusic.CLIP_S)[0]


def frames_of(clip: Clip) -> np.ndarray:
    """MFCCs [frames, 20] of a clip."""
    waveform = read(clip.path, MFCC.sample_rate, clip.start, clip.duration)
    return Frames(fit_length(waveform, MFCC.samples)[None], MFCC).mfcc[0]


def labels_of(clips: list[Clip]) -> np.ndarray:
    """Class indices [clips]."""
    return np.array([clip.labels[0] for clip in clips])
