"""Linear classifiers that are solved rather than trained, for embeddings of few clips: weights for `nn.Linear`.

Axis letters: N clips, D embedding, C classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

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
