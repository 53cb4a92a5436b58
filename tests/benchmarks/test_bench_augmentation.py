"""Do two data workers that augment on the fly stay ahead of a CPU training step of the 4L-2D CNN?"""

import itertools
import time
from dataclasses import asdict

import numpy as np
import pytest
import torch
from genre_pieces import piece

from helpers.augmentation.waveform import ON_THE_FLY, SEVEN
from helpers.experiments.genres import MEL, GenreConfig
from helpers.models import build
from helpers.models.base import channels_last
from helpers.training.fit import trainer_precision

CONFIG = GenreConfig()
WORKERS = 2
WINDOW = piece("jazz", 0, CONFIG.window_s).astype(np.float32)


@pytest.fixture(scope="module")
def step():
    """One training step of a batch of the recipe's size, in the layout and precision that `fit` trains in."""
    model = channels_last(build("cnn_2d_4l", 10, mel=asdict(MEL))).train()
    mixed = trainer_precision() == "bf16-mixed"
    optimiser = torch.optim.SGD(model.parameters(), CONFIG.learning_rate, momentum=0.9, nesterov=True)
    batch = torch.from_numpy(np.stack([WINDOW] * CONFIG.batch_size))
    labels = torch.arange(CONFIG.batch_size) % 10

    def one_step():
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            logits = model(batch)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimiser.step()

    return one_step


@pytest.mark.parametrize("name", SEVEN)
def test_one_augmentation_of_a_window(benchmark, name):
    augmentation, seeds = SEVEN[name], itertools.count()
    benchmark(lambda: augmentation(WINDOW, np.random.default_rng(next(seeds))))


def test_training_step(benchmark, step):
    benchmark.pedantic(step, rounds=5, warmup_rounds=1)


def test_workers_stay_ahead_of_the_step(benchmark, step):
    """CPU seconds a worker takes for its share of a batch, against CPU seconds of the step."""
    augment, seeds = ON_THE_FLY, itertools.count()

    def share_of_a_batch():
        for _ in range(CONFIG.batch_size // WORKERS):
            augment(WINDOW, np.random.default_rng(next(seeds)))

    share_of_a_batch(), step()  # compile and warm up
    benchmark.pedantic(share_of_a_batch, rounds=5)
    for name, work in (("a worker's share of a batch", share_of_a_batch), ("the training step", step)):
        begin = time.process_time()
        for _ in range(5):
            work()
        benchmark.extra_info[name] = (time.process_time() - begin) / 5
    print("", *(f"{name}: {seconds:.3f} s of CPU" for name, seconds in benchmark.extra_info.items()), sep="\n")
