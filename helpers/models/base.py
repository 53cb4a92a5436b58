"""What every model has (front end, encoder, head), and what can be done with it: memory layout, stages, normalisation.

Explained in notebooks 03 (a first network and its stages) and 06 (normalisations).
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from helpers.config import InputError


class AudioClassifier(nn.Module):
    """waveform [batch, samples] -> front end -> encoder -> head -> logits [batch, classes].

    `encoder.width` is the size of the embedding; `encoder.blocks`, where it exists, lists its stages from input to
    output for layer-wise learning rates.
    """

    def __init__(self, frontend: nn.Module, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.frontend, self.encoder, self.head = frontend, encoder, head

    def embed(self, waveform: torch.Tensor) -> torch.Tensor:
        """Embedding [batch, width] that the head decides on."""
        return self.encoder(self.frontend(waveform))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Logits [batch, classes]."""
        return self.head(self.embed(waveform))


def linear_head(width: int, n_classes: int, dropout: float = 0.3) -> nn.Module:
    """Dropout and one linear layer."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(width, n_classes))


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def channels_last(network: nn.Module) -> nn.Module:
    """The network, in place, with the layout in which processors and CUDA convolve fastest.

    Apple's GPUs keep PyTorch's own layout, for which its MPS operations are written.
    """
    return network if torch.backends.mps.is_available() else network.to(memory_format=torch.channels_last)


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode, its batch normalisations folded into the convolutions before them.

    The answers are the same up to rounding, a third of the passes over memory is saved; it cannot be trained on.
    """
    folded = copy.deepcopy(network).eval()
    for part in folded.modules():
        if isinstance(part, nn.Sequential):
            for name, following in zip(list(part._modules), list(part._modules)[1:], strict=False):
                convolution, norm = part._modules[name], part._modules[following]
                if isinstance(convolution, nn.Conv1d | nn.Conv2d) and isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                    part._modules[name] = fuse_conv_bn_eval(convolution, norm)
                    part._modules[following] = nn.Identity()
    return folded


@torch.no_grad()
def stages(network: AudioClassifier, samples: int) -> list[dict[str, Any]]:
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


# batch: Ioffe and Szegedy 2015; layer: Ba et al. 2016; instance: Ulyanov et al. 2016; group: Wu and He 2018
KINDS = ("batch", "layer", "instance", "group")
GROUPS = 8  # of channels in group normalisation; every width of the zoo is a multiple of it
BATCH = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
INSTANCE = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d}


def normalisation(kind: str, channels: int, dimensions: int = 2) -> nn.Module:
    """A normalisation with a learned scale and offset for each channel.

    Args:
        kind: one of `KINDS`. Layer and group normalise each item over its channels and positions, instance over its
            positions, batch over the batch and its positions.
        channels: of the input [B, channels, ...].
        dimensions: 1 for [B, channels, T], 2 for [B, channels, M, F].

    Raises:
        InputError: unknown kind.
    """
    if kind not in KINDS:
        raise InputError(f"normalisation {kind!r}: unknown; choose one of {', '.join(KINDS)}")
    if kind == "batch":
        return BATCH[dimensions](channels)
    if kind == "instance":
        return INSTANCE[dimensions](channels, affine=True)
    return nn.GroupNorm(1 if kind == "layer" else GROUPS, channels)


def renormalise(network: nn.Module, kind: str) -> nn.Module:
    """Replace every 2-D batch normalisation of a network by the given kind, in place."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, normalisation(kind, child.num_features))
    return network
