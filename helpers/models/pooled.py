"""Linear classifiers that are solved rather than trained, for embeddings of few clips: weights for `nn.Linear`.

Axis letters: N clips, D embedding, C classes.

A committee of two: linear discriminant and one-against-one support-vector machines with a Gaussian kernel.

They err differently on few tracks: the discriminant trusts the overall shape of a genre, the machines its borders.

Axis letters: B clips, D embedding, C classes, N training clips, P pairs of classes.

Recognisers without a network: pooled statistics + linear discriminant or a committee, scattering + linear SVM.

Fixed features, standardised, and a head that is solved. They need dozens of tracks, not hundreds, train in seconds,
and are ordinary `AudioClassifier`s: the checkpoint is theirs as it is a CNN's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.features.music import TimbreStatistics
from helpers.features.scattering import Scattering
from helpers.models.base import AudioClassifier

SMALLEST = 1e-6  # spread below which a feature counts as constant
SVM_STEPS = 200  # of L-BFGS at most; the problem is convex


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


def discriminant(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, shrinkage: float) -> nn.Linear:
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
    x = embedding.double()
    counts = torch.bincount(labels, minlength=n_classes)
    sums = torch.zeros(n_classes, x.shape[1], dtype=x.dtype).index_add_(0, labels, x)
    means = sums / counts.clamp_min(1)[:, None]
    centred = x - means[labels]
    covariance = centred.T @ centred / len(x)
    variance = covariance.diagonal().mean()
    covariance = (1 - shrinkage) * covariance + shrinkage * variance * torch.eye(x.shape[1], dtype=x.dtype)
    weight = torch.linalg.solve(covariance, means.T).T  # [C, D]
    bias = -0.5 * (weight * means).sum(dim=1)
    return _linear(weight, bias.masked_fill(counts == 0, -1e9))


def support_vectors(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, penalty: float) -> nn.Linear:
    """Linear support-vector machines with squared hinge loss, one class against the rest.

    Minimises |w|^2 / 2 + penalty * sum(max(0, 1 - y (w x + b))^2) for each class, the bias regularised as well.
    """
    x = F.pad(embedding.double(), (0, 1), value=1.0)  # [N, D + 1], the last one carries the bias
    signs = 2.0 * F.one_hot(labels, n_classes).double() - 1.0
    weight = torch.zeros(n_classes, x.shape[1], dtype=x.dtype, requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=SVM_STEPS, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        hinge = (1 - signs * (x @ weight.T)).clamp_min(0).square().sum()
        total = weight.square().sum() / 2 + penalty * hinge
        total.backward()
        return total

    solver.step(loss)
    return _linear(weight[:, :-1].detach(), weight[:, -1].detach())


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    head = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
    return head


SHRINKAGE = 0.3
PENALTY = 10.0


class Duels(nn.Module):
    """Votes of a support-vector machine for each pair of classes (Chang and Lin, LIBSVM, 2011)."""

    def __init__(self, width: int, n_classes: int, n_vectors: int) -> None:
        super().__init__()
        pairs = list(combinations(range(n_classes), 2))
        signs = torch.zeros(len(pairs), n_classes)
        for row, (first, second) in enumerate(pairs):
            signs[row, first], signs[row, second] = 1.0, -1.0
        self.register_buffer("signs", signs, persistent=False)  # [P, C]
        self.register_buffer("vectors", torch.zeros(n_vectors, width))  # [N, D]
        self.register_buffer("coefficients", torch.zeros(n_vectors, len(pairs)))  # [N, P]
        self.register_buffer("offsets", torch.zeros(len(pairs)))
        self.register_buffer("gamma", torch.tensor(1.0))

    def fit(self, embedding: torch.Tensor, labels: torch.Tensor) -> None:
        """Fit the machine of each pair to training clips [N, D]; the kernel's width follows their variance."""
        from sklearn.svm import SVC

        x, y = embedding.double().numpy(), labels.numpy()
        self.vectors.copy_(embedding)
        self.gamma.fill_(1.0 / (x.shape[1] * x.var()))
        for pair, (first, second) in enumerate(combinations(range(self.signs.shape[1]), 2)):
            inside = torch.nonzero((labels == first) | (labels == second))[:, 0]
            if len(labels[inside].unique()) < 2:
                continue
            machine = SVC(C=PENALTY, gamma=float(self.gamma)).fit(x[inside], y[inside] == first)
            self.coefficients[inside[machine.support_], pair] = torch.tensor(machine.dual_coef_[0]).float()
            self.offsets[pair] = float(machine.intercept_[0])

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """[B, D] -> [B, C]: duels won minus duels lost, and less than one more for how clearly."""
        kernel = torch.exp(-self.gamma * torch.cdist(embedding, self.vectors).square())  # [B, N]
        margins = kernel @ self.coefficients + self.offsets  # [B, P]
        clarity = margins @ self.signs
        return margins.sign() @ self.signs / 2 + clarity / (3 * (clarity.abs() + 1))


