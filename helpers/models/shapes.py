"""How a recogniser changes the shape of a waveform, stage by stage: what a drawing of it needs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers.models.base import Recogniser


@torch.no_grad()
def stages(network: Recogniser, samples: int) -> list[dict[str, Any]]:
    """Name and output shape, without the batch, of front end, encoder stages and head: {"layer", "shape"}.

    Shapes are [channels, bands, frames] as long as there is a picture, then [values].
    """
    encoder = [(name, child) for name, child in network.encoder.named_children() if isinstance(child, nn.Module)]
    parts = [("mel", network.frontend)]
    for name, child in encoder:
        listed = isinstance(child, nn.ModuleList)
        parts += [(f"block {n}", block) for n, block in enumerate(child, 1)] if listed else [(name, child)]
    parts += [("embedding", network.encoder), ("classes", network.head)]
    found: list[dict[str, Any]] = []
    hooks = [part.register_forward_hook(_recorder(name, found)) for name, part in parts]
    was_training = network.training
    try:
        network.eval()(torch.zeros(1, samples))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    following = [stage["shape"] for stage in found[1:]] + [None]  # of stages with one shape the last is named
    return [stage for stage, after in zip(found, following, strict=True) if stage["shape"] != after]


def _recorder(name: str, found: list[dict[str, Any]]):
    def record(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        found.append({"layer": name, "shape": list(output.shape[1:])})

    return record
