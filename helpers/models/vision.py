"""Torchvision's networks on one-channel log-mel spectrograms, from random weights (notebook 06).

AlexNet (Krizhevsky 2012, as in arXiv:1404.5997), VGG with normalisation (Simonyan and Zisserman 2014), GoogLeNet
(Szegedy et al. 2014), ResNet (He et al. 2015), DenseNet (Huang et al. 2016). Two things differ from the originals.
The first convolution has one input channel. The fully connected layers of AlexNet and VGG, which hold nine tenths of
their weights and fix the size of the picture, give way to a global mean, as in the younger three; so every network
is convolutions, a mean and one linear layer, and takes inputs of any length above 63 frames.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torchvision import models as vision
from torchvision.models import vgg

from helpers.config import MelConfig
from helpers.models.base import mel_classifier, normalisation, renormalise


class VisionEncoder(nn.Module):
    """Stages of a picture network that end in a global mean, the first of them with a single input channel."""

    def __init__(self, stages: nn.Module, width: int) -> None:
        super().__init__()
        name, first = next((name, child) for name, child in stages.named_modules() if isinstance(child, nn.Conv2d))
        bias = first.bias is not None
        one = nn.Conv2d(1, first.out_channels, first.kernel_size, first.stride, first.padding, bias=bias)
        stages.set_submodule(name, one)
        self.stages, self.width = stages, width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]; needs 63 bands and 63 frames."""
        return self.stages(x)


def _with_global_mean(features: nn.Module, width: int) -> VisionEncoder:
    return VisionEncoder(nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten()), width)


def _alexnet(kind: str) -> VisionEncoder:
    """AlexNet predates normalisation layers; they stand behind its convolutions, so that the kinds can be compared."""
    layers = nn.Sequential()
    for layer in vision.alexnet(weights=None).features:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(normalisation(kind, layer.out_channels))
    return _with_global_mean(layers, 256)


def _vgg(kind: str, letter: str) -> VisionEncoder:
    """The convolutions of a column of the paper's table 1."""
    features = vgg.make_layers(vgg.cfgs[letter], batch_norm=True)
    for layer in features:
        if isinstance(layer, nn.Conv2d):  # He's initialisation, as torchvision does
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return renormalise(_with_global_mean(features, 512), kind)


def _without_classifier(
    kind: str, constructor: Callable[..., nn.Module], classifier: str = "fc", **settings: bool
) -> VisionEncoder:
    """A network that already ends in a global mean: only its last linear layer, named `classifier`, goes."""
    network = constructor(weights=None, **settings)
    width = getattr(network, classifier).in_features
    setattr(network, classifier, nn.Identity())
    return renormalise(VisionEncoder(network, width), kind)


ENCODERS: dict[str, Callable[[str], VisionEncoder]] = {
    "alexnet": _alexnet,
    "vgg11": partial(_vgg, letter="A"),
    "vgg13": partial(_vgg, letter="B"),
    "vgg16": partial(_vgg, letter="D"),
    "vgg19": partial(_vgg, letter="E"),
    "googlenet": partial(_without_classifier, constructor=vision.googlenet, aux_logits=False, init_weights=False),
    "resnet34": partial(_without_classifier, constructor=vision.resnet34),
    "resnet50": partial(_without_classifier, constructor=vision.resnet50),
    "densenet121": partial(_without_classifier, constructor=vision.densenet121, classifier="classifier"),
}


def _vision(name: str, mel: MelConfig, normalisation: str = "batch") -> VisionEncoder:
    return ENCODERS[name](normalisation)


MODELS = {name: partial(mel_classifier, partial(_vision, name)) for name in ENCODERS}
