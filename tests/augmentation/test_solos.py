"""Solos mixed into film excerpts: what is added is labelled where it sounds, at the level that was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from film_files import tone

from helpers import audio
from helpers.augmentation.mixing import AddSolos, active
from helpers.datasets.base import Clip

RATE, WINDOW = 16_000, 480


@pytest.fixture
def solos(tmp_path: Path) -> list[Clip]:
    """One tone for each of two classes."""
    for label, frequency in ((1, 500), (3, 3_000)):
        audio.write(tmp_path / f"{label}.wav", tone(frequency, 6.0, RATE), RATE)
    return [Clip(tmp_path / f"{label}.wav", (label,), str(label)) for label in (1, 3)]


def mixed(solos: list[Clip], **settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Film excerpts of noise, the mixes and their labels."""
    torch.manual_seed(0)
    noise = 0.01 * torch.randn(16, 64 * WINDOW)
    targets = torch.zeros(16, 64, 4)
    targets[:, :, 0] = 1.0
    targets[:, :, 2] = torch.nan
    sound, labels = AddSolos(solos, RATE, **settings)(noise, targets)
    assert torch.isnan(targets[:, :, 2]).all() and (targets[:, :, 1] == 0).all(), "what came in is left as it was"
    return noise.numpy(), sound.numpy(), labels.numpy()


def test_what_was_added_is_labelled_where_it_sounds(solos: list[Clip]) -> None:
    noise, sound, labels = mixed(solos)
    changed = (np.abs(sound - noise).reshape(16, 64, WINDOW).max(axis=2) > 1e-4)
    heard = (labels[:, :, [1, 3]] == 1).any(axis=2)
    assert 0.2 < heard.mean() < 0.9
    assert (changed == heard).mean() > 0.97  # but for the first windows of the fades
    assert (labels[:, :, 0] == 1).all() and np.isnan(labels[:, :, 2]).all()


def test_the_right_class_is_labelled(solos: list[Clip]) -> None:
    noise, sound, labels = mixed(solos, voices=1)
    for row in range(16):
        added = np.abs(np.fft.rfft(sound[row] - noise[row]))
        if added.max() > 1:
            loudest = added.argmax() * RATE / (64 * WINDOW)
            assert (labels[row, :, 1] == 1).any() == (loudest < 1_000)
            assert (labels[row, :, 3] == 1).any() == (loudest > 1_000)


def test_levels_are_those_that_were_drawn(solos: list[Clip]) -> None:
    noise, sound, labels = mixed(solos, voices=1, snr_db=(6.0, 6.0))
    for row in range(16):
        inner = np.flatnonzero((labels[row, :, [1, 3]] == 1).any(axis=0))[1:-1]
        if len(inner):
            added = (sound[row] - noise[row]).reshape(64, WINDOW)[inner]
            ratio = 10 * np.log10(np.mean(added**2) / np.mean(noise[row] ** 2))
            assert ratio == pytest.approx(6.0, abs=0.5)


def test_a_solo_without_a_label_sounds_and_labels_nothing(solos: list[Clip]) -> None:
    noise, sound, labels = mixed([Clip(solo.path, (), solo.group) for solo in solos])
    assert np.abs(sound - noise).max() > 1e-3
    assert (labels[:, :, [1, 3]] == 0).all()


def test_solos_can_be_changed_before_they_are_added(solos: list[Clip]) -> None:
    silenced = mixed(solos, augment=lambda waveform, _: waveform * 0)
    np.testing.assert_array_equal(silenced[0], silenced[1])


def test_the_same_seed_mixes_the_same(solos: list[Clip]) -> None:
    np.testing.assert_array_equal(mixed(solos)[1], mixed(solos)[1])


def test_a_gap_shorter_than_a_pause_is_bridged() -> None:
    windows = np.ones((60, WINDOW))
    windows[5:10] = 0  # 0.15 s
    windows[20:50] = 0  # 0.9 s
    heard = active(windows)
    assert heard[:20].all() and not heard[25:45].any() and heard[50:].all()


def test_short_and_silent_solos_do_no_harm(tmp_path: Path) -> None:
    audio.write(tmp_path / "0.wav", np.zeros(RATE), RATE)
    audio.write(tmp_path / "1.wav", tone(440, 0.01, RATE), RATE)
    _, sound, labels = mixed([Clip(tmp_path / f"{n}.wav", (n,), str(n)) for n in (0, 1)])
    assert np.isfinite(sound).all() and (labels[:, :, 1] == 0).all()
