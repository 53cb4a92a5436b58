"""Losses by name, all with the signature (logits, targets, class_weights) -> scalar.

Targets are floats in 0..1 of the logits' shape [..., classes]; in the binary losses NaN marks what is not known and
does not count.
`class_weights` is [classes].

Optimisers by name, parameter groups with their learning rates, and the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from helpers.config import TrainConfig

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


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda groups, **settings: torch.optim.SGD(groups, momentum=0.9, nesterov=True, **settings),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
WARM_UP = 0.1  # of all steps


def optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser of a recipe over the groups of `parameter_groups`."""
    return OPTIMIZERS[config.optimizer](
        parameter_groups(model, config), lr=config.learning_rate, weight_decay=config.weight_decay
    )


def parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict]:
    """Head (and front end) at the full learning rate, the encoder's blocks at lower ones the deeper they lie.

    Weight decay is for matrices and kernels: biases and normalisations are in groups without.
    """
    rate, blocks = config.learning_rate * config.encoder_lr_scale, list(getattr(model.encoder, "blocks", []))
    groups, taken = [], set()
    for depth, block in enumerate(reversed(blocks), start=1):
        groups.append({"params": list(block.parameters()), "lr": rate * config.layer_lr_decay**depth})
        taken.update(map(id, block.parameters()))
    inner = [p for p in model.encoder.parameters() if id(p) not in taken]
    groups.append({"params": inner, "lr": rate})
    taken.update(map(id, inner))
    groups.append({"params": [p for p in model.parameters() if id(p) not in taken], "lr": config.learning_rate})
    free = [{**group, "params": [p for p in group["params"] if p.ndim < 2], "weight_decay": 0.0} for group in groups]
    groups = [{**group, "params": [p for p in group["params"] if p.ndim > 1]} for group in groups]
    return [group for group in groups + free if group["params"]]


def schedule(optimizer: torch.optim.Optimizer, name: str, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Factor on all learning rates, step by step: constant, or linear warm-up and half a cosine down to zero."""
    warm = max(1, round(WARM_UP * steps))

    def cosine(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, {"constant": lambda step: 1.0, "cosine": cosine}[name])
