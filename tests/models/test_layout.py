"""The memory layout of weights, and normalisation folded into them: the same answers."""

import pytest
import torch
from torch import nn

from helpers.models import build
from helpers.models.base import channels_last, fold_batch_norms


@pytest.mark.parametrize(("apple", "strides"), [(False, (27, 1, 9, 3)), (True, (27, 9, 3, 1))])
def test_weights_lie_channels_last_but_on_apple_gpus(monkeypatch, apple, strides):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
    network, x = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 8, 8)
    with torch.inference_mode():
        before = network(x)
        after = channels_last(network)(x)
    assert network.weight.stride() == strides
    torch.testing.assert_close(after, before)


@pytest.mark.parametrize("name", ["compact_cnn", "cnn_1d_5l"])
def test_folded_normalisation_gives_the_same_answers(name):
    network = build(name, 3, mel={"sample_rate": 8000, "f_max": 4000.0})
    with torch.no_grad():
        network(torch.randn(4, 16_000))  # statistics that are not those of a fresh layer
    network.eval()
    folded = fold_batch_norms(network)
    x = torch.randn(2, 16_000)
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), network(x), rtol=1e-4, atol=1e-4)
    before = sum(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in network.modules())
    after = sum(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in folded.modules())
    assert after <= before - 5 and not folded.training
