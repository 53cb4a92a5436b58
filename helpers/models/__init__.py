"""Models by name: `build(name, n_classes, seed, …)` is the one place that makes random weights.

A lineage is a file of this package with a dictionary `MODELS: name -> builder(n_classes, **arguments)`; it is
imported only when one of its models is asked for, so that inference on NSynth never loads torchvision or kymatio.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.config import InputError

LINEAGES = {
    "notes": ("short_chunk_cnn", "short_chunk_cnn_res", "compact_cnn", "spectrogram_transformer", "ensemble"),
    "cnns": ("cnn_var_time", "cnn_1d_5l", "cnn_2d_4l", "cnn_2d_4l_gru", "sample_cnn", "auditory_pathway"),
    "multistft": ("three_band", "nine_branch", "one_branch"),
    "panns": ("panns_cnn6", "panns_cnn10", "panns_cnn14"),
    "frames": ("film_crnn", "film_statistics", "film_ensemble"),
    "vision": ("alexnet", "vgg11", "vgg13", "vgg16", "vgg19", "googlenet", "resnet34", "resnet50", "densenet121"),
    "linear": ("note_statistics", "instrument_statistics", "pooled_lda", "pooled_lda_svm", "scattering_svm"),
}
Builder = Callable[..., nn.Module]  # (n_classes, **plain values) -> network
MODELS: dict[str, str | Builder] = {name: file for file, names in LINEAGES.items() for name in names}


def register(name: str, builder: Builder) -> None:
    """Add a model from outside of this package, so that `build`, training and checkpoints know it by name."""
    MODELS[name] = builder


def build(name: str, n_classes: int, seed: int = 0, **arguments: Any) -> nn.Module:
    """Build the model `name` of `MODELS` with random weights, the same ones for the same seed in every process.

    `arguments` are plain values for the builder that travel in the checkpoint. The generators of the caller are left as
    they are. An InputError if there is no such model, or it does not take these arguments.
    """
    found = MODELS.get(name)
    if found is None:
        raise InputError(f"model {name!r}: unknown; choose one of {', '.join(sorted(MODELS))}")
    builder = importlib.import_module(f"helpers.models.{found}").MODELS[name] if isinstance(found, str) else found
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # weights are drawn on the processor
            return builder(n_classes=n_classes, **arguments)
    except (TypeError, ValueError) as error:
        raise InputError(f"model {name!r}: does not take these arguments ({error})") from None
