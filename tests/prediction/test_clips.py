"""Predictions come in the order of the clips, whatever the batch size, the threads and the file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from note_folders import RATE, tone
from torch import nn

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import archive_members
from helpers.datasets.base import Clip
from helpers.models import build
from helpers.prediction import clips as prediction
from helpers.prediction.clips import best_device, predict, predict_clips

LEVELS = [round(0.05 * n, 2) for n in range(1, 14)]


class Loudness(nn.Module):
    """Answers with peak, share of silence and whether it is in evaluation mode."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        silence = (waveform == 0).float().mean(dim=1)
        return torch.stack([waveform.abs().amax(dim=1), silence, torch.full_like(silence, float(self.training))], dim=1)


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Notes of growing loudness."""
    for level in LEVELS:
        audio.write(tmp_path / f"{level}.wav", tone(440.0, 0.3, level=level), RATE)
    return [Clip(tmp_path / f"{level}.wav", (0,), "g") for level in LEVELS]


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (4, 3), (13, 2), (64, 8)])
def test_order_is_that_of_the_clips(clips: list[Clip], batch_size: int, workers: int) -> None:
    logits, unreadable = predict(Loudness(), clips, RATE, 0.3, batch_size=batch_size, workers=workers)
    np.testing.assert_allclose(logits[:, 0], LEVELS, atol=1e-3)
    assert unreadable == {}
    assert not logits[:, 2].any()


def test_short_notes_are_padded_and_long_ones_cut(clips: list[Clip]) -> None:
    padded, _ = predict(Loudness(), clips, RATE, 0.6)
    np.testing.assert_allclose(padded[:, 1], 0.5, atol=0.03)
    cut, _ = predict(Loudness(), clips, RATE, 0.1)
    np.testing.assert_allclose(cut[:, 0], LEVELS, atol=1e-3)


def test_only_the_stretch_of_a_clip_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio.write(path, np.concatenate([tone(level=0.1), tone(level=0.5), tone(level=0.9)]), RATE)
    logits, _ = predict(Loudness(), [Clip(path, (), "g", 1.0, 1.0), Clip(path, (), "g", 0.0, 1.0)], RATE, 2.0)
    np.testing.assert_allclose(logits[:, :2], [[0.5, 0.5], [0.1, 0.5]], atol=0.02)


def test_unreadable_clips_are_named_and_leave_the_others_alone(clips: list[Clip]) -> None:
    clips[3].path.write_bytes(b"not audio")
    clips[9].path.unlink()
    logits, unreadable = predict(Loudness(), clips, RATE, 0.3, batch_size=4)
    assert sorted(unreadable) == [3, 9]
    assert "0.2.wav: cannot be read" in unreadable[3] and "0.5.wav: no such file" in unreadable[9]
    assert np.flatnonzero(np.isnan(logits).all(axis=1)).tolist() == [3, 9]
    np.testing.assert_allclose(np.delete(logits[:, 0], [3, 9]), np.delete(LEVELS, [3, 9]), atol=1e-3)


def test_all_unreadable(clips: list[Clip]) -> None:
    for clip in clips:
        clip.path.write_bytes(b"not audio")
    logits, unreadable = predict(Loudness(), clips, RATE, 0.3)
    assert len(unreadable) == len(clips) and np.isnan(logits).all()


def test_archive_members_are_read_in_order(clips: list[Clip], tmp_path: Path) -> None:
    clips[5].path.write_bytes(b"not audio")
    with tarfile.open(tmp_path / "notes.tar.gz", "w:gz") as tar:
        for clip in reversed(clips):
            tar.add(clip.path, f"audio/{clip.path.name}")
    archive = tmp_path / "notes.tar.gz"
    packed = [Clip(archive, (0,), "g", member=name) for name in archive_members(archive)]
    logits, unreadable = predict(Loudness(), packed, RATE, 0.3, batch_size=4)
    np.testing.assert_allclose(np.delete(logits[:, 0], 7), np.delete(LEVELS[::-1], 7), atol=1e-3)
    assert list(unreadable) == [7] and unreadable[7].startswith("audio/0.3.wav: ")


def test_no_more_is_taken_than_is_needed_soon(clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an archive everything that is taken lies in memory until it is heard."""
    taken, heard, waiting = [], [], []

    def counted(clips: list[Clip], seconds: float) -> Iterator[Path]:
        for clip in clips:
            taken.append(clip)
            yield clip.path

    class Watching(Loudness):
        def forward(self, waveform: torch.Tensor) -> torch.Tensor:
            waiting.append(len(taken) - len(heard))
            heard.extend(waveform)
            return super().forward(waveform)

    monkeypatch.setattr(prediction, "sources", counted)
    predict(Watching(), clips * 10, RATE, 0.3, batch_size=5, workers=2)
    assert len(heard) == 130
    assert max(waiting) <= 5 * (2 + 2)  # two batches are worked on, one waits, one is being taken


def test_devices_are_there_or_told() -> None:
    assert best_device("cpu") == "cpu"
    assert best_device() in ("cuda", "mps", "cpu")
    absent = "cuda" if not torch.cuda.is_available() else "mps" if not torch.backends.mps.is_available() else "tpu"
    with pytest.raises(InputError, match=f"device '{absent}': not on this machine"):
        best_device(absent)


def test_clips_that_must_be_readable(clips: list[Clip]) -> None:
    np.testing.assert_allclose(predict_clips(Loudness(), clips, RATE, 0.3)[:, 0], LEVELS, atol=1e-3)
    clips[3].path.write_bytes(b"not audio")
    with pytest.raises(InputError, match=r"1 of 13 clips cannot be read \(.*0.2.wav: cannot be read"):
        predict_clips(Loudness(), clips, RATE, 0.3)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_network_that_gives_no_numbers_is_told(clips: list[Clip], workers: int) -> None:
    class Broken(Loudness):
        def forward(self, waveform: torch.Tensor) -> torch.Tensor:
            return super().forward(waveform) / 0

    with pytest.raises(InputError, match="not finite numbers"):
        predict(Broken(), clips, RATE, 0.3, workers=workers)


def test_the_network_stays_as_it_was(clips: list[Clip]) -> None:
    network = build("compact_cnn", 3, mel={"sample_rate": RATE, "f_max": RATE / 2}, channels=[8, 8, 8]).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predict(network, clips, RATE, 1.0)
    after = network.state_dict()
    assert network.training and before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_no_clips_are_told() -> None:
    with pytest.raises(InputError, match="no clips"):
        predict(Loudness(), [], RATE, 0.3)
