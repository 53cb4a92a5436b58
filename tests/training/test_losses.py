"""Losses by hand: cross entropy, binary, focal and asymmetric; what is not known does not count."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from helpers.training.recipes import LOSSES

BINARY = ("bce", "focal", "asymmetric")


def loss(name: str, logits: list, targets: list) -> float:
    return float(LOSSES[name](torch.tensor(logits), torch.tensor(targets)))


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_cross_entropy_by_hand() -> None:
    logits = [[math.log(0.8), math.log(0.2)], [math.log(0.3), math.log(0.7)]]
    hard = -(math.log(0.8) + math.log(0.3)) / 2
    assert loss("cross_entropy", logits, [[1.0, 0.0], [1.0, 0.0]]) == pytest.approx(hard)
    soft = -(0.5 * math.log(0.8) + 0.5 * math.log(0.2) + math.log(0.7)) / 2
    assert loss("cross_entropy", logits, [[0.5, 0.5], [0.0, 1.0]]) == pytest.approx(soft)


def test_cross_entropy_is_that_of_torch() -> None:
    logits, labels = torch.randn(8, 5), torch.arange(8) % 5
    ours = LOSSES["cross_entropy"](logits, nn.functional.one_hot(labels, 5).float())
    torch.testing.assert_close(ours, nn.functional.cross_entropy(logits, labels))


def test_bce_by_hand() -> None:
    logits = [[logit(0.8), logit(0.4)]]
    assert loss("bce", logits, [[1.0, 0.0]]) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


def test_focal_by_hand() -> None:
    """(1 - p)² in front of what was said to be there, p² in front of what was not."""
    wanted = -(0.2**2 * math.log(0.8) + 0.4**2 * math.log(0.6)) / 2
    assert loss("focal", [[logit(0.8), logit(0.4)]], [[1.0, 0.0]]) == pytest.approx(wanted)


def test_asymmetric_by_hand() -> None:
    """Positives as they are, negatives lowered by the margin 0.05 and weighed by their fourth power."""
    wanted = -(math.log(0.8) + 0.35**4 * math.log(0.65)) / 2
    assert loss("asymmetric", [[logit(0.8), logit(0.4)]], [[1.0, 0.0]]) == pytest.approx(wanted)
    assert loss("asymmetric", [[logit(0.04)]], [[0.0]]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", BINARY)
def test_what_is_not_known_does_not_count(name: str) -> None:
    nan = float("nan")
    known = loss(name, [[0.5, -1.0]], [[1.0, 0.0]])
    assert loss(name, [[0.5, 7.0], [3.0, -1.0]], [[1.0, nan], [nan, 0.0]]) == pytest.approx(known)
    assert loss(name, [[0.5, 7.0]], [[nan, nan]]) == 0


@pytest.mark.parametrize("name", BINARY)
def test_gradient_of_the_unknown_is_zero(name: str) -> None:
    logits = torch.tensor([[0.5, 7.0]], requires_grad=True)
    LOSSES[name](logits, torch.tensor([[0.0, float("nan")]])).backward()
    assert logits.grad[0, 0] > 0 and logits.grad[0, 1] == 0


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", [(3, 2), (3, 7, 2)])
def test_right_and_sure_costs_less_than_wrong_and_sure(name: str, shape: tuple[int, ...]) -> None:
    targets = torch.zeros(shape)
    targets[..., 0] = 1
    right, wrong = (LOSSES[name](sign * 10 * (2 * targets - 1), targets) for sign in (1, -1))
    assert right.ndim == 0
    assert right < 1e-3 < 1 < wrong
    assert torch.isfinite(LOSSES[name](1e4 * (1 - 2 * targets), targets))
