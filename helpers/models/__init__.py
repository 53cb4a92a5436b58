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
    except TypeError as error:
        raise InputError(f"model {name!r}: does not take these arguments ({error})") from None
