"""Known answers for films: tracks, time stamps, holes, changing rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from film_files import tone, write_film
from note_folders import loudest_frequency
from refusals import refused

from helpers import audio
from helpers.config import InputError

RATE = 16_000


def onset(waveform: np.ndarray) -> float:
    """Time in s of the first sample above a tenth of full scale."""
    return float(np.argmax(np.abs(waveform) > 0.1) / RATE)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.m4a", "a.ts", "a.aac"])
def test_containers_keep_pitch_level_and_length(tmp_path: Path, name: str) -> None:
    path = write_film(tmp_path / name, [tone(440, 3.0)], picture=name in ("a.mp4", "a.mkv"))
    waveform = audio.read(path, RATE)
    assert loudest_frequency(waveform[RATE : 2 * RATE]) == pytest.approx(440, abs=1)
    assert np.sqrt(np.mean(waveform[RATE : 2 * RATE] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert len(waveform) / RATE == pytest.approx(3.0, abs=0.06)
    assert audio.length(path) == pytest.approx(3.0, abs=0.06)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left = tone(440, 1.0)
    path = write_film(tmp_path / "a.mp4", [np.stack([left, np.zeros_like(left)])])
    middle = audio.read(path, RATE)[4000:12000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.02)


def test_track_chooses_the_audio_stream(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", [tone(440, 1.0), tone(880, 1.0)], picture=True)
    for track, frequency in enumerate((440, 880)):
        waveform = np.concatenate(list(audio.stream(path, RATE, track=track)))
        assert loudest_frequency(waveform) == pytest.approx(frequency, abs=2)
    with pytest.raises(InputError, match="no readable audio stream 2"):
        list(audio.stream(path, RATE, track=2))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_sound_that_begins_after_the_picture_keeps_its_delay(tmp_path: Path, name: str) -> None:
    path = write_film(tmp_path / name, [tone(440, 1.0)], late_s=1.5, picture=True)
    waveform = audio.read(path, RATE)
    assert onset(waveform) == pytest.approx(1.5, abs=0.03)
    assert audio.length(path) == pytest.approx(2.5, abs=0.06)


def test_a_hole_becomes_silence_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", [tone(440, 3.0)], hole_s=(1.0, 2.0), picture=True)
    waveform = audio.read(path, RATE)
    assert np.abs(waveform[round(1.1 * RATE) : round(1.9 * RATE)]).max() < 0.01
    assert 2.0 + onset(waveform[2 * RATE - 800 :]) - 0.05 == pytest.approx(2.0, abs=0.04)
    assert len(waveform) / RATE == pytest.approx(3.0, abs=0.06)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.aac"])
def test_reading_from_the_middle_is_reading_a_part_of_the_whole(tmp_path: Path, name: str) -> None:
    glide = np.sin(np.cumsum(np.linspace(0.01, 0.2, 48_000 * 6))).astype(np.float32) / 2
    path = write_film(tmp_path / name, [glide], picture=name in ("a.mp4", "a.mkv"))
    whole = audio.read(path, RATE)
    part = audio.read(path, RATE, start=3.5, duration=1.0)
    assert len(part) == RATE
    lags = range(-20, 21)  # Matroska's clock ticks in milliseconds: 16 samples
    inner = slice(500, RATE - 500)
    errors = [np.abs(part[inner] - whole[56_000 + lag :][: RATE][inner]).max() for lag in lags]
    assert min(errors) < 0.02
    assert abs(lags[int(np.argmin(errors))]) <= (16 if name == "a.mkv" else 0)


def test_rate_that_changes_midway_keeps_pitch_and_time(tmp_path: Path) -> None:
    parts = [write_film(tmp_path / f"{rate}.aac", [tone(440, 1.0, rate)], rate=rate) for rate in (48_000, 32_000)]
    path = tmp_path / "both.aac"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    waveform = audio.read(path, RATE)
    assert len(waveform) / RATE == pytest.approx(2.0, abs=0.12)
    assert loudest_frequency(waveform[1600:14400]) == pytest.approx(440, abs=2)
    assert loudest_frequency(waveform[-14400:-1600]) == pytest.approx(440, abs=2)


def test_stream_gives_bounded_blocks(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", [tone(440, 20.0)])
    assert max(len(block) for block in audio.stream(path, RATE)) <= 2 * RATE


def test_damage_is_told_in_one_line(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", [tone(440, 2.0)], picture=True)
    path.write_bytes(path.read_bytes()[:300])
    with refused("", path):
        audio.read(path, RATE)


def test_film_without_sound(tmp_path: Path) -> None:
    import av

    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(video.encode())
    with pytest.raises(InputError, match="audio stream"):
        audio.read(path, RATE)
