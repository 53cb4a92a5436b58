"""inference.py as a whole process: speed against the plain way, memory, start-up; and the floor of its work.

    python -m pytest tests/benchmarks/test_bench_inference.py --benchmark-only -s

Wanted: 15 times the notes a second of the plain way; less than 10 % more memory for 10,000 notes than for 1,000 and
below 1.5 GB; --help within 0.3 s. Nothing is asserted on time: the figures are printed and kept by --benchmark-json.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from process_cost import ROOT, Cost, cost_of
from torch.utils.flop_counter import FlopCounterMode

from helpers import audio
from helpers.datasets import nsynth
from helpers.features.mel import MelFrontend
from helpers.models.base import channels_last, fold_batch_norms
from helpers.models.checkpoint import load_checkpoint

CHECKPOINT = ROOT / "checkpoints" / "nsynth.pt"
Tree = Callable[[int], Path]
NOTES = 16  # of the floor: a batch


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


def test_floor_of_a_note(benchmark, tmp_path: Path) -> None:
    """One thread, milliseconds a note: decoding, one STFT, multiply-adds at measured peak, beside what is spent."""
    if not CHECKPOINT.is_file():
        pytest.skip("needs checkpoints/nsynth.pt")
    checkpoint = load_checkpoint(CHECKPOINT, nsynth.TASK)
    samples = round(checkpoint.seconds * checkpoint.sample_rate)
    noise = 0.1 * np.random.default_rng(0).standard_normal((NOTES, samples)).astype(np.float32)
    paths = [tmp_path / f"{number}.wav" for number in range(NOTES)]
    for path, note in zip(paths, noise, strict=True):
        audio.write(path, note, checkpoint.sample_rate)
    network = channels_last(fold_batch_norms(checkpoint.network()))
    frontend = next(part for part in network.modules() if isinstance(part, MelFrontend))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            waves = torch.from_numpy(noise)
            floor = {"decode": least(lambda: [audio.read(path, checkpoint.sample_rate) for path in paths])}
            window = torch.hann_window(frontend.config.n_fft)
            hop = frontend.config.hop_length
            floor["stft"] = least(lambda: torch.stft(waves, len(window), hop, window=window, return_complex=True))
            with FlopCounterMode(display=False) as counter:
                network(waves)
            floor["products"] = 1e3 * counter.get_total_flops() / NOTES / peak()
            plain = checkpoint.network()
            spent = {"front end of the CNN": least(lambda: frontend(waves)), "unfolded": least(lambda: plain(waves))}
            benchmark.pedantic(network, args=(waves,), rounds=10, warmup_rounds=2)
            spent["as used"] = least(lambda: network(waves)) + floor["decode"]
    finally:
        torch.set_num_threads(threads)
    total = sum(floor.values())
    figures = {"floor": {name: round(value, 2) for name, value in floor.items()}, "floor_ms": round(total, 2),
               "spent": {name: round(value, 2) for name, value in spent.items()},
               "times_the_floor": round(spent["as used"] / total, 2)}  # fmt: skip
    benchmark.extra_info.update(figures)
    print(f"\n{figures}")


def least(work: Callable[[], object], rounds: int = 10) -> float:
    """Milliseconds a note of the fastest of some rounds, of this thread alone."""
    times = []
    for _ in range(rounds + 1):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return 1e3 * min(times[1:]) / NOTES


def peak(size: int = 1024) -> float:
    """Floating-point operations a second of this thread in a product of matrices."""
    one, other = torch.randn(size, size), torch.randn(size, size)
    return 2 * size**3 / (least(lambda: one @ other) * NOTES / 1e3)
