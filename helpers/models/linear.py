"""Linear classifiers and support-vector machines of fixed features: scikit-learn fits, torch applies from buffers.

Statistics of notes (notebook 02) or of music (04, 05), cut and whitened; pooled statistics with LDA (and SVMs) and
scattering with a linear SVM for genres (06), which need dozens of tracks and seconds of training. Inference needs no
scikit-learn. Axis letters: N training clips, B clips, D features, C classes, P pairs of classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from helpers.config import InputError
from helpers.features.music import Scattering, TimbreStatistics
from helpers.features.pooled import NoteStatistics
from helpers.features.timbre import InstrumentStatistics
from helpers.models.base import AudioClassifier

LIMIT = 4.0  # standard deviations at which statistics are cut
SMALLEST = 1e-6  # spread below which a feature counts as constant
EPSILON = 1e-10  # share of the largest spread below which an axis is rounding
NEVER = -1e9  # score of a class without training clips


class Layer(NamedTuple):
    """What `WhitenedLinear` holds, in NumPy, for statistics [..., D]."""

    mean: np.ndarray  # [D]
    std: np.ndarray  # [D]
    A: np.ndarray  # [D, C]
    b: np.ndarray  # [C]

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """[..., D] -> logits [..., C]."""
        return np.clip((statistics - self.mean) / self.std, -LIMIT, LIMIT) @ self.A + self.b

    def plus(self, other: Layer, share: float) -> Layer:
        """With the weights of another layer added, but not its mean and deviation, which tell how it was recorded."""
        return Layer(self.mean, self.std, self.A + share * other.A, self.b + share * other.b)


class WhitenedLinear(nn.Module):
    """logits = clip((x - mean) / std, ±LIMIT) @ A + b: A holds whitening and regression, b the priors as well."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        empty = Layer(torch.zeros(width), torch.ones(width), torch.zeros(width, n_classes), torch.zeros(n_classes))
        for name, values in empty._asdict().items():
            self.register_buffer(name, values)

    def fill(self, layer: Layer) -> None:
        """Take a fitted layer; a RuntimeError if the shapes do not fit."""
        self.load_state_dict({name: torch.as_tensor(values) for name, values in layer._asdict().items()})

    def forward(self, statistics: torch.Tensor) -> torch.Tensor:
        """[B, D] -> logits [B, C]."""
        return ((statistics - self.mean) / self.std).clamp(-LIMIT, LIMIT) @ self.A + self.b


