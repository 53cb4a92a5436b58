"""Learning rates: full for the head, lower for the encoder the deeper a block lies; warm-up and cosine."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from helpers.config import TrainConfig
from helpers.models.base import AudioClassifier
from helpers.training.recipes import OPTIMIZERS, optimizer, parameter_groups, schedule


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(1, 2), nn.Linear(2, 3)])
        self.mix = nn.Linear(3, 4)


def model(blocks: bool = True) -> AudioClassifier:
    encoder = Encoder() if blocks else nn.Linear(1, 4)
    return AudioClassifier(nn.Identity(), encoder, nn.Linear(4, 5))


def test_rates_fall_from_the_head_down() -> None:
    groups = parameter_groups(model(), TrainConfig(learning_rate=1.0, encoder_lr_scale=0.5, layer_lr_decay=0.1))
    by_size = {group["params"][0].shape[0]: group["lr"] for group in groups}
    assert by_size == {5: 1.0, 4: 0.5, 3: pytest.approx(0.05), 2: pytest.approx(0.005)}
    assert sum(len(group["params"]) for group in groups) == 8


def test_encoder_without_blocks_has_one_rate() -> None:
    groups = parameter_groups(model(blocks=False), TrainConfig(learning_rate=1.0, encoder_lr_scale=0.5))
    assert [group["lr"] for group in groups] == [0.5, 1.0, 0.5, 1.0]  # with weight decay, and without


def test_weight_decay_spares_vectors() -> None:
    for group in parameter_groups(model(), TrainConfig(weight_decay=0.1)):
        assert {p.ndim > 1 for p in group["params"]} == {group.get("weight_decay") != 0.0}


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
