"""Weight decay for matrices only; every optimiser goes downhill; warm-up and cosine."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from helpers.config import TrainConfig
from helpers.models.base import AudioClassifier
from helpers.training.recipes import OPTIMIZERS, optimizer, schedule


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(1, 2), nn.Linear(2, 3)])
        self.mix = nn.Linear(3, 4)


def model() -> AudioClassifier:
    return AudioClassifier(nn.Identity(), Encoder(), nn.Linear(4, 5))


def test_weight_decay_spares_vectors_and_nothing_is_left_out() -> None:
    groups = optimizer(model(), TrainConfig(weight_decay=0.1)).param_groups
    for group in groups:
        assert {p.ndim > 1 for p in group["params"]} == {group["weight_decay"] == 0.1}
    assert sum(len(group["params"]) for group in groups) == 8


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_downhill(name: str) -> None:
    network = model()
    chosen = optimizer(network, TrainConfig(optimizer=name, learning_rate=1e-3, weight_decay=0.0))

    def loss() -> torch.Tensor:
        return sum((p - 1).square().sum() for p in network.parameters())

    before = loss().item()
    for _ in range(5):
        chosen.zero_grad()
        loss().backward()
        chosen.step()
    assert loss().item() < before


def factors(name: str, steps: int) -> list[float]:
    chosen = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    planned, found = schedule(chosen, name, steps), []
    for _ in range(steps):
        found.append(chosen.param_groups[0]["lr"])
        chosen.step()
        planned.step()
    return found


def test_schedules() -> None:
    assert factors("constant", 5) == [1.0] * 5
    cosine = factors("cosine", 100)
    assert cosine[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert max(cosine) == 1.0 and cosine[55] == pytest.approx(0.5)
    assert all(earlier > later for earlier, later in pairwise(cosine[10:]))
    assert cosine[-1] < 0.01