def class_columns(regression, n_classes: int, absent: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [D, C] and offsets [C] of a fitted linear classifier, `absent` for unknown classes."""
    rows, starts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # scikit-learn has but one row, for the second
        rows, starts = np.concatenate([-rows, rows]) / 2, np.concatenate([-starts, starts]) / 2
    matrix, offset = np.zeros((rows.shape[1], n_classes)), np.full(n_classes, absent)
    matrix[:, regression.classes_], offset[regression.classes_] = rows.T, starts
    return matrix, offset


def logistic(
    x: np.ndarray, labels: np.ndarray, n_classes: int, C: float, columns: Sequence[int] | slice = slice(None),
    weight: np.ndarray | None = None,
) -> Layer:  # fmt: skip
    """Multinomial logistic regression on some columns of [N, D]; a class without rows gets zeros, the mean score."""
    from sklearn.linear_model import LogisticRegression

    mean, std = x.mean(axis=0, dtype=float), x.std(axis=0, dtype=float) + 1e-6
    chosen = np.clip((x - mean) / std, -LIMIT, LIMIT)[:, columns]
    regression = LogisticRegression(C=C, max_iter=200, tol=1e-3).fit(chosen, labels, weight)
    matrix = np.zeros((x.shape[1], n_classes))
    matrix[columns], offset = class_columns(regression, n_classes, 0.0)
    return Layer(mean, std, matrix, offset)


class Standardise(nn.Module):
    """Zero mean and unit variance for each feature, divided by the root of its block's width: blocks count alike."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.width = sum(widths)
        self.register_buffer("weight", torch.cat([torch.full((n,), n**-0.5) for n in widths]), persistent=False)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("spread", torch.ones(self.width))

    def estimate(self, features: torch.Tensor) -> None:
        """Take mean and spread of training features [N, D]."""
        self.mean.copy_(features.mean(dim=0))
        self.spread.copy_(features.std(dim=0, correction=0).clamp_min(SMALLEST))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[N, D] -> [N, D]."""
        return (features - self.mean) / self.spread * self.weight


def discriminant(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, shrinkage: float = 0.3) -> nn.Linear:
    """Linear discriminant analysis of [N, D]: Gaussian classes, equally likely, with one covariance.

    `shrinkage` mixes the covariance of the clips (0) with a multiple of the identity (1), which makes D > N solvable
    (Ledoit and Wolf, 2004). Scores are log posteriors up to a constant for each clip.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = embedding.double().numpy(), labels.numpy()
    _, spread, axes = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    axes = axes[spread >= spread[0] * EPSILON].T  # [D, R]: N clips differ along R < N axes; there it is fast
    share = axes.shape[1] / x.shape[1]
    scale = 1 - shrinkage + shrinkage * share  # outside of these axes lies a part of the mean variance
    priors = np.full(len(np.unique(y)), 1 / len(np.unique(y)))
    fitted = LinearDiscriminantAnalysis("lsqr", shrinkage=shrinkage * share / scale, priors=priors).fit(x @ axes, y)
    fitted.coef_, fitted.intercept_ = fitted.coef_ / scale @ axes.T, fitted.intercept_ / scale
    return _linear(fitted, n_classes)


def linear_svm(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, penalty: float = 1.0) -> nn.Linear:
    """Linear support-vector machines with squared hinge loss, one class of [N, D] against the rest."""
    from sklearn.svm import LinearSVC

    machines = LinearSVC(C=penalty, tol=1e-5, max_iter=100_000)
    return _linear(machines.fit(embedding.double().numpy(), labels.numpy()), n_classes)


def _linear(fitted: object, n_classes: int) -> nn.Linear:
    """A fitted linear classifier of scikit-learn as a layer; a class without clips never wins."""
    coefficients, intercepts = class_columns(fitted, n_classes, NEVER)
    head = nn.Linear(*coefficients.shape)
    head.load_state_dict({"weight": torch.from_numpy(coefficients.T), "bias": torch.from_numpy(intercepts)})
    return head


class OneVsOneSVM(nn.Module):
    """A support-vector machine with a Gaussian kernel for each pair of classes (Chang and Lin, LIBSVM, 2011)."""

    def __init__(self, width: int, n_classes: int, n_vectors: int) -> None:
        super().__init__()
        self.pairs = list(combinations(range(n_classes), 2))
        signs = torch.zeros(len(self.pairs), n_classes)
        for row, (first, second) in enumerate(self.pairs):
            signs[row, first], signs[row, second] = 1.0, -1.0
        self.register_buffer("signs", signs, persistent=False)  # [P, C]
        self.register_buffer("vectors", torch.zeros(n_vectors, width))  # [N, D]
        self.register_buffer("coefficients", torch.zeros(n_vectors, len(signs)))  # [N, P]
        self.register_buffer("offsets", torch.zeros(len(signs)))
        self.register_buffer("gamma", torch.tensor(1.0))

    def fit(self, embedding: torch.Tensor, labels: torch.Tensor) -> None:
        """Fit the machine of each pair to training clips [N, D]; the kernel's width follows their variance."""
        from sklearn.svm import SVC

        x, y = embedding.double().numpy(), labels.numpy()
        self.vectors.copy_(embedding)
        self.gamma.fill_(1.0 / (x.shape[1] * x.var()))
        for pair, (first, second) in enumerate(self.pairs):
            inside = np.flatnonzero((y == first) | (y == second))
            if len(np.unique(y[inside])) == 2:
                machine = SVC(C=10.0, gamma=float(self.gamma)).fit(x[inside], y[inside] == first)
                self.coefficients[inside[machine.support_], pair] = torch.tensor(machine.dual_coef_[0]).float()
                self.offsets[pair] = float(machine.intercept_[0])

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """[B, D] -> [B, C]: pairs won minus pairs lost, halved, and less than a third more for how clearly."""
        kernel = torch.exp(-self.gamma * torch.cdist(embedding, self.vectors).square())  # [B, N]
        margins = kernel @ self.coefficients + self.offsets  # [B, P]
        clarity = margins @ self.signs
        return margins.sign() @ self.signs / 2 + clarity / (3 * (clarity.abs() + 1))


class LDAWithSVM(nn.Module):
    """Mean of the scores of LDA and one-against-one SVMs, each scaled to unit spread over classes on training clips.

    They err differently on few tracks: the discriminant trusts the overall shape of a genre, the SVMs its borders.
    """

    def __init__(self, width: int, n_classes: int, n_vectors: int) -> None:
        super().__init__()
        self.linear, self.svm = nn.Linear(width, n_classes), OneVsOneSVM(width, n_classes, n_vectors)
        self.register_buffer("spread", torch.ones(2))
        self.out_features = n_classes

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """[B, D] -> scores [B, C]."""
        return self.linear(embedding) / self.spread[0] + self.svm(embedding) / self.spread[1]


def lda_with_svm(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, shrinkage: float = 0.3) -> LDAWithSVM:
    """Both, fitted to training clips [N, D] with labels [N]."""
    head = LDAWithSVM(embedding.shape[1], n_classes, len(embedding))
    head.linear = discriminant(embedding, labels, n_classes, shrinkage)
    head.svm.fit(embedding, labels)
    with torch.no_grad():
        head.spread.copy_(torch.stack([part(embedding).std(dim=1).mean() for part in (head.linear, head.svm)]))
    return head.eval()


SOLVERS = {"pooled_lda": discriminant, "pooled_lda_svm": lda_with_svm, "scattering_svm": linear_svm}


def solve(model: AudioClassifier, name: str, features: torch.Tensor, labels: torch.Tensor, **options: float) -> None:
    """Fit standardisation and head of the model `name` of `SOLVERS` to features [N, D] and labels [N], in place.

    `options` are the solver's `shrinkage` or `penalty`. An InputError if all clips are of one class.
    """
    if len(labels.unique()) < 2:
        raise InputError(f"model {name!r}: training clips of one class only; give at least two")
    model.encoder.estimate(features)
    with torch.no_grad():
        embedding = model.encoder(features)
    model.head = SOLVERS[name](embedding, labels, model.head.out_features, **options)


def _whitened(frontend: nn.Module, n_classes: int) -> AudioClassifier:
    return AudioClassifier(frontend, nn.Identity(), WhitenedLinear(frontend.width, n_classes)).eval()


def _standardised(frontend: nn.Module, n_classes: int, head: Callable = nn.Linear) -> AudioClassifier:
    encoder = Standardise(list(frontend.widths.values()))
    return AudioClassifier(frontend, encoder, head(encoder.width, n_classes)).eval()


def _pooled_with_svm(n_classes: int, mel: dict, vectors: int = 0) -> AudioClassifier:
    """`vectors` is the number of training clips, which a checkpoint knows."""
    return _standardised(TimbreStatistics(mel["sample_rate"]), n_classes, partial(LDAWithSVM, n_vectors=vectors))


def _scattering(n_classes: int, mel: dict, seconds: float = 3.0) -> AudioClassifier:
    return _standardised(Scattering(round(seconds * mel["sample_rate"])), n_classes)


MODELS = {  # of `mel` only the sample rate counts: one recipe fits every model of the genre study
    "note_statistics": lambda n_classes: _whitened(NoteStatistics(), n_classes),
    "instrument_statistics": lambda n_classes: _whitened(InstrumentStatistics(), n_classes),
    "pooled_lda": lambda n_classes, mel: _standardised(TimbreStatistics(mel["sample_rate"]), n_classes),
    "pooled_lda_svm": _pooled_with_svm,
    "scattering_svm": _scattering,
}
