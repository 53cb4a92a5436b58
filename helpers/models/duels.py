"""A committee of two: linear discriminant and one-against-one support-vector machines with a Gaussian kernel.

They err differently on few tracks: the discriminant trusts the overall shape of a genre, the machines its borders.

Axis letters: B clips, D embedding, C classes, N training clips, P pairs of classes.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import nn

from helpers.models.linear_heads import discriminant

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

    def fit(self, embedding: torch.Tensor, labels: torch.Tensor) -> None:
        """Fit both to training clips [N, D]."""
        self.linear = discriminant(embedding, labels, self.out_features, SHRINKAGE)
        self.duels.fit(embedding, labels)
        with torch.no_grad():
            self.spread.copy_(torch.stack([m(embedding).std(dim=1).mean() for m in (self.linear, self.duels)]))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """[B, D] -> scores [B, C]."""
        return self.linear(embedding) / self.spread[0] + self.duels(embedding) / self.spread[1]


def committee(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int) -> Committee:
    """A fitted committee for training clips [N, D] with labels [N]."""
    head = Committee(embedding.shape[1], n_classes, len(embedding))
    head.fit(embedding, labels)
    return head.eval()
