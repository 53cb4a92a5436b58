"""Milliseconds a note: statistics in torch against librosa on one shared transform, for a subset that is equal.

Run on one core: `OMP_NUM_THREADS=1 pytest tests/benchmarks/test_bench_pooled.py --benchmark-group-by=func`, and divide
by NOTES. The statistics are in torch because a checkpoint carries them as its front end, and inference has no librosa.
"""

from __future__ import annotations

from itertools import pairwise

import librosa
import numpy as np
import pytest
import torch

from helpers import audio
from helpers.features import cache, notes
from helpers.features.mel import power_spectrogram
from helpers.features.notes import FLATNESS_BINS, HOP, N_CEPSTRUM, N_FFT, N_MELS, SAMPLE_RATE, SAMPLES, SEGMENTS
from helpers.features.pooled import FLAT, NoteStatistics, note_statistics, pool_notes

NOTES = 16
EQUAL = len(SEGMENTS) * N_CEPSTRUM + len(FLAT) * (len(FLATNESS_BINS) - 1)


@pytest.fixture(scope="module")
def waveforms() -> np.ndarray:
    """Decaying harmonic notes with a peak of 1 in a little noise [notes, samples]."""
    generator, time = np.random.default_rng(0), np.arange(SAMPLES) / SAMPLE_RATE
    pitches = 440 * 2 ** ((generator.integers(36, 85, NOTES) - 69) / 12)
    waves = [sum(np.sin(2 * np.pi * f * h * time) / h for h in range(1, 9)) * np.exp(-time) for f in pitches]
    noisy = np.stack(waves) + generator.normal(0, 1e-3, (NOTES, len(time)))
    return (noisy / np.abs(noisy).max(axis=1, keepdims=True)).astype(np.float32)


def by_librosa(waveform: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Cepstrum by segment, and flatness by segment and octave, of one note [EQUAL]."""
    power = np.square(np.abs(librosa.stft(waveform, n_fft=N_FFT, hop_length=HOP)))
    cepstrum = librosa.feature.mfcc(S=librosa.power_to_db(bank @ power, amin=1e-8), n_mfcc=N_CEPSTRUM)
    parts = {name: slice(round(a * 31.25), round(b * 31.25) + 1) for name, (a, b) in SEGMENTS.items()}
    values = [cepstrum[:, part].mean(axis=1) for part in parts.values()]
    for name in FLAT:
        mean = power[:, parts[name]].mean(axis=1, keepdims=True)
        values += [np.log(librosa.feature.spectral_flatness(S=mean[a:b], power=1.0, amin=1e-9)).ravel()
                   for a, b in pairwise(FLATNESS_BINS)]  # fmt: skip
    return np.concatenate(values)


@torch.inference_mode()
def by_torch(waveforms: np.ndarray, statistics: NoteStatistics) -> np.ndarray:
    """The same as the front end computes it [notes, EQUAL]."""
    rows = []
    for part in torch.from_numpy(waveforms).split(1):
        power = power_spectrogram(part, statistics.window, HOP, statistics.pad_mode).transpose(1, 2)
        mel, _, flat = statistics.reduce(power)
        mel = notes.decibels(mel, 1e-8)
        cepstrum = statistics.cosines @ torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 80)
        values = [notes.segment(cepstrum, name) for name in SEGMENTS]
        values += [value for power in flat.unbind(1) for value in notes.flatness(power, "").values()]
        rows.append(torch.cat(values, 1))
    return torch.cat(rows).numpy()


def test_librosa_on_one_transform(benchmark, waveforms) -> None:
    bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=20, norm=None)
    benchmark.extra_info["notes"] = NOTES
    theirs = np.stack(benchmark(lambda: [by_librosa(waveform, bank) for waveform in waveforms]))
    ours = by_torch(waveforms, note_statistics())
    assert theirs.shape == (NOTES, EQUAL)
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3 * np.abs(theirs).max())


def test_the_same_in_torch(benchmark, waveforms) -> None:
    benchmark.extra_info["notes"] = NOTES
    statistics = note_statistics()
    benchmark(lambda: by_torch(waveforms, statistics))


def test_all_statistics(benchmark, waveforms) -> None:
    """With the course of bands and envelope and the partials, which librosa does not have."""
    benchmark.extra_info["notes"] = NOTES
    benchmark(lambda: pool_notes(waveforms))


@pytest.mark.parametrize("jobs", [1, 2])
def test_extraction_on_processes(benchmark, waveforms, tmp_path, jobs, monkeypatch) -> None:
    paths = [tmp_path / "notes" / f"{number:04d}.wav" for number in range(1024)]
    for number, path in enumerate(paths):
        audio.write(path, waveforms[number % NOTES], SAMPLE_RATE)
    runs = iter(range(100))

    def extract(paths) -> None:
        monkeypatch.setattr(cache, "FOLDER", tmp_path / f"{next(runs)}")
        cache.extract(paths)

    with cache.workers(jobs):
        extract(paths[: 2 * 128])
        benchmark.extra_info["notes"] = len(paths)
        benchmark.pedantic(lambda: extract(paths), rounds=3)
