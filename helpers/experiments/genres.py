"""The genre study: the document's recipe and models, what there is to choose, splits and folds, votes of windows.

A track is the unit of every split; windows are cut behind the split, so that all models are judged on the same
seconds of the same tracks. Source: "Music genre classification (PyTorch)". Shown in notebook 06.
Axis letters: W windows, N tracks, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.special import log_softmax
from torch import nn

from helpers.config import InputError, MelConfig, TrainConfig
from helpers.datasets import gtzan
from helpers.datasets.base import Clip, grouped_folds, groups
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.single import majority_baseline, top_k_accuracy
from helpers.experiments.common import labels_of
from helpers.models import build
from helpers.prediction.clips import predict

TASK = "gtzan"
Parts = dict[str, list[Clip]]  # train, valid, test
ZOO = {  # registry name -> name in the document's table, in its order; what the document only plans comes last
    "cnn_1d_5l": "5L-1D CNN",
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg13": "VGG13",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "googlenet": "GoogLeNet",
    "resnet34": "ResNet34",
    "resnet50": "ResNet50",
    "densenet121": "DenseNet121",
    "sample_cnn": "SampleCNN basic block",
    "cnn_2d_4l": "4L-2D CNN",
    "cnn_2d_4l_gru": "4L-2D CNN + GRU",
    "auditory_pathway": "A1-belt-parabelt-T2/T3",
    "scattering_svm": "Wavelet scattering + linear SVM",
    "pooled_lda": "Pooled statistics + LDA",
    "pooled_lda_svm": "Pooled statistics + LDA and SVMs",
}
SOLVED = ("scattering_svm", "pooled_lda", "pooled_lda_svm")  # fixed features, a head that is solved, not trained
BASE = "cnn_2d_4l"
ABLATIONS = {  # rows beside the zoo: the document's own ablations of its network, and its feature length
    "cnn_2d_4l_no_fc": ("4L-2D CNN without its fully connected layer", {"hidden": 0}),
    "cnn_2d_4l_3_conv": ("4L-2D CNN without one convolution", {"channels": (32, 64, 128)}),
    "cnn_2d_4l_1024": ("4L-2D CNN, 1024 frames at once", {}),
}
TITLES = ZOO | {name: title for name, (title, _) in ABLATIONS.items()}
HIDDEN = 128  # units of the fully connected layer of the 4L-2D CNN
SHRINKAGES = (0.1, 0.3, 0.6)  # of the covariance of the discriminant


@dataclass(frozen=True)
class GenreConfig:
    """Hyper-parameters with the document's values; momentum 0.9 and Nesterov are what "sgd" means in this project."""

    sample_rate: int = 22_050  # Hz
    n_fft: int = 1024  # samples, also the window
    hop_length: int = 512  # samples
    n_mels: int = 128  # bands
    feature_length: int = 1024  # frames of each file that are used
    window_s: float = 3.0  # a file votes by windows of this length
    pooled_windows: tuple[tuple[float, float], ...] = ((3.0, 1.5), (7.5, 2.5))  # length and hop, s: to choose from
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    weight_decay: float = 1e-6
    batch_size: int = 32
    epochs: int = 100  # at most; the document's best run stopped after 26
    patience: int = 10  # epochs without a better validation score: early stopping
    normalisation: str = "batch"
    max_windows: int = 10**9  # that are trained on; a budget may set less
    workers: int = 2  # processes that read and augment
    seed: int = 0

    @property
    def used_s(self) -> float:
        """Seconds of each file that are used."""
        return self.feature_length * self.hop_length / self.sample_rate

    def arguments(self, name: str) -> dict:
        """What the builder of a model is given, as plain values: they travel in the checkpoint."""
        if name == "scattering_svm":
            return {"mel": self.mel, "seconds": self.window_s}
        if name in SOLVED:
            return {"mel": self.mel}
        network = {"mel": self.mel, "normalisation": self.normalisation}
        if model_of(name) == BASE:
            network |= {"hidden": HIDDEN} | ABLATIONS.get(name, ("", {}))[1]
        return network

    @property
    def mel(self) -> dict:
        """Front end, as plain values for a model's builder."""
        return asdict(MelConfig(self.sample_rate, self.n_fft, self.hop_length, self.n_mels, 30.0, self.sample_rate / 2))

    @property
    def train(self) -> TrainConfig:
        """The recipe for `training.fit`."""
        same = ("epochs", "batch_size", "learning_rate", "weight_decay", "optimizer", "patience", "workers", "seed")
        return TrainConfig(schedule="constant", balanced=False, **{name: getattr(self, name) for name in same})


@dataclass(frozen=True)
class Setting:
    """What is chosen by cross-validation inside the training tracks: windows, and the strength of the solver."""

    model: str
    window_s: float
    hop_s: float
    options: tuple[tuple[str, float], ...] = ()


def model_of(name: str) -> str:
    """Registry name of a row of the table.

    Raises:
        InputError: there is no such row.
    """
    if name not in TITLES:
        raise InputError(f"model {name!r}: not in the genre study; choose one of {', '.join(TITLES)}")
    return name if name in ZOO else BASE


