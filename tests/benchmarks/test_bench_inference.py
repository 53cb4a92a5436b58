"""inference.py as a whole process: speed against the plain way, memory, start-up.

    python -m pytest tests/benchmarks/test_bench_inference.py --benchmark-only -s

Wanted: 15 times the notes a second of the plain way; less than 10 % more memory for 10,000 notes than for 1,000 and
below 1.5 GB; --help within 0.3 s. Nothing is asserted on time: the figures are printed and kept by --benchmark-json.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from process_cost import ROOT, Cost, cost_of

CHECKPOINT = ROOT / "checkpoints" / "nsynth.pt"
Tree = Callable[[int], Path]


def infer(folder: Path) -> Cost:
    if not CHECKPOINT.is_file():
        pytest.skip("needs checkpoints/nsynth.pt")
    return cost_of(sys.executable, "inference.py", "--test_dir", folder)


def test_speed_against_the_plain_way(benchmark, tree: Tree) -> None:
    notes = tree(1_000) / "nsynth-train"
    costs: list[Cost] = []
    benchmark.pedantic(lambda: costs.append(infer(notes)), rounds=3, warmup_rounds=1)
    ours = min(costs, key=lambda cost: cost.seconds)
    plain = cost_of(sys.executable, Path(__file__).with_name("plain_way.py"), notes / "audio")
    figures = {"notes": 1_000, "ours": ours.rounded(), "plain": plain.rounded(),
               "times_as_fast": round(plain.seconds / ours.seconds, 1),
               "times_less_processor": round(plain.cpu_s / ours.cpu_s, 1)}  # fmt: skip
    benchmark.extra_info.update(figures)
    print(f"\n{figures}")


def test_memory_does_not_grow_with_the_notes(benchmark, tree: Tree) -> None:
    few = infer(tree(1_000) / "nsynth-train")
    folder = tree(10_000) / "nsynth-train"
    costs: list[Cost] = []
    benchmark.pedantic(lambda: costs.append(infer(folder)), rounds=1)
    (many,) = costs
    figures = {"1000": few.rounded(), "10000": many.rounded(), "growth": round(many.largest_mb / few.largest_mb - 1, 3)}
    benchmark.extra_info.update(figures)
    print(f"\n{figures}")
    shutil.rmtree(folder)
    assert many.largest_mb < 1.1 * few.largest_mb
    assert many.largest_mb < 1500


def test_start_up(benchmark) -> None:
    command = [sys.executable, "inference.py", "--help"]
    call = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "check": True}
    benchmark.pedantic(subprocess.run, args=(command,), kwargs=call, rounds=20, warmup_rounds=3)
