"""Which instrument sounds when: networks that decide for every window of 30 ms from the seconds around it; notebook 04.

A CRNN, which knows when; a linear classifier of statistics of three seconds, which knows instruments better where real
recordings are few; and the mean of both.
Axis letters: B batch, C channels, M mel bands, F spectrogram frames, N windows, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.config import InputError, MelConfig
from helpers.datasets.base import FILM_RATE, FILM_WINDOW_S
from helpers.features.mel import MelFrontend
from helpers.models import build
from helpers.models.base import AudioClassifier, linear_head
from helpers.models.checkpoint import Checkpoint
from helpers.models.linear import Layer
from helpers.models.notes import CompactCNN, Ensemble, average

GRID = 32  # windows; the length of a waveform is a multiple of them, so that it is one of frames, too
HOP = 512  # samples between frames: windows need finer time than notes
WINDOW = round(FILM_WINDOW_S * FILM_RATE)  # samples
SECONDS = 3.0  # s, from which statistics are taken
SAMPLES = round(SECONDS * FILM_RATE)
TRUNK = "compact_cnn"  # the NSynth model whose convolutions a CRNN goes on from


class Trunk(nn.Module):
    """The convolutions of the compact NSynth encoder, with the maps of all their depths instead of one embedding."""

    def __init__(self, mel: MelConfig, channels: Sequence[int]) -> None:
        super().__init__()
        notes = CompactCNN(mel, channels)
        self.stem, self.blocks = notes.stem, notes.blocks
        bands = -(-mel.n_mels // 2)
        self.widths = [c * (bands >> depth) for depth, c in enumerate(channels)]  # C·M' at each depth

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """[B, 1, M, F] -> maps [B, C·M', F'], each half as long as the one before."""
        maps = [self.stem(x)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return [one.flatten(1, 2) for one in maps]


class FrameHead(nn.Module):
    """Bring all depths to the grid of windows and add them up, then a bidirectional GRU and one decision a window.

    Deep maps know the instrument but blur time (a quarter of a second), shallow ones know when: a feature pyramid
    (Lin et al., CVPR 2017) under a recurrent layer, as in CRNNs for sound events (Cakir et al., TASLP 2017).
    """

    def __init__(self, widths: list[int], n_classes: int, frames_per_window: float, size: int) -> None:
        super().__init__()
        self.frames_per_window = frames_per_window
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width, size, 1, bias=False), nn.BatchNorm1d(size)) for width in widths
        )
        self.recurrent = nn.GRU(size, size // 2, batch_first=True, bidirectional=True)
        self.decide = linear_head(size, n_classes)

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps [B, C·M', F'] -> logits [B, N, classes]; the waveform has a multiple of `GRID` windows."""
        windows = round((maps[0].shape[2] - 1) * 2 / self.frames_per_window)
        grids = [F.interpolate(lateral(one), size=windows, mode="linear")
                 for lateral, one in zip(self.lateral, maps, strict=True)]
        x = torch.relu(torch.stack(grids).sum(dim=0)).transpose(1, 2)  # [B, N, D]
        return self.decide(self.recurrent(x)[0])


def _crnn(n_classes: int, mel: dict, channels: Sequence[int] = (16, 32, 64, 128), size: int = 128) -> AudioClassifier:
    config = MelConfig(**mel)
    trunk = Trunk(config, channels)
    head = FrameHead(trunk.widths, n_classes, config.frame_rate * FILM_WINDOW_S, size)
    return AudioClassifier(MelFrontend(config), trunk, head)


