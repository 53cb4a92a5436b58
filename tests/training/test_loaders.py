"""The order of training: new every epoch, the same on every run, balanced if wanted, shared among processes."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.config import TrainConfig
from helpers.training.recipes import EpochSampler, balanced_weights, train_loader


def keys(n: int, epoch: int = 0, weights: np.ndarray | None = None, seed: int = 0, rank: int = 0, world: int = 1):
    sampler = EpochSampler(n, weights, seed, rank, world)
    sampler.set_epoch(epoch)
    found = list(sampler)
    assert len(found) == len(sampler)
    return found


def test_every_item_comes_once_an_epoch_in_a_new_order() -> None:
    first, second = keys(50, 0), keys(50, 1)
    assert sorted(first) == list(range(50))
    assert sorted(second) == list(range(50, 100))
    assert [key - 50 for key in second] != first != list(range(50))


def test_order_depends_on_seed_and_epoch_alone() -> None:
    np.random.seed(1)
    assert keys(50, 3) == keys(50, 3) != keys(50, 3, seed=1)


@pytest.mark.parametrize("weights", [None, np.arange(1.0, 22.0)])
def test_processes_share_an_epoch_equally(weights: np.ndarray | None) -> None:
    alone = keys(21, 2, weights)
    shares = [keys(21, 2, weights, rank=rank, world=4) for rank in range(4)]
    assert [len(share) for share in shares] == [5] * 4
    assert [key for step in zip(*shares, strict=True) for key in step] == alone[:20]


def test_balanced_weights_by_hand() -> None:
    targets = np.array([[1, 0], [1, 0], [1, 0], [0, 1]])
    np.testing.assert_allclose(balanced_weights(targets), [1 / 3, 1 / 3, 1 / 3, 1])
    both = np.array([[1, 0], [1, 1]])  # classes of 2 and 1 items; the second item is of both
    np.testing.assert_allclose(balanced_weights(both), [1 / 2, (1 / 2 + 1) / 2])


def test_balanced_weights_of_frames_with_unknown_ones() -> None:
    nan = np.nan
    frames = np.array([[[1, 0], [nan, nan]], [[0, 0], [1, 0]], [[0, 1], [0, 1]]])
    np.testing.assert_allclose(balanced_weights(frames), [1 / 2, 1 / 2, 1])


def test_items_without_any_class_are_still_drawn() -> None:
    assert balanced_weights(np.array([[1.0, 0.0], [0.0, 0.0]])).min() > 0


def test_balanced_drawing_makes_rare_classes_as_frequent_as_others() -> None:
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    drawn = labels[np.array(keys(1000, 4, balanced_weights(np.eye(3)[labels]))) - 4000]
    np.testing.assert_allclose(np.bincount(drawn) / 1000, 1 / 3, atol=0.05)


class Numbered:
    """Items that are their own index."""

    targets = np.eye(2, dtype=np.float32)[[0] * 9 + [1]]

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full(1, index, np.float32), self.targets[index]


def jittered(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leaves the whole part, which is the index."""
    return wave + np.float32(rng.integers(0, 9) / 10)


def heard(config: TrainConfig, epoch: int = 0) -> np.ndarray:
    loader = train_loader(Numbered(), jittered, config, 0, 1)
    loader.sampler.set_epoch(epoch)
    return np.concatenate([batch[0].numpy() for batch in loader])


def test_loader_batches_what_the_sampler_draws() -> None:
    plain = heard(TrainConfig(batch_size=4, balanced=False, workers=0))
    assert plain.shape == (8, 1)  # the last, incomplete batch is left out
    assert len(set(plain.astype(int).ravel())) == 8
    balanced = heard(TrainConfig(batch_size=10, balanced=True, workers=0))
    assert (balanced.astype(int) == 9).sum() >= 3  # the only one of its class, expected five times


def test_more_notes_a_batch_than_there_are() -> None:
    assert heard(TrainConfig(batch_size=64, balanced=False, workers=0)).shape == (10, 1)


def test_what_is_heard_does_not_depend_on_the_number_of_workers() -> None:
    alone, helped = (heard(TrainConfig(batch_size=4, workers=workers), epoch=3) for workers in (0, 2))
    np.testing.assert_array_equal(alone, helped)
