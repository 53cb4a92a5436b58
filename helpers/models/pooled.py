"""Recognisers without a network: pooled statistics + linear discriminant or a committee, scattering + linear SVM.

Fixed features, standardised, and a head that is solved. They need dozens of tracks, not hundreds, train in seconds,
and are ordinary `Recogniser`s: the checkpoint is theirs as it is a CNN's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from helpers.features.scattering import Scattering
from helpers.features.timbre import TimbreStatistics
from helpers.models.base import Recogniser
from helpers.models.duels import Committee, committee
from helpers.models.linear_heads import Standardise, discriminant, support_vectors

SOLVERS: dict[str, Callable[[torch.Tensor, torch.Tensor, int], nn.Module]] = {  # strengths by cross-validation
    "pooled_lda": partial(discriminant, shrinkage=0.3),
    "pooled_committee": committee,
    "scattering_svm": partial(support_vectors, penalty=1.0),
}


def solve(model: Recogniser, name: str, features: torch.Tensor, labels: torch.Tensor) -> None:
    """Fit standardisation and head of a model of this file, in place.

    Args:
        model: built by this file's builder `name`.
        name: a key of `SOLVERS`.
        features: what the front end makes of the training clips, [N, D].
        labels: [N], class indices.
    """
    model.encoder.estimate(features)
    with torch.no_grad():
        embedding = model.encoder(features)
    model.head = SOLVERS[name](embedding, labels, model.head.out_features)


def _fixed(frontend: nn.Module, n_classes: int) -> Recogniser:
    encoder = Standardise(list(frontend.widths.values()))
    return Recogniser(frontend, encoder, nn.Linear(encoder.width, n_classes)).eval()


def _pooled(n_classes: int, mel: dict) -> Recogniser:
    """Only the sample rate of `mel` counts; the statistics have an analysis of their own."""
    return _fixed(TimbreStatistics(mel["sample_rate"]), n_classes)


def _committee(n_classes: int, mel: dict, vectors: int = 0) -> Recogniser:
    """Only the sample rate of `mel` counts; `vectors` is the number of training clips, which a checkpoint knows."""
    model = _pooled(n_classes, mel)
    model.head = Committee(model.encoder.width, n_classes, vectors)
    return model.eval()


def _scattering(n_classes: int, mel: dict, seconds: float = 3.0) -> Recogniser:
    """Only the sample rate of `mel` counts."""
    return _fixed(Scattering(round(seconds * mel["sample_rate"])), n_classes)


MODELS = {"pooled_lda": _pooled, "pooled_committee": _committee, "scattering_svm": _scattering}
