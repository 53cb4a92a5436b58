"""Known answers for decoding: tones keep their pitch, channels are averaged, damage is told in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from note_folders import tone

from helpers import audio
from helpers.config import InputError

RATE = 16_000


def loudest_frequency(waveform: np.ndarray, rate: int) -> float:
    """Peak of the spectrum in Hz, as fine as one over the duration."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(spectrum.argmax() * rate / len(waveform))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_rate_conversion_keeps_frequency_level_and_length(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(440, 2.0, rate), rate)
    waveform = audio.read(path, RATE)
    assert waveform.dtype == np.float32
    assert abs(len(waveform) - 2 * RATE) <= 1
    assert loudest_frequency(waveform, RATE) == pytest.approx(440, abs=0.5)
    assert np.abs(waveform[1000:-1000]).max() == pytest.approx(0.5, rel=0.01)


def test_what_lies_above_nyquist_does_not_fold_back(tmp_path: Path) -> None:
    path = tmp_path / "high.wav"
    soundfile.write(path, tone(10_000, 1.0, 44_100), 44_100)
    assert np.abs(audio.read(path, RATE)[1000:-1000]).max() < 1e-3


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.tile(np.float32([0.75, -0.25, 0.25]), (100, 1)), RATE)
    np.testing.assert_allclose(audio.read(path, RATE), 0.25, atol=1e-4)


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24), ("FLOAT", 0)]
)
def test_bit_depths(tmp_path: Path, subtype: str, step: float) -> None:
    path = tmp_path / "tone.wav"
    wanted = tone(440, 0.1)
    soundfile.write(path, wanted, RATE, subtype=subtype)
    assert np.abs(audio.read(path, RATE) - wanted).max() <= step


def test_flac_and_bytes_are_the_same_samples_as_wav(tmp_path: Path) -> None:
    wanted = np.round(tone(440, 0.5) * 2**15) / 2**15  # both encoders store it exactly
    for name in ("a.wav", "a.flac"):
        audio.write(tmp_path / name, wanted, RATE)
    expected = audio.read(tmp_path / "a.wav", RATE)
    np.testing.assert_array_equal(audio.read(tmp_path / "a.flac", RATE), expected)
    np.testing.assert_array_equal(audio.read((tmp_path / "a.flac").read_bytes(), RATE), expected)


def test_start_and_duration_cut_out_a_stretch(tmp_path: Path) -> None:
    path = tmp_path / "ramp.wav"
    ramp = np.linspace(-1, 1, 3 * RATE, dtype=np.float32)
    soundfile.write(path, ramp, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(path, RATE, 1.0, 0.5), ramp[RATE : RATE + RATE // 2])
    np.testing.assert_array_equal(audio.read(path, RATE, 2.5), ramp[RATE * 5 // 2 :])
    assert len(audio.read(path, RATE, 2.5, 10.0)) == RATE // 2  # no more than there is


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_stream_gives_what_read_gives_in_small_blocks(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "long.wav"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (round(25.3 * rate), 2)).astype(np.float32)
    soundfile.write(path, noise, rate, subtype="FLOAT")
    blocks = list(audio.stream(path, RATE))
    assert len(blocks) > 2
    assert max(map(len, blocks)) <= (audio.BLOCK_S + 1) * RATE
    np.testing.assert_array_equal(np.concatenate(blocks), audio.read(path, RATE))
    assert abs(sum(map(len, blocks)) - round(25.3 * RATE)) <= 1


def _not_finite(path: Path) -> None:
    soundfile.write(path, np.float32([0, np.nan, np.inf]), RATE, subtype="FLOAT")


def _cut_off(path: Path) -> None:
    whole = path.with_suffix(".flac")
    audio.write(whole, np.random.default_rng(0).uniform(-1, 1, 4 * RATE), RATE)
    path.write_bytes(whole.read_bytes()[:20_000])


UNREADABLE = {
    "missing": (lambda path: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "no such file"),
    "no bytes": (lambda path: path.write_bytes(b""), "cannot be read as audio"),
    "text": (lambda path: path.write_text("not audio " * 100), "cannot be read as audio"),
    "header only": (lambda path: path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt "), "cannot be read as audio"),
    "no samples": (lambda path: soundfile.write(path, np.zeros(0), RATE), "holds no audio"),
    "not finite": (_not_finite, "not finite"),
    "cut off": (_cut_off, "damaged audio|holds no audio"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_unreadable_files_are_told_in_one_line(tmp_path: Path, kind: str) -> None:
    damage, message = UNREADABLE[kind]
    path = tmp_path / "note.wav"
    damage(path)
    with pytest.raises(InputError, match=message) as caught:
        audio.read(path, RATE)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_bytes_that_are_no_audio_are_told_too() -> None:
    with pytest.raises(InputError, match="audio data: cannot be read"):
        audio.read(b"not audio " * 100, RATE)


def test_start_behind_the_end_is_told(tmp_path: Path) -> None:
    audio.write(tmp_path / "note.wav", tone(440, 1.0), RATE)
    with pytest.raises(InputError, match="holds no audio after 2 s"):
        audio.read(tmp_path / "note.wav", RATE, 2.0)


def test_wav_that_lost_its_end_gives_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "note.wav"
    audio.write(path, tone(440, 1.0), RATE)
    path.write_bytes(path.read_bytes()[: 44 + RATE])  # half of the samples
    assert len(audio.read(path, RATE)) == RATE // 2


def test_length_comes_from_the_header(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "note.wav", tone(440, 1.5, 44_100), 44_100)
    assert audio.length(tmp_path / "note.wav") == pytest.approx(1.5)
    with pytest.raises(InputError, match="no such file"):
        audio.length(tmp_path / "other.wav")


def test_write_clips_and_is_atomic(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    audio.write(path, np.float32([2.0, -2.0, 0.5]), RATE)
    np.testing.assert_allclose(audio.read(path, RATE), [1.0, -1.0, 0.5], atol=1e-4)
    with pytest.raises(TypeError):
        audio.write(path, None, RATE)
    assert [p.name for p in tmp_path.iterdir()] == ["loud.wav"]


def test_fit_length_cuts_or_pads_at_the_end() -> None:
    np.testing.assert_array_equal(audio.fit_length(np.float32([1, 2, 3]), 2), [1, 2])
    np.testing.assert_array_equal(audio.fit_length(np.float32([1, 2]), 4), [1, 2, 0, 0])


def test_windows_cover_everything() -> None:
    np.testing.assert_array_equal(audio.windows(np.arange(1, 6), 3, 2), [[1, 2, 3], [3, 4, 5]])
    np.testing.assert_array_equal(audio.windows(np.arange(1, 7), 3, 2), [[1, 2, 3], [3, 4, 5], [5, 6, 0]])
    np.testing.assert_array_equal(audio.windows(np.arange(1, 3), 3, 2), [[1, 2, 0]])
