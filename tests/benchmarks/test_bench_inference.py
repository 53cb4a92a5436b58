"""inference.py as a whole process: speed against the plain way, memory, start-up; and the floor of its work.

    python -m pytest tests/benchmarks/test_bench_inference.py --benchmark-only -s -n 0

and, for one of them, `-k speed`, `-k memory`, `-k start_up` or `-k floor`. Wanted: 45 times the notes a second of the
plain way at 3,000 notes; less than 5 % more memory for 10,000 notes than for 1,000, and below 1 GB; twice the floor;
--help within 0.3 s. Nothing is asserted on time: the figures are printed and kept by --benchmark-json. On a machine
that does other work, too, look at processor seconds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from process_cost import ROOT, Cost, cost_of
from torch.utils.flop_counter import FlopCounterMode

from helpers import audio
from helpers.datasets import nsynth
from helpers.features.mel import AT_ONCE, front_ends
from helpers.models.base import AudioClassifier, channels_last
from helpers.models.checkpoint import load_checkpoint

CHECKPOINT = ROOT / "checkpoints" / "nsynth.pt"
Tree = Callable[[int], Path]
SPEED_NOTES = 3_000
NOTES = 16  # of the floor: a batch


def infer(folder: Path) -> Cost:
    if not CHECKPOINT.is_file():
        pytest.skip("needs checkpoints/nsynth.pt")
    return cost_of(sys.executable, "inference.py", "--test_dir", folder)


def test_speed_against_the_plain_way(benchmark, tree: Tree) -> None:
    notes = tree(SPEED_NOTES) / "nsynth-train"
    costs: list[Cost] = []
    benchmark.pedantic(lambda: costs.append(infer(notes)), rounds=3, warmup_rounds=1)
    ours = min(costs, key=lambda cost: cost.seconds)
    plain = cost_of(sys.executable, Path(__file__).with_name("plain_way.py"), notes / "audio")
    figures = {"notes": SPEED_NOTES, "ours": ours.rounded(), "plain": plain.rounded(),
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
    assert many.largest_mb < 1.05 * few.largest_mb
    assert many.largest_mb < 1000


def test_start_up(benchmark) -> None:
    command = [sys.executable, "inference.py", "--help"]
    call = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "check": True}
    benchmark.pedantic(subprocess.run, args=(command,), kwargs=call, rounds=20, warmup_rounds=3)


def test_floor_of_a_note(benchmark, tmp_path: Path) -> None:
    """One thread, milliseconds a note: decoding, one transform, multiply-adds at measured peak, and what is spent."""
    if not CHECKPOINT.is_file():
        pytest.skip("needs checkpoints/nsynth.pt")
    checkpoint = load_checkpoint(CHECKPOINT, nsynth.TASK)
    samples = round(checkpoint.seconds * checkpoint.sample_rate)
    noise = 0.1 * np.random.default_rng(0).standard_normal((NOTES, samples)).astype(np.float32)
    paths = [tmp_path / f"{number}.wav" for number in range(NOTES)]
    for path, note in zip(paths, noise, strict=True):
        audio.write(path, note, checkpoint.sample_rate)
    network, waves = channels_last(checkpoint.network()), torch.from_numpy(noise)
    frontends = [member.frontend for member in network.members]
    finest = min(frontends, key=lambda one: one.hop_length)
    clips = waves.split(AT_ONCE)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            decode = least(lambda: [audio.read(path, checkpoint.sample_rate) for path in paths])
            spectra = partial(torch.stft, n_fft=finest.n_fft, hop_length=finest.hop_length, window=finest.window,
                              pad_mode=finest.pad_mode, return_complex=True)  # fmt: skip
            with FlopCounterMode(display=False) as counter:
                network(waves)
            products = 1e3 * counter.get_total_flops() / NOTES / peak()
            floor = {"decode": decode, "stft": least(lambda: [spectra(clip) for clip in clips]), "products": products}
            benchmark.pedantic(network, args=(waves,), rounds=10, warmup_rounds=2)
            spent = {"decode": decode, "front ends": least(lambda: front_ends(frontends, waves))}
            for member, seen in zip(network.members, front_ends(frontends, waves), strict=True):
                spent[f"network of {type(member.frontend).__name__}"] = least(partial(classify, member, seen))
            whole = decode + least(lambda: network(waves))
    finally:
        torch.set_num_threads(threads)
    total = sum(floor.values())
    figures = {"floor": shares(floor, total), "floor_ms": round(total, 2), "spent": shares(spent, whole),
               "spent_ms": round(whole, 2), "times_the_floor": round(whole / total, 2)}  # fmt: skip
    benchmark.extra_info.update(figures)
    print(f"\n{figures}")


def classify(member: AudioClassifier, features: torch.Tensor) -> torch.Tensor:
    return member.head(member.encoder(features))


def shares(parts: dict[str, float], whole: float) -> dict[str, str]:
    """Milliseconds and share of the whole."""
    return {name: f"{value:.2f} ms, {value / whole:.0%}" for name, value in parts.items()}


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
