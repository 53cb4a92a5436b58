"""The genre study: the document's recipe and models, one training, the votes of windows.

A track is the unit of every split; windows are cut behind the split, so that all models are judged on the same
seconds of the same tracks. Source: "Music genre classification (PyTorch)". Shown in notebook 06.
Axis letters: W windows, N tracks, C classes, D features.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from scipy.special import log_softmax
from torch import nn
from torch.utils.data import DataLoader

from helpers.augmentation.waveform import ON_THE_FLY
from helpers.config import InputError, MelConfig, TrainConfig
from helpers.datasets import gtzan
from helpers.datasets.base import AugmentedDataset, Clip, ClipDataset, groups, subset
from helpers.evaluation import bootstrap
from helpers.evaluation.single import majority_baseline, top_k_accuracy
from helpers.experiments import common
from helpers.experiments.common import Trained, labels_of
from helpers.models import build
from helpers.models.linear import solve
from helpers.prediction.clips import best_device, predict_clips

Parts = dict[str, list[Clip]]  # train, valid, test
ZOO: dict[str, tuple[str, tuple[float | None, ...]]] = {  # registry name -> title, accuracies in the document's table
    # on whole GTZAN: train, valid, train augmented, valid augmented, test; what it only plans comes last
    "cnn_1d_5l": ("5L-1D CNN", (0.97, 0.55, 0.99, 0.70, None)),
    "alexnet": ("AlexNet", (0.98, 0.63, 0.99, 0.72, None)),
    "vgg11": ("VGG11", (0.99, 0.68, 0.99, 0.76, None)),
    "vgg13": ("VGG13", (0.97, 0.68, 0.99, 0.74, None)),
    "vgg16": ("VGG16", (0.99, 0.69, 0.99, 0.75, None)),
    "vgg19": ("VGG19", (0.98, 0.67, 0.99, 0.74, None)),
    "googlenet": ("GoogLeNet", (0.75, 0.57, 0.99, 0.65, None)),
    "resnet34": ("ResNet34", (0.99, 0.63, 0.99, 0.70, None)),
    "resnet50": ("ResNet50", (0.99, 0.61, 0.99, 0.69, None)),
    "densenet121": ("DenseNet121", (0.98, 0.66, 0.99, 0.76, None)),
    "sample_cnn": ("SampleCNN basic block", (0.13, 0.13, 0.15, 0.13, None)),
    "cnn_2d_4l": ("4L-2D CNN", (0.93, 0.62, 0.95, 0.77, 0.8339)),
    "cnn_2d_4l_gru": ("4L-2D CNN + GRU", (0.92, 0.64, 0.99, 0.76, 0.8155)),
    "auditory_pathway": ("A1-belt-parabelt-T2/T3", ()),
    "scattering_svm": ("Wavelet scattering + linear SVM", ()),
    "pooled_lda": ("Pooled statistics + LDA", ()),
    "pooled_lda_svm": ("Pooled statistics + LDA and SVMs", ()),
}
SOLVED = ("scattering_svm", "pooled_lda", "pooled_lda_svm")  # fixed features, a head that is solved, not trained
BASE = "cnn_2d_4l"
ABLATIONS = {  # rows beside the zoo: the document's own ablations of its network, and its feature length
    "cnn_2d_4l_no_fc": ("4L-2D CNN without its fully connected layer", {"hidden": 0}),
    "cnn_2d_4l_3_conv": ("4L-2D CNN without one convolution", {"channels": (32, 64, 128)}),
    "cnn_2d_4l_1024": ("4L-2D CNN, 1024 frames at once", {}),
}
TITLES = {name: title for name, (title, _) in (ZOO | ABLATIONS).items()}
MEL = MelConfig(gtzan.SAMPLE_RATE, n_fft=1024, hop_length=512, n_mels=128, f_min=30.0, f_max=11_025.0)
USED_S = 1024 * MEL.hop_length / MEL.sample_rate  # s of each file; 1024 frames are the document's feature length
HIDDEN = 128  # units of the fully connected layer of the 4L-2D CNN
SHRINKAGES = (0.1, 0.3, 0.6)  # of the covariance of the discriminant


@dataclass(frozen=True)
class GenreConfig(TrainConfig):
    """The document's recipe; momentum 0.9 and Nesterov are what "sgd" means in this project."""

    epochs: int = 100  # at most; the document's best run stopped after 26
    learning_rate: float = 0.01
    weight_decay: float = 1e-6
    optimizer: str = "sgd"
    schedule: Literal["constant", "cosine"] = "constant"
    balanced: bool = False
    normalisation: str = "batch"
    window_s: float = 3.0  # a file votes by windows of this length
    hop_s: float = 3.0  # that lie so far apart
    max_tracks: int = 10**9  # a budget may use fewer
    pooled_windows: tuple[tuple[float, float], ...] = ((3.0, 1.5), (7.5, 2.5))  # length and hop, s: to choose from
    max_windows: int = 10**9  # that are trained on

    def arguments(self, name: str) -> dict:
        """What the builder of a model is given, as plain values: they travel in the checkpoint."""
        if name in SOLVED:
            return {"mel": asdict(MEL)} | ({"seconds": self.window_s} if name == "scattering_svm" else {})
        network = {"mel": asdict(MEL), "normalisation": self.normalisation}
        return network | ({"hidden": HIDDEN, **ABLATIONS.get(name, ("", {}))[1]} if model_of(name) == BASE else {})


@dataclass(frozen=True)
class Setting:
    """What is chosen by cross-validation inside the training tracks: windows, and the shrinkage of the discriminant."""

    model: str
    window_s: float
    hop_s: float
    shrinkage: float | None = None


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