def settings(name: str, config: GenreConfig) -> list[Setting]:
    """What there is to choose from: nothing for a network, windows and shrinkage for pooled statistics."""
    if not model_of(name).startswith("pooled"):
        seconds = config.used_s if name.endswith("_1024") else config.window_s
        return [Setting(model_of(name), seconds, seconds)]
    strengths = [(("shrinkage", value),) for value in SHRINKAGES]
    return [Setting(name, *window, options) for window in config.pooled_windows for options in strengths]


@dataclass(frozen=True)
class Votes:
    """What the windows of each track come to together."""

    tracks: np.ndarray  # names [N]
    scores: np.ndarray  # mean log probabilities of the windows [N, C]
    labels: np.ndarray  # [N]

    def accuracy(self, seed: int = 0) -> dict[str, float]:
        """Share of tracks that are right, with its 95 % interval over tracks."""
        return bootstrap(top_k_accuracy, self.tracks, self.scores, self.labels, seed=seed)

    @property
    def likelihood(self) -> float:
        """Mean log probability of the true genre: tells models apart whose accuracies are equal."""
        return float(self.scores[np.arange(len(self.labels)), self.labels].mean())


def split_tracks(tracks: Sequence[Clip], protocol: str, seed: int) -> Parts:
    """Whole tracks by part.

    Raises:
        InputError: a part that training or testing needs is empty.
    """
    parts = gtzan.split(tracks, protocol, seed)
    for part, clips in parts.items():
        if not clips:
            raise InputError(f"protocol {protocol!r}: no {part} tracks among the clips; use another --split, or more")
    return parts


def windows_of(tracks: Sequence[Clip], setting: Setting, config: GenreConfig) -> list[Clip]:
    """The windows that tracks are cut to."""
    return gtzan.windows(tracks, setting.window_s, setting.hop_s, config.used_s)


def vote(logits: np.ndarray, windows: Sequence[Clip]) -> Votes:
    """Mean log probability of the windows [W, C] of each track."""
    tracks, which, counts = np.unique(groups(windows), return_inverse=True, return_counts=True)
    scores = np.zeros((len(tracks), logits.shape[1]))
    np.add.at(scores, which, log_softmax(logits, axis=1))
    labels = np.zeros(len(tracks), int)
    labels[which] = labels_of(windows)
    return Votes(tracks, scores / counts[:, None], labels)


def blocks(tracks: Sequence[Clip], count: int = 3) -> np.ndarray:
    """Group of each track [N]: so many runs of neighbouring numbers in each genre, which often are of one artist."""
    place = {}
    for genre in {clip.group.split(".")[0] for clip in tracks}:
        names = sorted({clip.group for clip in tracks if clip.group.split(".")[0] == genre})
        place |= {name: f"{genre} {rank * count // len(names)}" for rank, name in enumerate(names)}
    return np.array([place[clip.group] for clip in tracks])


def folds(tracks: Sequence[Clip], most: int, by_block: bool, seed: int) -> np.ndarray:
    """Fold of each track [N], as many as every genre has tracks (or runs of neighbours), and at most so many."""
    unit, labels = blocks(tracks) if by_block else groups(tracks), labels_of(tracks)
    fewest = min(len(set(unit[labels == label])) for label in np.unique(labels))
    return grouped_folds(labels, unit, max(2, min(most, fewest)), seed)


def baseline(parts: Parts) -> float:
    """Accuracy on the test tracks of always naming the most frequent training genre."""
    labels = {part: np.array([label for _, label in sorted({(c.group, c.labels[0]) for c in clips})])
              for part, clips in parts.items()}
    return majority_baseline(labels["train"], labels["test"])["top1"]


@lru_cache(maxsize=8)
def _known(model: str, window_s: float, config: GenreConfig) -> dict[Clip, torch.Tensor]:
    """Features of windows that were computed before: cross-validation asks for the same ones again and again."""
    return {}


def features(setting: Setting, windows: Sequence[Clip], config: GenreConfig) -> torch.Tensor:
    """What the front end of a solved model makes of the windows, [W, D]."""
    known = _known(setting.model, setting.window_s, config)
    new = [window for window in windows if window not in known]
    if new:
        frontend = build(setting.model, 1, **config.arguments(setting.model)).frontend
        known.update(zip(new, torch.from_numpy(logits_of(frontend, new, config, setting.window_s)), strict=True))
    return torch.stack([known[window] for window in windows])


def logits_of(
    network: nn.Module, windows: Sequence[Clip], config: GenreConfig, seconds: float, device: str = "cpu"
) -> np.ndarray:
    """What a network makes of windows, [W, …].

    Raises:
        InputError: one of them cannot be read.
    """
    rows, unreadable = predict(network, windows, config.sample_rate, seconds, batch_size=16, device=device)
    if unreadable:
        raise InputError(next(iter(unreadable.values())))
    return rows
