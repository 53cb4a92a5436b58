"""The feature cache: shards, resuming after a kill, keys, damaged files, processes and a Dask cluster."""

from __future__ import annotations

import os

import numpy as np
import pytest

from helpers import audio
from helpers.config import InputError
from helpers.features import cache, pooled
from helpers.features.notes import SAMPLE_RATE, SAMPLES


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """Seven files, two to a shard."""
    monkeypatch.setattr(cache, "SHARD_NOTES", 2)
    generator, paths = np.random.default_rng(0), []
    for number in range(7):
        paths.append(tmp_path / "notes" / f"note_{number}.wav")
        audio.write(paths[-1], generator.normal(0, 0.1, SAMPLES), SAMPLE_RATE)
    return paths


def extract(paths, folder):
    """Features by way of a cache in this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "FOLDER", folder)
        return cache.extract(paths)


def calls(monkeypatch, fail_at: int | None = None) -> list[int]:
    """Shards that were computed from now on; the one at `fail_at` is killed."""
    seen, real = [], cache.pool_files

    def counting(paths):
        seen.append(len(paths))
        if len(seen) == fail_at:
            raise KeyboardInterrupt
        return real(paths)

    monkeypatch.setattr(cache, "pool_files", counting)
    return seen


def test_matrix_is_in_the_order_of_the_paths(notes, tmp_path) -> None:
    matrix = extract(notes, tmp_path / "cache")
    waveforms = np.stack([audio.read(path, SAMPLE_RATE) for path in notes])
    np.testing.assert_allclose(matrix, pooled.pool_notes(waveforms), rtol=1e-3, atol=1e-3)


def test_second_call_computes_nothing(notes, tmp_path, monkeypatch) -> None:
    first = extract(notes, tmp_path / "cache")
    seen = calls(monkeypatch)
    np.testing.assert_array_equal(extract(notes, tmp_path / "cache"), first)
    assert seen == []


def test_kill_in_the_middle_resumes(notes, tmp_path, monkeypatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        calls(patch, fail_at=3)
        extract(notes, tmp_path / "cache")
    stored = os.listdir(tmp_path / "cache")
    assert stored and all(name[0] != "." for name in stored)  # whole shards, no temporary files
    seen = calls(monkeypatch)
    resumed = extract(notes, tmp_path / "cache")
    assert len(seen) == 4 - len(stored)
    np.testing.assert_array_equal(resumed, extract(notes, tmp_path / "other"))


def test_changed_file_is_computed_again(notes, tmp_path, monkeypatch) -> None:
    extract(notes, tmp_path / "cache")
    seen = calls(monkeypatch)
    audio.write(notes[0], np.random.default_rng(9).normal(0, 0.1, SAMPLES + 1), SAMPLE_RATE)
    extract(notes, tmp_path / "cache")
    assert seen == [2]  # the shard of that file


def test_damaged_shard_is_computed_again(notes, tmp_path) -> None:
    first = extract(notes, tmp_path / "cache")
    shard = sorted((tmp_path / "cache").iterdir())[0]
    shard.write_bytes(shard.read_bytes()[:100])
    np.testing.assert_array_equal(extract(notes, tmp_path / "cache"), first)


def test_missing_and_unreadable_files_are_named(notes, tmp_path) -> None:
    with pytest.raises(InputError, match=r"absent\.wav: no such file"):
        extract([*notes, tmp_path / "absent.wav"], tmp_path / "cache")
    notes[3].write_bytes(b"no audio")
    with pytest.raises(InputError, match=r"note_3\.wav"):
        extract(notes, tmp_path / "cache")


def test_two_processes_give_the_same(notes, tmp_path) -> None:
    alone = extract(notes, tmp_path / "alone")
    with cache.workers(jobs=2):
        together = extract(notes, tmp_path / "together")
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_dask_cluster_of_two_workers_gives_the_same(notes, tmp_path) -> None:
    distributed = pytest.importorskip("dask.distributed")
    alone = extract(notes, tmp_path / "alone")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        with cache.workers(dask=cluster.scheduler_address):
            spread = extract(notes, tmp_path / "spread")
        moments = client.run(lambda dask_worker: dask_worker.state.transition_counter)
    np.testing.assert_allclose(spread, alone, rtol=1e-3, atol=1e-3)
    assert all(count > 0 for count in moments.values())  # both workers were given work


def test_address_without_scheduler_is_one_line() -> None:
    pytest.importorskip("dask.distributed")
    with pytest.raises(InputError, match=r"--dask tcp://127.0.0.1:9: no Dask scheduler") as caught, \
            cache.workers(dask="tcp://127.0.0.1:9"):
        pass
    assert "\n" not in str(caught.value)
