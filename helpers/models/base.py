"""The shape that every recogniser has: front end, encoder, head."""

from __future__ import annotations

import torch
from torch import nn


class Recogniser(nn.Module):
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
