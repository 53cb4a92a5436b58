"""ChMusic: the paper's baseline beside a CNN, on the paper's split (pieces 1 to 4 train, piece 5 tests).

Gong et al., ICBDT 2021: 20 MFCCs a frame, k nearest frames, the clip's frames vote. Shown in notebook 04.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers.audio import fit_length, read
from helpers.augmentation.spectral import SpecAugment
from helpers.augmentation.waveform import note_augmentation
from helpers.config import BUDGETS, MelConfig, TrainConfig
from helpers.datasets import chmusic
from helpers.datasets.base import Clip, ClipDataset, subset
from helpers.evaluation.results import Result
from helpers.evaluation.single import top_k_accuracy
from helpers.experiments import common
from helpers.experiments.common import labels_of
from helpers.experiments.nsynth import MEL, MODEL
from helpers.features.mel import mfcc
from helpers.models.classic import frame_votes
from helpers.prediction.clips import predict_clips

MFCC = MelConfig(n_fft=2048, hop_length=1024, n_mels=128, f_min=0.0)  # 20 coefficients every 64 ms
NEIGHBOURS = (3, 5, 9, 15)  # those of the paper, tried on the validation piece
VALIDATION_PIECE = ".4"  # of the training pieces, chooses neighbours and the CNN's epoch
EPOCHS = {"smoke": 1, "quick": 18, "full": 60}  # an epoch is a handful of steps; after six one class is named
KNN, CNN = "20 MFCCs, k-NN, majority vote", "compact CNN"


def compare(root: Path, budget: str, seed: int, command: str) -> Result:
    """Score both systems on piece 5 of every instrument, once."""
    train, test = subset(chmusic.clips(root, "train"), BUDGETS[budget].max_clips, seed), chmusic.clips(root, "test")
    neighbours, votes = baseline(train, test)
    label = chmusic.CORPUS.label(root, "pieces", len(chmusic.pieces(root)))
    return common.single_label_result(
        "ChMusic: eleven Chinese instruments, clips of five seconds", "ChMusic", label, test,
        {KNN: votes, CNN: network(train, test, budget, seed)}, chmusic.CLASSES, train, group_kind="piece", seed=seed,
        budget=budget, command=command, used=[train], details={"neighbours": neighbours},
    )  # fmt: skip


def validation(train: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Training clips of pieces 1 to 3, and of piece 4, which chooses."""
    held_out = [clip for clip in train if clip.group.endswith(VALIDATION_PIECE)]
    return [clip for clip in train if clip not in held_out], held_out


def baseline(train: Sequence[Clip], test: Sequence[Clip]) -> tuple[int, np.ndarray]:
    """The number of neighbours that is best on piece 4; its votes [test clips, classes], fitted to pieces 1 to 4."""
    mfcc = {clip: frames_of(clip) for clip in tqdm([*train, *test], desc="MFCC", unit="clip", disable=None)}

    def votes(k: int, fitted: Sequence[Clip], judged: Sequence[Clip]) -> np.ndarray:
        known, asked = ([mfcc[clip] for clip in part] for part in (fitted, judged))
        return frame_votes(known, labels_of(fitted), asked, len(chmusic.CLASSES), k)

    inside, held_out = validation(train)
    best = max(NEIGHBOURS, key=lambda k: top_k_accuracy(votes(k, inside, held_out), labels_of(held_out)))
    return best, votes(best, train, test)


def network(train: Sequence[Clip], test: Sequence[Clip], budget: str, seed: int) -> np.ndarray:
    """Logits [test clips, classes] of a CNN from random weights; piece 4 chooses its epoch."""
    config = TrainConfig(epochs=EPOCHS[budget], label_smoothing=0.1, weight_decay=0.05, monitor="loss", seed=seed)
    sets = [ClipDataset(part, len(chmusic.CLASSES), MEL.sample_rate, chmusic.CLIP_S) for part in validation(train)]
    how = {"augment": note_augmentation(), "spec_augment": SpecAugment()}
    trained = common.train(MODEL, {"mel": asdict(MEL)}, *sets, config, **how)
    return predict_clips(trained.network, test, MEL.sample_rate, chmusic.CLIP_S)


def frames_of(clip: Clip) -> np.ndarray:
    """MFCCs [frames, 20] of a clip."""
    waveform = read(clip.path, MFCC.sample_rate, clip.start, clip.duration)
    return mfcc(fit_length(waveform, round(chmusic.CLIP_S * MFCC.sample_rate)), MFCC)
