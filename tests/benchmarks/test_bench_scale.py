"""Training on 5,000 and 50,000 notes: memory and notes a second of one epoch, with a network too small to matter.

    python -m pytest tests/benchmarks/test_bench_scale.py --benchmark-only -s

The notes are hard links of some hundred files, so they come from the disk's cache.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from process_cost import Cost, cost_of

COUNTS = (5_000, 50_000)
EPOCH = """
import sys
from pathlib import Path
from helpers.config import TrainConfig
from helpers.datasets import nsynth
from helpers.models import build
from helpers.experiments.nsynth import dataset
from helpers.training.fit import fit

train, valid = (nsynth.clips(Path(sys.argv[1]), split) for split in ("train", "valid"))
model = build("compact_cnn", len(nsynth.FAMILIES), mel={"n_fft": 512, "hop_length": 512, "n_mels": 16}, channels=[4, 4])
fit(model, dataset(train), dataset(valid), TrainConfig(epochs=int(sys.argv[2]), batch_size=64, workers=2))
"""
found: dict[int, Cost] = {}


@pytest.mark.parametrize("notes", COUNTS)
def test_one_epoch(benchmark, tree: Callable[[int], Path], notes: int) -> None:
    root = tree(notes)
    benchmark.pedantic(lambda: found.update({notes: cost_of(sys.executable, "-c", EPOCH, root, 1)}), rounds=1)
    figures = {**found[notes].rounded(), "notes_per_s": round(notes / found[notes].seconds),
               "notes_per_cpu_s": round(notes / found[notes].cpu_s)}  # fmt: skip
    benchmark.extra_info.update(figures)
    print(f"\n{notes} notes: {figures}")
    shutil.rmtree(root)
    if len(found) == len(COUNTS):
        few, many = (found[count] for count in COUNTS)
        assert many.together_mb - few.together_mb < 45_000 * 0.01  # 10 kB a note would be audio
