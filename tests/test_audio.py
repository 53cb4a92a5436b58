"""Known answers for decoding: tones keep their pitch, channels are averaged, damage is told in one line."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from note_folders import loudest_frequency, tone
from refusals import refused

from helpers import audio
from helpers.config import ROOT, InputError

RATE = 16_000


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_rate_conversion_keeps_frequency_level_and_length(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(440, 2.0, rate), rate)
    waveform = audio.read(path, RATE)
    assert waveform.dtype == np.float32
    assert abs(len(waveform) - 2 * RATE) <= 1
    assert loudest_frequency(waveform) == pytest.approx(440, abs=0.5)
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
    with refused(message, path):
        audio.read(path, RATE)


def test_bytes_that_are_no_audio_are_told_too() -> None:
    with pytest.raises(InputError, match="audio data: cannot be read"):
        audio.read(b"not audio " * 100, RATE)


def test_start_behind_the_end_is_told(tmp_path: Path) -> None:
    audio.write(tmp_path / "note.wav", tone(440, 1.0), RATE)
    with pytest.raises(InputError, match="holds no audio after 2 s"):
        audio.read(tmp_path / "note.wav", RATE, 2.0)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".au", ".aiff"])
@pytest.mark.parametrize("lost", [1, 2, 20_000, 100_000])
def test_a_file_that_lost_its_end_is_unreadable(tmp_path: Path, suffix: str, lost: int) -> None:
    path = tmp_path / f"note{suffix}"
    audio.write(path, np.random.default_rng(0).uniform(-1, 1, 4 * RATE), RATE)
    assert len(audio.read(path, RATE)) == 4 * RATE
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(InputError, match=r"shorter than its header says|damaged audio"):
        audio.read(path, RATE)


def test_a_wav_of_unstated_length_is_read_to_its_end(tmp_path: Path) -> None:
    """As programs write it that send it through a pipe."""
    path = tmp_path / "note.wav"
    audio.write(path, tone(440, 1.0), RATE)
    content = bytearray(path.read_bytes())
    for stated in (0xFFFFFFFF, 0x7FFFFFFF):
        content[40:44] = stated.to_bytes(4, "little")
        assert len(audio.read(bytes(content), RATE)) == RATE


def test_every_flipped_bit_of_a_flac_is_found(tmp_path: Path) -> None:
    audio.write(tmp_path / "note.flac", tone(440, 1.0), RATE)
    whole = (tmp_path / "note.flac").read_bytes()
    wanted, generator = audio.read(whole, RATE), np.random.default_rng(0)
    for _ in range(200):
        content = bytearray(whole)
        content[generator.integers(len(whole))] ^= 1 << int(generator.integers(8))
        with contextlib.suppress(InputError):
            np.testing.assert_array_equal(audio.read(bytes(content), RATE), wanted)  # a bit that does not matter


JUNK = {"empty": b"", "page": b"<!DOCTYPE html><html></html>" * 50,
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"}  # fmt: skip


@pytest.mark.parametrize("suffix", [".flac", ".FLAC", ".wav", ".mp3", ".m4a"])
@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_one_line_with_pyav_installed(tmp_path: Path, kind: str, suffix: str) -> None:
    pytest.importorskip("av")
    path = tmp_path / f"note{suffix}"
    path.write_bytes(JUNK[kind])
    for call in (lambda: audio.read(path, RATE), lambda: audio.length(path)):
        with pytest.raises(InputError, match=re.escape(str(path))):
            call()


@pytest.mark.parametrize("rate", [1, 500, 2**31 - 1])
def test_absurd_rates_are_unreadable(rate: int) -> None:
    content = io.BytesIO()
    soundfile.write(content, np.zeros(1000), rate, format="WAV")
    with pytest.raises(InputError, match=f"sample rate {rate} Hz"):
        audio.read(content.getvalue(), RATE)


def test_absurdly_loud_is_unreadable(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.float32([0, 1e30]), RATE, subtype="FLOAT")
    with pytest.raises(InputError, match="not finite"):
        audio.read(tmp_path / "a.wav", RATE)


def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "b.wav").symlink_to("/dev/zero")
    for name in "ab":
        for call in (lambda path: audio.read(path, RATE), audio.length):
            with pytest.raises(InputError, match="no regular file"):
                call(tmp_path / f"{name}.wav")


@pytest.mark.parametrize("name", ["a\0.wav", "a\ud800.wav", "a" * 300 + ".wav", "a\n.wav"])
def test_impossible_names_are_one_line(tmp_path: Path, name: str) -> None:
    with refused("no such file"):
        audio.read(tmp_path / name, RATE)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_full_disk_is_one_line(tmp_path: Path, suffix: str) -> None:
    code = ("import resource, signal, sys, numpy as np; from pathlib import Path; from helpers import audio\n"
            "from helpers.config import ROOT, InputError\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999))\n"
            "try: audio.write(Path(sys.argv[1]), np.random.default_rng(0).uniform(-1, 1, 64000), 16000)\n"
            "except InputError as error: print(error)")  # fmt: skip
    path = tmp_path / f"a{suffix}"
    run = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.startswith(f"{path}: cannot be written (") and run.stdout.count("\n") == 1, run
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_head_of_a_long_file_is_enough_for_its_beginning(tmp_path: Path, monkeypatch, suffix: str) -> None:
    monkeypatch.setattr(audio, "FIRST", 10_000)
    path = tmp_path / f"long{suffix}"
    audio.write(path, np.random.default_rng(0).uniform(-1, 1, (60 * RATE, 2)), RATE)
    content = path.read_bytes()
    head = audio.head(io.BytesIO(content), len(content), 1.0)
    assert len(head.getvalue()) < len(content) // 5
    np.testing.assert_array_equal(audio.read(head, RATE, duration=1.0), audio.read(path, RATE, duration=1.0))
    with pytest.raises(InputError, match=r"shorter than|damaged"):
        audio.read(head, RATE)


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