def model_of(name: str) -> str:
    """Registry name of a row of the table; an InputError if there is no such row."""
    if name not in TITLES:
        raise InputError(f"model {name!r}: not in the genre study; choose one of {', '.join(TITLES)}")
    return name if name in ZOO else BASE


def settings(name: str, config: GenreConfig) -> list[Setting]:
    """What there is to choose from: nothing for a network, windows and shrinkage for pooled statistics."""
    if not model_of(name).startswith("pooled"):
        window = (USED_S, USED_S) if name.endswith("_1024") else (config.window_s, config.hop_s)
        return [Setting(model_of(name), *window)]
    return [Setting(name, *window, shrinkage) for window in config.pooled_windows for shrinkage in SHRINKAGES]


def windows_of(tracks: Sequence[Clip], setting: Setting) -> list[Clip]:
    """The windows that tracks are cut to."""
    return gtzan.windows(tracks, setting.window_s, setting.hop_s, USED_S)


def vote(logits: np.ndarray, windows: Sequence[Clip]) -> Votes:
    """Mean log probability of the windows [W, C] of each track."""
    tracks, first, which = np.unique(groups(windows), return_index=True, return_inverse=True)
    scores = np.zeros((len(tracks), logits.shape[1]))
    np.add.at(scores, which, log_softmax(logits, axis=1))
    return Votes(tracks, scores / np.bincount(which)[:, None], labels_of(windows)[first])


def baseline(parts: Parts) -> float:
    """Accuracy on the test tracks of always naming the most frequent training genre."""
    labels = {part: np.array(list({clip.group: clip.labels[0] for clip in parts[part]}.values())) for part in parts}
    return majority_baseline(labels["train"], labels["test"])["top1"]


def train(
    name: str, setting: Setting, parts: Parts, config: GenreConfig, classes: int, augment: bool = False,
    run_dir: Path | None = None,
) -> Trained:  # fmt: skip
    """Train a row of `TITLES` on the tracks of parts["train"], by one of its settings.

    A network keeps the epoch that is best on parts["valid"]. `augment` changes training windows by the seven
    augmentations, never the others. A network's training that was killed goes on from `run_dir`.
    """
    windows = subset(windows_of(parts["train"], setting), config.max_windows, config.seed)
    arguments = config.arguments(name)
    if name not in SOLVED:
        sets = [ClipDataset(part, classes, MEL.sample_rate, setting.window_s)
                for part in (windows, windows_of(parts["valid"], setting))]  # fmt: skip
        augmentation, how = ON_THE_FLY if augment else None, "augmented" if augment else "plain"
        print(f"{TITLES[name]}, {how}, {config.optimizer}, {config.normalisation} normalisation", flush=True)
        return common.train(setting.model, arguments, *sets, config, augment=augmentation, run_dir=run_dir)
    model = solved(setting, windows, config, classes, augment)
    if name == "pooled_lda_svm":
        arguments["vectors"] = len(model.head.svm.vectors)
    return Trained(model, name, arguments, [], config, windows)


def solved(
    setting: Setting, windows: Sequence[Clip], config: GenreConfig, classes: int, augment: bool = False
) -> nn.Module:
    """A model with fixed features, solved on windows, and on their augmented copies too.

    An InputError if there are no more windows than genres.
    """
    rows, labels = features(setting, windows), torch.from_numpy(labels_of(windows))
    if len(windows) <= len(labels.unique()):
        raise InputError(f"model {setting.model!r}: {len(windows)} training windows; give more than one for a genre")
    model = build(setting.model, classes, seed=config.seed, **config.arguments(setting.model))
    if augment:
        data = ClipDataset(windows, classes, MEL.sample_rate, setting.window_s)
        data = AugmentedDataset(data, ON_THE_FLY, config.seed)
        with torch.inference_mode():
            changed = [model.frontend(waves) for waves, _ in DataLoader(data, 16, num_workers=config.workers)]
        rows, labels = torch.cat([rows, *changed]), torch.cat([labels, labels])
    solve(model, setting.model, rows, labels, **({"shrinkage": setting.shrinkage} if setting.shrinkage else {}))
    return model


def logits_of(model: nn.Module, setting: Setting, windows: Sequence[Clip]) -> np.ndarray:
    """What a trained model says of windows, [W, C]."""
    if setting.model not in SOLVED:
        return predict_clips(model, windows, MEL.sample_rate, setting.window_s, device=best_device())
    with torch.inference_mode():
        return model.head(model.encoder(features(setting, windows))).numpy()


def votes(trained: Trained, setting: Setting, parts: Parts) -> dict[str, Votes]:
    """Scores of the tracks of every part that has some by their windows, in training by those that were trained on."""
    windows = {part: windows_of(tracks, setting) for part, tracks in parts.items() if tracks}
    windows["train"] = trained.train
    return {part: vote(logits_of(trained.network, setting, cut), cut) for part, cut in windows.items()}


@lru_cache
def _extractor(model: str, window_s: float) -> tuple[nn.Module, dict[Clip, torch.Tensor]]:
    """The front end of a solved model and what it made of windows: cross-validation asks for the same ones again."""
    return build(model, 1, **GenreConfig(window_s=window_s).arguments(model)).frontend, {}


def features(setting: Setting, windows: Sequence[Clip]) -> torch.Tensor:
    """What the front end of a solved model makes of windows, [W, D]; the pooled models share theirs."""
    model = "pooled_lda" if setting.model.startswith("pooled") else setting.model
    frontend, known = _extractor(model, setting.window_s)
    if new := [window for window in windows if window not in known]:
        rows = predict_clips(frontend, new, MEL.sample_rate, setting.window_s)
        known.update(zip(new, torch.from_numpy(rows), strict=True))
    return torch.stack([known[window] for window in windows])
