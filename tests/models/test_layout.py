"""The memory layout of weights; the answers stay the same."""

import pytest
import torch
from torch import nn

from helpers.models.base import channels_last


@pytest.mark.parametrize(("apple", "strides"), [(False, (27, 1, 9, 3)), (True, (27, 9, 3, 1))])
def test_weights_lie_channels_last_but_on_apple_gpus(monkeypatch, apple, strides):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
    network, x = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 8, 8)
    with torch.inference_mode():
        before = network(x)
        after = channels_last(network)(x)
    assert network.weight.stride() == strides
    torch.testing.assert_close(after, before)
