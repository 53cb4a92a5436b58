"""What a program costs as a whole process: time, processor time, memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 if sys.platform == "linux" else 1024**2  # units of ru_maxrss
SAMPLE_S = 1.0  # between two looks at the memory of all processes


@dataclass(frozen=True)
class Cost:
    """Of one run with everything that it started."""

    seconds: float
    cpu_s: float  # user and system, of all its processes
    largest_mb: float  # peak resident memory of the largest process, counted by the system
    together_mb: float  # highest sum over its processes, shared pages counted once (Linux); sampled

    def rounded(self) -> dict[str, float]:
        """For the benchmark's extra information."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def cost_of(*command: object) -> Cost:
    """Run a program in the project's root and wait for it."""
    if not hasattr(os, "wait4"):
        pytest.skip("this system does not count what a process used")
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=subprocess.DEVNULL)
    together, ended = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, together, ended), daemon=True)
    watcher.start()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    assert process.returncode == 0, command
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / MEGABYTE, together[0])


def _watch(pid: int, together: list[float], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_S):
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            together[0] = max(together[0], sum(map(_memory, [root, *root.children(recursive=True)])))


def _memory(process: psutil.Process) -> float:
    try:
        used = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return 0.0
    return getattr(used, "pss", used.rss) / 1024**2
