"""Models by name.

A lineage is a file of this package with a dictionary `MODELS: name -> builder(n_classes, **arguments)`; it is
imported only when one of its models is asked for, so that inference on NSynth never loads torchvision or kymatio.
"""

from __future__ import annotations

import importlib
from typing import Any

from torch import nn

from helpers.config import InputError

LINEAGES = {
    "short_chunk_cnn": "notes",
    "short_chunk_cnn_res": "notes",
    "compact_cnn": "notes",
    "spectrogram_transformer": "notes",
    "ensemble": "notes",
    "cnn_var_time": "multilabel",
    "timbre_cnn": "multilabel",
    "three_band": "multistft",
    "nine_branch": "multistft",
    "panns_cnn6": "panns",
    "panns_cnn10": "panns",
    "panns_cnn14": "panns",
    "film_crnn": "frames",
    "cnn_1d_5l": "genres",
    "cnn_2d_4l": "genres",
    "cnn_2d_4l_gru": "genres",
    "sample_cnn": "genres",
    "alexnet": "vision",
    "vgg11": "vision",
    "vgg13": "vision",
    "vgg16": "vision",
    "vgg19": "vision",
    "googlenet": "vision",
    "resnet34": "vision",
    "resnet50": "vision",
    "densenet121": "vision",
    "auditory_pathway": "auditory",
    "pooled_lda": "pooled",
    "pooled_committee": "pooled",
    "scattering_svm": "pooled",
}


def build(name: str, n_classes: int, **arguments: Any) -> nn.Module:
    """Build a model with random weights.

    Args:
        name: a key of `LINEAGES`.
        n_classes: number of outputs.
        arguments: plain values for the builder; they travel in the checkpoint.

    Raises:
        InputError: there is no such model, or it does not take these arguments.
    """
    if name not in LINEAGES:
        raise InputError(f"model {name!r}: unknown; choose one of {', '.join(sorted(LINEAGES))}")
    builder = importlib.import_module(f"helpers.models.{LINEAGES[name]}").MODELS[name]
    try:
        return builder(n_classes=n_classes, **arguments)
    except (TypeError, ValueError) as error:
        raise InputError(f"model {name!r}: does not take these arguments ({error})") from None
