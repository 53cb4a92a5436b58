"""Losses by name, all with the signature (logits, targets, class_weights) -> scalar.

Targets are floats in 0..1 of the logits' shape [..., classes]; in the binary losses NaN marks what is not known and
does not count.
`class_weights` is [classes].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
    """Softmax cross entropy with soft targets (label smoothing and mixing are in them), all of which must be known."""
    per_class = -class_weights * targets * F.log_softmax(logits, dim=-1)
    return per_class.sum(dim=-1).mean()


def bce(logits: torch.Tensor, targets: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy, one decision a class."""
    known = ~torch.isnan(targets)
    losses = F.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return _mean(losses * class_weights, known)


def focal(logits: torch.Tensor, targets: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
    """Binary focal loss with gamma = 2 (Lin et al., Focal loss for dense object detection, ICCV 2017)."""
    known, targets = ~torch.isnan(targets), targets.nan_to_num()
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    probability = torch.sigmoid(logits)
    wrongness = probability * (1 - targets) + (1 - probability) * targets
    return _mean(losses * wrongness**2 * class_weights, known)


def asymmetric(logits: torch.Tensor, targets: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
    """Asymmetric loss, gamma+ = 0, gamma- = 4, margin 0.05 (Ben-Baruch et al., ICCV 2021)."""
    known, targets = ~torch.isnan(targets), targets.nan_to_num()
    probability = torch.sigmoid(logits)
    shifted = (probability - 0.05).clamp_min(0)
    positive = targets * F.logsigmoid(logits)
    negative = (1 - targets) * shifted**4 * torch.log((1 - shifted).clamp_min(1e-8))
    return _mean(-(positive + negative) * class_weights, known)


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy, "bce": bce, "focal": focal, "asymmetric": asymmetric}


def _mean(losses: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    return (losses * known).sum() / known.sum().clamp_min(1)
