"""Torchvision's networks on one-channel log-mel spectrograms, from random weights (notebook 06).

AlexNet (Krizhevsky 2012, as in arXiv:1404.5997), VGG with normalisation (Simonyan and Zisserman 2014), GoogLeNet
(Szegedy et al. 2014), ResNet (He et al. 2015), DenseNet (Huang et al. 2016). Two things differ from the originals.
The first convolution has one input channel. The fully connected layers of AlexNet and VGG, which hold nine tenths of
their weights and fix the size of the picture, give way to a global mean, as in the younger three; so every network
is convolutions, a mean and one linear layer, and takes inputs of any length above 63 frames.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torchvision import models as vision

from helpers.config import MelConfig
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier, linear_head, renormalise
from helpers.models.base import normalisation as named_normalisation

DROPOUT = 0.3


class VisionEncoder(nn.Module):
    """Stages of a picture network, a global mean, and the embedding."""

    def __init__(self, stages: nn.Module, width: int) -> None:
        super().__init__()
        self.stages, self.width = stages, width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]; needs 63 bands and 63 frames."""
        return self.stages(x)


def one_channel(network: nn.Module) -> nn.Module:
    """Replace the first convolution by one with a single input channel, in place."""
    for parent in network.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d):
                first = nn.Conv2d(1, child.out_channels, child.kernel_size, child.stride, child.padding,
                                  bias=child.bias is not None)
                setattr(parent, name, first)
                return network
    raise ValueError("the network has no convolution")


def _convolutions_only(features: nn.Module) -> nn.Module:
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _alexnet(kind: str) -> VisionEncoder:
    """AlexNet predates normalisation layers; they stand behind its convolutions, so that the kinds can be compared."""
    layers: list[nn.Module] = []
    for layer in vision.alexnet(weights=None).features:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(named_normalisation(kind, layer.out_channels))
    return VisionEncoder(one_channel(_convolutions_only(nn.Sequential(*layers))), 256)


def _vgg(constructor: Callable[..., nn.Module]) -> Callable[[str], VisionEncoder]:
    def encoder(kind: str) -> VisionEncoder:
        with torch.device("meta"):  # the unused classifier alone would take 400 MB
            features = constructor(weights=None, init_weights=False).features
        features = _initialised(features.to_empty(device="cpu"))
        return VisionEncoder(renormalise(one_channel(_convolutions_only(features)), kind), 512)

    return encoder


def _initialised(network: nn.Module) -> nn.Module:
    """Random weights for a network that was built without memory; He's for convolutions, as torchvision's VGG."""
    for layer in network.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network


def _pooled(constructor: Callable[..., nn.Module], classifier: str, **settings: bool) -> Callable[[str], VisionEncoder]:
    """A network that already ends in a global mean: only its last linear layer, named `classifier`, goes."""

    def encoder(kind: str) -> VisionEncoder:
        network = constructor(weights=None, **settings)
        width = getattr(network, classifier).in_features
        setattr(network, classifier, nn.Identity())
        return VisionEncoder(renormalise(one_channel(network), kind), width)

    return encoder


def _builder(encoder_of: Callable[[str], VisionEncoder]) -> Callable[..., AudioClassifier]:
    def build(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
        encoder = encoder_of(normalisation)
        return AudioClassifier(MelFrontend(MelConfig(**mel)), encoder, linear_head(encoder.width, n_classes, DROPOUT))

    return build


MODELS = {
    "alexnet": _builder(_alexnet),
    "vgg11": _builder(_vgg(vision.vgg11_bn)),
    "vgg13": _builder(_vgg(vision.vgg13_bn)),
    "vgg16": _builder(_vgg(vision.vgg16_bn)),
    "vgg19": _builder(_vgg(vision.vgg19_bn)),
    "googlenet": _builder(_pooled(vision.googlenet, "fc", aux_logits=False, init_weights=False)),
    "resnet34": _builder(_pooled(vision.resnet34, "fc")),
    "resnet50": _builder(_pooled(vision.resnet50, "fc")),
    "densenet121": _builder(_pooled(vision.densenet121, "classifier")),
}