class MiddleSeconds(nn.Module):
    """One answer, of a classifier of a few seconds, for every window of a waveform: it is given the middle of it.

    Prediction keeps the windows in the middle half of each excerpt, for which these seconds are the context.
    """

    def __init__(self, classifier: AudioClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> logits [B, N, classes]; a waveform shorter than `SECONDS` is given as it is."""
        margin = max(0, waveform.shape[1] - SAMPLES) // 2
        middle = waveform[:, margin : waveform.shape[1] - margin]
        return self.classifier(middle)[:, None].expand(-1, round(waveform.shape[1] / WINDOW), -1)


class FrameEnsemble(Ensemble):
    """Averages log-odds, of each window and class for itself: several classes may be right at once."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> logits [B, N, classes]."""
        return sum(weight * member(waveform) for member, weight in zip(self.members, self.weights, strict=True))


MODELS = {
    "film_crnn": _crnn,
    "film_statistics": lambda n_classes: MiddleSeconds(build("instrument_statistics", n_classes)).eval(),
    "film_ensemble": partial(average, FrameEnsemble),
}

VIEWS = (  # blocks of statistics to decide on; each shape is right about other recordings, so their mean is taken
    ("change", "skew", "loudness", "flux", "harmonics", "between", "pitch", "movement", "vibrato", "texture"),
    ("cepstrum", "loudness", "flux", "contrast", "harmonics", "between", "pitch", "movement", "vibrato", "texture"),
)
SHRINKAGE = 0.5  # of the covariance within groups
REGULARISATION, TOTAL = 0.003, 1_000.0  # C of the regressions, and the sum of the weights that it was chosen at
POSITIVE = 0.4  # share of a class in the weights of its regression
KINSHIP = 0.6  # a relative is so much of an example, and for the rest a counter-example


def fit_statistics(
    network: MiddleSeconds, statistics: np.ndarray, positive: np.ndarray, akin: np.ndarray, group: np.ndarray,
    weight: np.ndarray,
) -> None:  # fmt: skip
    """Fit a `film_statistics` network in place: a logistic regression for each class and view, their mean folded in.

    To statistics [n, D] of excerpts: whether a class is heard (`positive`, bool [n, C], each with an example) or
    something alike (`akin`); player or instrument (`group` [n]): what varies within one does not tell instruments
    apart, and is whitened; `weight` [n], positive.
    """
    from sklearn.preprocessing import StandardScaler

    from helpers.models.classic import WithinGroupWhitening

    scaler = StandardScaler().fit(statistics, sample_weight=weight)
    standard = scaler.transform(statistics)
    matrix, offset = np.zeros((statistics.shape[1], positive.shape[1])), np.zeros(positive.shape[1])
    for blocks in VIEWS:
        view = network.classifier.frontend.columns(*blocks)
        whitening = WithinGroupWhitening(SHRINKAGE).fit(standard[:, view], groups=group, sample_weight=weight)
        white = whitening.transform(standard[:, view])
        for number in range(positive.shape[1]):
            regression = _one_against_rest(white, positive[:, number], akin[:, number], weight)
            matrix[view, number] += whitening.matrix_ @ regression.coef_[0] / len(VIEWS)
            offset[number] += regression.intercept_[0] / len(VIEWS)
    network.classifier.head.fill(Layer(scaler.mean_, scaler.scale_, matrix, offset))


def _one_against_rest(x: np.ndarray, positive: np.ndarray, akin: np.ndarray, weight: np.ndarray):
    """A fitted logistic regression of rows [n, D]; rows that are akin stand there twice, as example and as not."""
    from sklearn.linear_model import LogisticRegression

    balanced = weight * np.where(positive, POSITIVE / weight[positive].sum(), (1 - POSITIVE) / weight[~positive].sum())
    rows = np.concatenate([balanced * np.where(akin, 1 - KINSHIP, 1.0), balanced[akin] * KINSHIP])
    targets = np.concatenate([positive, np.ones(akin.sum(), bool)])
    model = LogisticRegression(C=REGULARISATION, max_iter=100, tol=1e-3)
    return model.fit(np.concatenate([x, x[akin]]), targets, TOTAL * rows)


def arguments_of(notes: Checkpoint) -> dict:
    """Front end and convolutions of an NSynth checkpoint as arguments of `film_crnn`; InputError if it has others."""
    _, trunk = _trunk_of(notes)
    found = {name: trunk[name] for name in ("mel", "channels") if name in trunk}
    return found | {"mel": found["mel"] | {"hop_length": HOP}}


def initialise(model: AudioClassifier, notes: Checkpoint) -> None:
    """Copy the front end's statistics and the convolutions of an NSynth checkpoint; the head stays random."""
    prefix, _ = _trunk_of(notes)
    copied = (name for name in model.state_dict() if not name.startswith("head."))
    model.load_state_dict({name: notes.state[prefix + name].float() for name in copied}, strict=False)


def _trunk_of(notes: Checkpoint) -> tuple[str, dict]:
    """Prefix of the weights, and arguments, of the network with the trunk; of an ensemble its first such member."""
    members = [("", {"name": notes.model, **notes.arguments})]
    members += [(f"members.{n}.", member) for n, member in enumerate(notes.arguments.get("members", []))]
    for prefix, member in members:
        if member["name"] == TRUNK:
            return prefix, member
    raise InputError(f"checkpoint of {notes.model}: a film network cannot start from it; train {TRUNK} on NSynth")
