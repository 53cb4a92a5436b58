"""Notes a second: pooled features from one transform a note against librosa with a transform for every feature.

Run both on one core: `OMP_NUM_THREADS=1 pytest tests/benchmarks/test_bench_pooled.py --benchmark-group-by=func`
"""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from helpers import audio
from helpers.features.cache import extract, workers
from helpers.features.pooled import PARTS, QUANTILES, pool_notes, summarise
from helpers.features.spectral import Frames, SpectralConfig

NOTES = 16
CONFIG = SpectralConfig()
FRAME_RATE = CONFIG.sample_rate / CONFIG.hop_length


@pytest.fixture(scope="module")
def waveforms() -> np.ndarray:
    """Decaying harmonic notes in a little noise [notes, samples]."""
    generator, time = np.random.default_rng(0), np.arange(CONFIG.samples) / CONFIG.sample_rate
    pitches = 440 * 2 ** ((generator.integers(36, 85, NOTES) - 69) / 12)
    waves = [sum(np.sin(2 * np.pi * f * h * time) / h for h in range(1, 9)) * np.exp(-time) for f in pitches]
    return (0.2 * np.stack(waves) + generator.normal(0, 1e-4, (NOTES, len(time)))).astype(np.float32)


def librosa_note(y: np.ndarray) -> list[np.ndarray]:
    """The frame-wise features of one note by librosa, and the same statistics over time by NumPy."""
    rate, frame = CONFIG.sample_rate, {"n_fft": CONFIG.n_fft, "hop_length": CONFIG.hop_length}
    length = {"frame_length": CONFIG.n_fft, "hop_length": CONFIG.hop_length}
    mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=CONFIG.n_mfcc, **frame)
    tracks = [
        mfcc,
        librosa.feature.delta(mfcc),
        librosa.feature.delta(mfcc, order=2),
        librosa.feature.spectral_centroid(y=y, sr=rate, **frame),
        librosa.feature.spectral_bandwidth(y=y, sr=rate, **frame),
        librosa.feature.spectral_rolloff(y=y, sr=rate, **frame),
        librosa.feature.spectral_flatness(y=y, **frame),
        librosa.feature.spectral_contrast(y=y, sr=rate, **frame),
        librosa.feature.zero_crossing_rate(y, **length),
        librosa.feature.rms(y=y, **length),
        librosa.feature.chroma_stft(y=y, sr=rate, tuning=0.0, **frame),
    ]
    return [statistic for track in tracks for statistic in statistics(track)]


def statistics(track: np.ndarray) -> list[np.ndarray]:
    """Statistics of a track [K, T] over time, in the order of `pooled.summarise`."""
    parts = [
        track[:, round(start * FRAME_RATE) : None if end is None else round(end * FRAME_RATE)]
        for start, end in PARTS.values()
    ]
    quantiles = np.quantile(track, np.array(QUANTILES) / 100, axis=1)
    return [track.mean(axis=1), track.std(axis=1), *quantiles, *(part.mean(axis=1) for part in parts)]


def shared_transform(waveforms: np.ndarray) -> list[np.ndarray]:
    """The same features and statistics as they are pooled."""
    rows = [[s for track in Frames(y[None], CONFIG).tracks.values() for s in summarise(track, CONFIG).values()]
            for y in waveforms]
    return [np.concatenate(parts) for parts in zip(*rows, strict=True)]


def test_librosa_loop(benchmark, waveforms) -> None:
    benchmark.extra_info["notes"] = NOTES
    theirs = benchmark(lambda: [librosa_note(y) for y in waveforms])
    for one, other in zip(zip(*theirs, strict=True), shared_transform(waveforms), strict=True):
        expected = np.stack(one)
        np.testing.assert_allclose(other, expected, rtol=2e-3, atol=1e-3 * np.abs(expected).max())


def test_shared_transform(benchmark, waveforms) -> None:
    benchmark.extra_info["notes"] = NOTES
    benchmark(lambda: shared_transform(waveforms))


def test_all_pooled_features(benchmark, waveforms) -> None:
    """With the envelope and the partials, which librosa does not have."""
    benchmark.extra_info["notes"] = NOTES
    benchmark(lambda: pool_notes(waveforms, CONFIG))


@pytest.mark.parametrize("jobs", [1, 2])
def test_extraction_on_processes(benchmark, waveforms, tmp_path, jobs) -> None:
    paths = [tmp_path / "notes" / f"{number:04d}.wav" for number in range(1024)]
    for number, path in enumerate(paths):
        audio.write(path, waveforms[number % NOTES], CONFIG.sample_rate)
    runs = iter(range(100))
    with workers(jobs):
        extract(paths[: 2 * 128], CONFIG, tmp_path / "warm", progress=False)
        benchmark.extra_info["notes"] = len(paths)
        benchmark.pedantic(lambda: extract(paths, CONFIG, tmp_path / f"{next(runs)}", progress=False), rounds=3)
