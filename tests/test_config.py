"""Derived numbers of the front end, refusals, recipes and seeding."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
import torch

from helpers.config import BUDGETS, InputError, MelConfig, TrainConfig, seed_everything


def test_numbers_of_the_front_end_are_derived() -> None:
    config = MelConfig(sample_rate=16_000, hop_length=160)
    assert config.nyquist == 8_000
    assert config.frame_rate == 100
    assert [config.frames(n) for n in (0, 159, 160, 16_000)] == [1, 1, 2, 101]


@pytest.mark.parametrize("limits", [(-1.0, 8_000.0), (100.0, 100.0), (500.0, 100.0), (30.0, 8_001.0)])
def test_impossible_frequency_limits_are_refused(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="need 0 <= f_min < f_max <= 8000 Hz"):
        MelConfig(f_min=limits[0], f_max=limits[1])


def test_unknown_compression_is_refused() -> None:
    with pytest.raises(ValueError, match="'cube'"):
        MelConfig(compression="cube")


@pytest.mark.parametrize("config", [MelConfig(), TrainConfig(), BUDGETS["quick"]])
def test_recipes_cannot_be_changed_by_accident(config: object) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1


def test_budgets_grow() -> None:
    amounts = [(b.epochs, b.seeds, b.max_clips) for b in (BUDGETS["smoke"], BUDGETS["quick"], BUDGETS["full"])]
    assert amounts == sorted(amounts)
    assert all(name == budget.name for name, budget in BUDGETS.items())


def test_seeding_repeats_what_is_drawn() -> None:
    draws = []
    for seed in (5, 5, 6, 2**40):
        seed_everything(seed)
        draws.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert draws[0] == draws[1]
    assert all(one != other for one, other in zip(draws[0], draws[2], strict=True))


def test_an_error_is_one_line_whatever_the_file_is_called() -> None:
    assert str(InputError("a\nb\x1b[2J\ud800 琵琶: no such file")) == r"a\nb\x1b[2J\ud800 琵琶: no such file"
