"""Building films: at least 60 times as fast as real time on one core, in memory that does not depend on the length.

    python -m pytest tests/benchmarks/test_bench_films.py --benchmark-only -s
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.config import ROOT

RATE = 48_000
MEASURE = """
import json, resource, sys, time
from pathlib import Path
from helpers.datasets import film_builder
started = time.process_time()
film_builder.build(Path(sys.argv[1]), Path(sys.argv[1]).parent, Path(sys.argv[2]))
print(json.dumps({"cpu_s": time.process_time() - started,
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def write_film(path: Path, minutes: int) -> None:
    """A stereo AAC film: one minute of noise and tones is encoded, its packets are written again and again."""
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.05, (2, 60 * RATE)).astype(np.float32)
    sound += 0.2 * np.sin(2 * np.pi * 440 * np.arange(60 * RATE) / RATE, dtype=np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        packets = []
        for first in range(0, sound.shape[1], 1024):
            block = np.ascontiguousarray(sound[:, first : first + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            packets += stream.encode(frame)
        contents = [bytes(packet) for packet in packets]
        for number in range(minutes * 60 * RATE // 1024):
            packet = av.Packet(contents[number % len(contents)])
            packet.stream, packet.time_base = stream, Fraction(1, RATE)
            packet.pts = packet.dts = number * 1024
            packet.duration = 1024
            container.mux(packet)


def build(folder: Path, suffix: str, minutes: int) -> dict[str, float]:
    """CPU seconds and peak memory (MB) of building a film of a length, in a process of its own on one thread."""
    write_film(folder / f"{minutes}.{suffix}", minutes)
    listed = folder / f"{minutes}.json"
    segments = [{"start": 10 * n, "end": 10 * n + 7, "instruments": ["erhu"]} for n in range(6 * minutes - 1)]
    listed.write_text(json.dumps({"version": 1, "instruments": ["gong", "erhu", "dizi", "pipa"], "sources": [
        {"id": "film", "file": f"{minutes}.{suffix}", "title": "noise", "licence": "generated", "split": "train",
         "exhaustive": True, "segments": segments}]}), encoding="utf-8")
    command = [sys.executable, "-c", MEASURE, str(listed), str(folder / f"out{minutes}")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, check=True, env=environment, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read with the resource module")
@pytest.mark.parametrize(("suffix", "growth_mb"), [("mkv", 10), ("mp4", 40)])
def test_speed_and_memory_of_10_and_120_minutes(benchmark, tmp_path: Path, suffix: str, growth_mb: float) -> None:
    """An MP4 begins with a table of all its packets, which FFmpeg keeps: 0.2 MB a minute; Matroska has none."""
    short = build(tmp_path, suffix, 10)
    long = benchmark.pedantic(build, (tmp_path, suffix, 120), rounds=1)
    speed = {name: 60 * minutes / one["cpu_s"] for name, minutes, one in (("10", 10, short), ("120", 120, long))}
    benchmark.extra_info.update(speed=speed, peak_mb={"10": short["peak_mb"], "120": long["peak_mb"]})
    print(f"\ntimes real time: {speed}; peak MB: {short['peak_mb']:.0f} (10 min), {long['peak_mb']:.0f} (120 min)")
    assert long["peak_mb"] < short["peak_mb"] + growth_mb, "memory grows with the length"
