"""Normalisation layers by name, and a network with its batch normalisation replaced by another one.

Batch: Ioffe and Szegedy 2015; layer: Ba et al. 2016; instance: Ulyanov et al. 2016; group: Wu and He 2018.
"""

from __future__ import annotations

from torch import nn

from helpers.config import InputError

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
