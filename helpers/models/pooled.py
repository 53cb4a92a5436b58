"""Classifiers on fixed features: pooled statistics + LDA (and SVMs), scattering + linear SVM (notebook 06).

They need dozens of tracks, not hundreds, and seconds of training. scikit-learn fits; torch applies what it found from
a checkpoint's buffers, so that each is an ordinary `AudioClassifier` and inference needs no scikit-learn.

Axis letters: N training clips, B clips, D features, C classes, P pairs of classes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from torch import nn

from helpers.config import InputError
from helpers.features.music import Scattering, TimbreStatistics
from helpers.models.base import AudioClassifier
from helpers.models.whitened import class_columns

SMALLEST = 1e-6  # spread below which a feature counts as constant
EPSILON = 1e-10  # share of the largest spread below which an axis is rounding
NEVER = -1e9  # score of a class without training clips


class Standardise(nn.Module):
    """Zero mean and unit variance for each feature, with blocks of features weighted to count alike.

    Each block is divided by the root of its width, so that 320 modulation energies do not outvote 16 contrasts.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.width = sum(widths)
        weight = torch.cat([torch.full((n,), n**-0.5) for n in widths])
        self.register_buffer("weight", weight, persistent=False)
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
    """Linear discriminant analysis: Gaussian classes with one covariance, shrunk to a multiple of the identity.

    Args:
        embedding: [N, D].
        labels: [N] of 0..n_classes - 1; a class without clips gets a score that never wins.
        n_classes: C.
        shrinkage: 0 keeps the covariance of the clips, 1 keeps only its mean variance; in between both are mixed
            (Ledoit and Wolf, 2004), which is what makes D > N solvable.

    Returns:
        Scores [N, C] are log posteriors up to a constant for each clip; all classes are equally likely beforehand.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = _arrays(embedding, labels)
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

    return _linear(LinearSVC(C=penalty, tol=1e-5, max_iter=100_000).fit(*_arrays(embedding, labels)), n_classes)


class OneVsOneSVM(nn.Module):
    """A support-vector machine with a Gaussian kernel for each pair of classes (Chang and Lin, LIBSVM, 2011)."""

    def __init__(self, width: int, n_classes: int, n_vectors: int) -> None:
        super().__init__()
        signs = torch.zeros(n_classes * (n_classes - 1) // 2, n_classes)
        for row, (first, second) in enumerate(combinations(range(n_classes), 2)):
            signs[row, first], signs[row, second] = 1.0, -1.0
        self.register_buffer("signs", signs, persistent=False)  # [P, C]
        self.register_buffer("vectors", torch.zeros(n_vectors, width))  # [N, D]
        self.register_buffer("coefficients", torch.zeros(n_vectors, len(signs)))  # [N, P]
        self.register_buffer("offsets", torch.zeros(len(signs)))
        self.register_buffer("gamma", torch.tensor(1.0))

    def fit(self, embedding: torch.Tensor, labels: torch.Tensor, penalty: float = 10.0) -> None:
        """Fit the machine of each pair to training clips [N, D]; the kernel's width follows their variance."""
        from sklearn.svm import SVC

        x, y = _arrays(embedding, labels)
        self.vectors.copy_(embedding)
        self.gamma.fill_(1.0 / (x.shape[1] * x.var()))
        for pair, (first, second) in enumerate(combinations(range(self.signs.shape[1]), 2)):
            inside = np.flatnonzero((y == first) | (y == second))
            if len(np.unique(y[inside])) == 2:
                machine = SVC(C=penalty, gamma=float(self.gamma)).fit(x[inside], y[inside] == first)
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


def lda_with_svm(
    embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, shrinkage: float = 0.3
) -> LDAWithSVM:
    """Both, fitted to training clips [N, D] with labels [N]."""
    head = LDAWithSVM(embedding.shape[1], n_classes, len(embedding))
    head.linear = discriminant(embedding, labels, n_classes, shrinkage)
    head.svm.fit(embedding, labels)
    with torch.no_grad():
        head.spread.copy_(torch.stack([part(embedding).std(dim=1).mean() for part in (head.linear, head.svm)]))
    return head.eval()


SOLVERS: dict[str, Callable[..., nn.Module]] = {
    "pooled_lda": discriminant,
    "pooled_lda_svm": lda_with_svm,
    "scattering_svm": linear_svm,
}


def solve(model: AudioClassifier, name: str, features: torch.Tensor, labels: torch.Tensor, **options: float) -> None:
    """Fit standardisation and head of a model of this file, in place.

    Args:
        model: built by this file's builder `name`.
        name: a key of `SOLVERS`.
        features: what the front end makes of the training clips, [N, D].
        labels: [N], class indices.
        options: strengths of the solver instead of its own: `shrinkage` or `penalty`.

    Raises:
        InputError: the clips are of fewer than two classes.
    """
    if len(labels.unique()) < 2:
        raise InputError(f"model {name!r}: training clips of one class only; give at least two")
    model.encoder.estimate(features)
    with torch.no_grad():
        embedding = model.encoder(features)
    model.head = SOLVERS[name](embedding, labels, model.head.out_features, **options)


def _arrays(embedding: torch.Tensor, labels: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    return embedding.double().numpy(), labels.numpy()


def _linear(fitted: object, n_classes: int) -> nn.Linear:
    """A fitted linear classifier of scikit-learn as a layer."""
    coefficients, intercepts = class_columns(fitted, n_classes, NEVER)
    head = nn.Linear(*coefficients.shape)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(coefficients.T))
        head.bias.copy_(torch.from_numpy(intercepts))
    return head


def _fixed(frontend: nn.Module, n_classes: int) -> AudioClassifier:
    encoder = Standardise(list(frontend.widths.values()))
    return AudioClassifier(frontend, encoder, nn.Linear(encoder.width, n_classes)).eval()


def _pooled(n_classes: int, mel: dict) -> AudioClassifier:
    """Only the sample rate of `mel` counts; the statistics have an analysis of their own."""
    return _fixed(TimbreStatistics(mel["sample_rate"]), n_classes)


def _pooled_with_svm(n_classes: int, mel: dict, vectors: int = 0) -> AudioClassifier:
    """Only the sample rate of `mel` counts; `vectors` is the number of training clips, which a checkpoint knows."""
    model = _pooled(n_classes, mel)
    model.head = LDAWithSVM(model.encoder.width, n_classes, vectors)
    return model.eval()


def _scattering(n_classes: int, mel: dict, seconds: float = 3.0) -> AudioClassifier:
    """Only the sample rate of `mel` counts."""
    return _fixed(Scattering(round(seconds * mel["sample_rate"])), n_classes)


MODELS = {"pooled_lda": _pooled, "pooled_lda_svm": _pooled_with_svm, "scattering_svm": _scattering}
