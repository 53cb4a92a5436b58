"""What every model has (front end, encoder, head), the parts that several share, and what can be done with a network.

Explained in notebooks 03 (a first network and its stages) and 06 (normalisations). B batch, C channels, M mel bands,
F frames, T positions in time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.config import InputError, MelConfig
from helpers.features.mel import MelFrontend


class AudioClassifier(nn.Module):
    """waveform [B, samples] -> front end -> encoder -> head -> logits [B, classes].

    `encoder.width` is the size of the embedding.
    """

    def __init__(self, frontend: nn.Module, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.frontend, self.encoder, self.head = frontend, encoder, head

    def embed(self, waveform: torch.Tensor) -> torch.Tensor:
        """Embedding [B, width] that the head decides on."""
        return self.encoder(self.frontend(waveform))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Logits [B, classes]."""
        return self.head(self.embed(waveform))


def linear_head(width: int, n_classes: int, dropout: float = 0.3) -> nn.Sequential:
    """Dropout and one linear layer."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(width, n_classes))


def mel_classifier(mel: dict[str, Any], encoder: nn.Module, n_classes: int, dropout: float = 0.3) -> AudioClassifier:
    """An encoder [B, 1, M, F] -> [B, width] between the mel front end (fields of `MelConfig`) and a linear head."""
    return AudioClassifier(MelFrontend(MelConfig(**mel)), encoder, linear_head(encoder.width, n_classes, dropout))


# batch: Ioffe and Szegedy 2015; layer: Ba et al. 2016; instance: Ulyanov et al. 2016; group: Wu and He 2018
KINDS: dict[str, Callable[[int, int], nn.Module]] = {
    "batch": lambda channels, dimensions: {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[dimensions](channels),
    "layer": lambda channels, dimensions: nn.GroupNorm(1, channels),
    "instance": lambda channels, dimensions: {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d}[dimensions](
        channels, affine=True
    ),
    "group": lambda channels, dimensions: nn.GroupNorm(8, channels),  # every width of the zoo is a multiple of 8
}


def normalisation(kind: str, channels: int, dimensions: int = 2) -> nn.Module:
    """A normalisation with a learned scale and offset for each channel.

    Layer and group normalise each item over its channels and positions, instance over its positions, batch over the
    batch and its positions.

    Args:
        kind: a key of `KINDS`.
        channels: of the input [B, channels, ...].
        dimensions: 1 for [B, C, T], 2 for [B, C, M, F].

    Raises:
        InputError: unknown kind.
    """
    if kind not in KINDS:
        raise InputError(f"normalisation {kind!r}: unknown; choose one of {', '.join(KINDS)}")
    return KINDS[kind](channels, dimensions)


def conv_block(
    inputs: int, outputs: int, pool: int | tuple[int, int] = 2, kind: str = "batch", dimensions: int = 2
) -> nn.Sequential:
    """conv 3 - normalisation - ReLU - max-pool, over time [B, C, T] or, with 2 dimensions, over a picture [B, C, M, F].

    The convolution has no bias, which the normalisation would take away again.
    """
    convolution, max_pool = {1: (nn.Conv1d, nn.MaxPool1d), 2: (nn.Conv2d, nn.MaxPool2d)}[dimensions]
    return nn.Sequential(
        convolution(inputs, outputs, 3, padding=1, bias=False),
        normalisation(kind, outputs, dimensions),
        nn.ReLU(),
        max_pool(pool),
    )


def renormalise(network: nn.Module, kind: str) -> nn.Module:
    """Replace every 2-D batch normalisation of a network by the given kind, in place."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, normalisation(kind, child.num_features))
    return network


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def channels_last(network: nn.Module) -> nn.Module:
    """The network, in place, with the layout in which processors and CUDA convolve fastest.

    Apple's GPUs keep PyTorch's own layout, for which its MPS operations are written.
    """
    return network if torch.backends.mps.is_available() else network.to(memory_format=torch.channels_last)


@torch.no_grad()
def stages(network: AudioClassifier, samples: int) -> list[dict[str, Any]]:
    """Name and output shape, without the batch, of front end, encoder stages and head: {"layer", "shape"}.

    Shapes are [channels, bands, frames] as long as there is a picture, then [values]. Of neighbours with one shape
    the last is named.
    """
    parts = [("mel", network.frontend)]
    for name, child in network.encoder.named_children():
        if isinstance(child, nn.ModuleList):
            parts += [(f"block {number}", block) for number, block in enumerate(child, 1)]
        else:
            parts.append((name, child))
    parts += [("embedding", network.encoder), ("classes", network.head)]
    shapes: dict[str, list[int]] = {}

    def record(name: str) -> Callable[..., None]:
        return lambda module, inputs, output: shapes.update({name: list(output.shape[1:])})

    hooks = [part.register_forward_hook(record(name)) for name, part in parts]
    was_training = network.training
    try:
        network.eval()(torch.zeros(1, samples))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    found = list(shapes.items())
    following = [shape for _, shape in found[1:]] + [None]
    return [{"layer": name, "shape": shape} for (name, shape), after in zip(found, following, strict=True)
            if shape != after]  # fmt: skip