class Committee(nn.Module):
    """Mean of the discriminant's scores and the duels, each scaled to unit spread over classes on training clips."""

    def __init__(self, width: int, n_classes: int, n_vectors: int) -> None:
        super().__init__()
        self.linear, self.duels = nn.Linear(width, n_classes), Duels(width, n_classes, n_vectors)
        self.register_buffer("spread", torch.ones(2))
        self.out_features = n_classes

    def fit(self, embedding: torch.Tensor, labels: torch.Tensor, shrinkage: float) -> None:
        """Fit both to training clips [N, D]."""
        self.linear = discriminant(embedding, labels, self.out_features, shrinkage)
        self.duels.fit(embedding, labels)
        with torch.no_grad():
            self.spread.copy_(torch.stack([m(embedding).std(dim=1).mean() for m in (self.linear, self.duels)]))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """[B, D] -> scores [B, C]."""
        return self.linear(embedding) / self.spread[0] + self.duels(embedding) / self.spread[1]


def committee(
    embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, shrinkage: float = SHRINKAGE
) -> Committee:
    """A fitted committee for training clips [N, D] with labels [N]."""
    head = Committee(embedding.shape[1], n_classes, len(embedding))
    head.fit(embedding, labels, shrinkage)
    return head.eval()


SOLVERS: dict[str, Callable[[torch.Tensor, torch.Tensor, int], nn.Module]] = {  # strengths by cross-validation
    "pooled_lda": partial(discriminant, shrinkage=0.3),
    "pooled_committee": committee,
    "scattering_svm": partial(support_vectors, penalty=1.0),
}


def solve(
    model: AudioClassifier, name: str, features: torch.Tensor, labels: torch.Tensor, **options: float
) -> None:
    """Fit standardisation and head of a model of this file, in place.

    Args:
        model: built by this file's builder `name`.
        name: a key of `SOLVERS`.
        features: what the front end makes of the training clips, [N, D].
        labels: [N], class indices.
        options: strengths of the solver instead of its own: `shrinkage` or `penalty`.
    """
    model.encoder.estimate(features)
    with torch.no_grad():
        embedding = model.encoder(features)
    model.head = SOLVERS[name](embedding, labels, model.head.out_features, **options)


def _fixed(frontend: nn.Module, n_classes: int) -> AudioClassifier:
    encoder = Standardise(list(frontend.widths.values()))
    return AudioClassifier(frontend, encoder, nn.Linear(encoder.width, n_classes)).eval()


def _pooled(n_classes: int, mel: dict) -> AudioClassifier:
    """Only the sample rate of `mel` counts; the statistics have an analysis of their own."""
    return _fixed(TimbreStatistics(mel["sample_rate"]), n_classes)


def _committee(n_classes: int, mel: dict, vectors: int = 0) -> AudioClassifier:
    """Only the sample rate of `mel` counts; `vectors` is the number of training clips, which a checkpoint knows."""
    model = _pooled(n_classes, mel)
    model.head = Committee(model.encoder.width, n_classes, vectors)
    return model.eval()


def _scattering(n_classes: int, mel: dict, seconds: float = 3.0) -> AudioClassifier:
    """Only the sample rate of `mel` counts."""
    return _fixed(Scattering(round(seconds * mel["sample_rate"])), n_classes)


MODELS = {"pooled_lda": _pooled, "pooled_committee": _committee, "scattering_svm": _scattering}
