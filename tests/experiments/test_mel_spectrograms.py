"""Notebook 01's experiment: which notes are chosen, and that a known tone lies where it must."""

from pathlib import Path

import numpy as np
import pytest

from helpers import audio
from helpers.config import MelConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip
from helpers.experiments import nsynth as study
from helpers.features import mel as melscale
from helpers.plotting import spectrograms


def note(name: str, folder: Path = Path("x")) -> Clip:
    said = nsynth.NAME.fullmatch(name)
    return Clip(folder / f"{name}.wav", (nsynth.FAMILIES.index(said["family"]),), said["instrument"])


MEL = MelConfig(n_fft=2048, hop_length=512, n_mels=128, f_min=0.0)  # that of notebook 01
FILTERS = melscale.torchaudio_filters(MEL)
CLIPS = [note(f"reed_acoustic_001-{pitch:03d}-100") for pitch in (50, 60)] + [
    note(f"reed_acoustic_002-{pitch:03d}-100") for pitch in (50, 60, 71)
] + [note("bass_electronic_000-030-100"), note("vocal_acoustic_000-060-100")]  # fmt: skip


def test_family_stands_for_the_instrument_with_most_of_the_pitches():
    notes, messages = study.choose(CLIPS, "reed", "50,60,71")
    assert [n.name for n in notes] == [f"reed_acoustic_002-{pitch:03d}-100" for pitch in (50, 60, 71)]
    assert messages == []


def test_missing_pitch_is_replaced_by_the_nearest_with_a_message():
    notes, messages = study.choose(CLIPS, "reed_acoustic_001", "48,61")
    assert [nsynth.pitch_of(n) for n in notes] == [50, 60]
    assert messages[0] == "reed_acoustic_001: has no pitch 48, 50 is nearest"


def test_unknown_instrument_is_replaced_with_a_message_and_never_twice():
    notes, messages = study.choose(CLIPS, "vocal,gamelan", "60")
    assert notes[0].group == "vocal_acoustic_000" and notes[1].group != "vocal_acoustic_000"
    assert messages[0].startswith("gamelan: no such instrument or family here")


def test_a_pure_tone_is_loudest_in_the_band_at_its_frequency(tmp_path):
    time = np.arange(4 * nsynth.SAMPLE_RATE) / nsynth.SAMPLE_RATE
    tone = note("reed_acoustic_001-069-100", tmp_path)
    audio.write(tone.path, 0.5 * np.sin(2 * np.pi * 440 * time), nsynth.SAMPLE_RATE)
    power = melscale.mel_power(study.dataset([tone]).waveform(0)[None], MEL, FILTERS)
    level = melscale.decibels(power, power.max(), -80)[0]  # [n_mels, frames]
    assert melscale.centres(FILTERS, MEL)[level.mean(axis=1).argmax()] == pytest.approx(440, abs=15)
    assert level.max() == 0 and level.min() == -80


def test_both_libraries_agree_under_one_convention():
    np.testing.assert_allclose(FILTERS, melscale.librosa_filters(MEL, melscale.TORCHAUDIO), atol=2e-5)


def test_default_conventions_differ():
    assert np.abs(melscale.torchaudio_filters(MEL) - melscale.librosa_filters(MEL)).max() > 0.1


def test_axes_say_hertz_at_the_right_band():
    hertz = melscale.centres(FILTERS, MEL)
    figure = spectrograms.note_grid(np.zeros((1, 128, 5)) - np.eye(128, 5), ["a"], ["b"], 4.0, hertz)
    axis = figure.axes[0]
    for tick, label in zip(axis.get_yticks(), axis.get_yticklabels(), strict=True):
        assert np.interp(tick, np.arange(128) + 0.5, hertz) == pytest.approx(float(label.get_text().replace(",", "")))
    assert axis.get_xlim() == (0, 4)
