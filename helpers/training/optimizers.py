"""Optimisers by name, parameter groups with their learning rates, and the schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from helpers.config import TrainConfig

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
    """Head (and front end) at the full learning rate, the encoder's blocks at lower ones the deeper they lie."""
    rate, blocks = config.learning_rate * config.encoder_lr_scale, list(getattr(model.encoder, "blocks", []))
    groups, taken = [], set()
    for depth, block in enumerate(reversed(blocks), start=1):
        groups.append({"params": list(block.parameters()), "lr": rate * config.layer_lr_decay**depth})
        taken.update(map(id, block.parameters()))
    inner = [p for p in model.encoder.parameters() if id(p) not in taken]
    groups.append({"params": inner, "lr": rate})
    taken.update(map(id, inner))
    groups.append({"params": [p for p in model.parameters() if id(p) not in taken], "lr": config.learning_rate})
    return [group for group in groups if group["params"]]


def schedule(optimizer: torch.optim.Optimizer, name: str, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Factor on all learning rates, step by step: constant, or linear warm-up and half a cosine down to zero."""
    warm = max(1, round(WARM_UP * steps))

    def cosine(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, {"constant": lambda step: 1.0, "cosine": cosine}[name])
