"""What every model has (front end, encoder, head), the parts that several share, and what can be done with a network.

Explained in notebooks 03 (a first network, its stages and what it looks at) and 06 (normalisations). B batch,
C channels, M mel bands, F frames, T positions in time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from helpers.config import InputError, MelConfig
from helpers.features.mel import MelFrontend

COPIES, NOISE = 16, 0.15  # of a spectrogram whose saliency is averaged; their noise's deviation, where its own is 1
GRID = 4  # bins; strided convolutions leave a checkerboard of this size in a gradient, which is averaged out


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


def mel_classifier(
    kind: Callable[..., nn.Module], n_classes: int, mel: dict[str, Any], dropout: float = 0.3, **options: Any
) -> AudioClassifier:
    """`kind(config, **options)`, an encoder [B, 1, M, F] -> [B, width], between mel front end and linear head.

    `mel` are fields of `MelConfig`.
    """
    config = MelConfig(**mel)
    encoder = kind(config, **options)
    return AudioClassifier(MelFrontend(config), encoder, linear_head(encoder.width, n_classes, dropout))


BATCH, INSTANCE = (nn.BatchNorm1d, nn.BatchNorm2d), (nn.InstanceNorm1d, nn.InstanceNorm2d)
KINDS: dict[str, Callable[[int, int], nn.Module]] = {
    "batch": lambda channels, dimensions: BATCH[dimensions - 1](channels),  # Ioffe and Szegedy 2015
    "layer": lambda channels, dimensions: nn.GroupNorm(1, channels),  # Ba et al. 2016
    "instance": lambda channels, dimensions: INSTANCE[dimensions - 1](channels, affine=True),  # Ulyanov et al. 2016
    "group": lambda channels, dimensions: nn.GroupNorm(8, channels),  # Wu and He 2018; all widths are multiples of 8
}


def normalisation(kind: str, channels: int, dimensions: int = 2) -> nn.Module:
    """A normalisation of [B, C, T] (1 dimension) or [B, C, M, F] (2), with a learned scale and offset a channel.

    Layer and group normalise each item over its channels and positions, instance over its positions, batch over the
    batch and its positions. An InputError if `kind` is no key of `KINDS`.
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
    convolution, max_pool = ((nn.Conv1d, nn.MaxPool1d), (nn.Conv2d, nn.MaxPool2d))[dimensions - 1]
    norm = normalisation(kind, outputs, dimensions)
    return nn.Sequential(convolution(inputs, outputs, 3, padding=1, bias=False), norm, nn.ReLU(), max_pool(pool))


def renormalise(network: nn.Module, kind: str) -> nn.Module:
    """Replace every 2-D batch normalisation of a network by the given kind, in place."""
    for name, child in list(network.named_modules()):
        if isinstance(child, nn.BatchNorm2d):
            network.set_submodule(name, normalisation(kind, child.num_features))
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
    network = copy.deepcopy(network).eval()
    parts = {"mel": network.frontend}
    for name, child in network.encoder.named_children():
        blocks = enumerate(child, 1) if name == "blocks" else ()
        parts |= {f"block {number}": block for number, block in blocks} or {name: child}
    shapes: dict[str, list[int]] = {}
    for name, part in (parts | {"embedding": network.encoder, "classes": network.head}).items():
        part.register_forward_hook(lambda *call, name=name: shapes.update({name: list(call[-1].shape[1:])}))
    network(torch.zeros(1, samples))
    following = [*list(shapes.values())[1:], None]
    return [{"layer": name, "shape": shape} for (name, shape), after in zip(shapes.items(), following, strict=True)
            if shape != after]  # fmt: skip


@torch.no_grad()
def spectrogram(network: AudioClassifier, waveform: np.ndarray) -> np.ndarray:
    """What the front end hands to the encoder for [samples]: float32 [n_mels, frames]."""
    return network.eval().frontend(torch.from_numpy(waveform)[None])[0, 0].numpy()


def saliency(network: AudioClassifier, waveform: np.ndarray, label: int) -> np.ndarray:
    """How much each bin of `spectrogram` moves the logit of a class, smoothed: float32 [n_mels, frames], 0..1.

    SmoothGrad (Smilkov et al., 2017), a mean over noisy copies, of gradients (Simonyan et al., 2013).
    """
    features = torch.from_numpy(spectrogram(network, waveform))
    noise = torch.randn((COPIES, 1, *features.shape), generator=torch.Generator().manual_seed(0))
    noisy = (features + NOISE * noise).requires_grad_(True)
    (gradient,) = torch.autograd.grad(network.head(network.encoder(noisy))[:, label].sum(), noisy)
    strength = gradient.abs().mean(dim=(0, 1), keepdim=True)
    strength = avg_pool2d(strength, GRID + 1, stride=1, padding=GRID // 2, count_include_pad=False)[0, 0]
    return (strength / strength.max().clamp_min(1e-12)).numpy()
