"""How the weights of convolutions lie in memory: the values stay the same, the speed does not."""

from __future__ import annotations

import torch
from torch import nn


def channels_last(network: nn.Module) -> nn.Module:
    """The network, in place, with the layout in which processors and CUDA convolve fastest.

    Apple's GPUs keep PyTorch's own layout, for which its MPS operations are written.
    """
    return network if torch.backends.mps.is_available() else network.to(memory_format=torch.channels_last)
