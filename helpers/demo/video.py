"""Write an MP4 file: a small animated picture in H.264 and stereo sound in AAC."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from helpers.files import atomic

FPS = 10
WIDTH, HEIGHT = 160, 96
CHUNK = 1024  # samples of an AAC frame


def write_mp4(path: Path, pictures: Iterator[np.ndarray], stereo: np.ndarray, sample_rate: int) -> None:
    """Write pictures (uint8 [HEIGHT, WIDTH, 3], FPS of them a second) and sound [samples, 2] atomically."""
    with atomic(Path(path)) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "30", "threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = container.add_stream("aac", rate=sample_rate, layout="stereo", options={"aac_coder": "fast"})
        sound.bit_rate = 128_000
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        for frame in _sound_frames(stereo, sample_rate):
            container.mux(sound.encode(frame))
        container.mux(sound.encode())


def _sound_frames(stereo: np.ndarray, sample_rate: int) -> Iterator[av.AudioFrame]:
    for begin in range(0, len(stereo), CHUNK):
        planes = np.ascontiguousarray(stereo[begin : begin + CHUNK].T, np.float32)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, begin, Fraction(1, sample_rate)
        yield frame


def animation(seconds: float, lights: np.ndarray, hues: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """A landscape with a moon that wanders, and one lantern for each instrument that burns while it plays.

    Args:
        seconds: length.
        lights: brightness 0..1 of each lantern in each picture [pictures, instruments].
        hues: colour of the sky in each picture [pictures, 3], 0..1.
        rng: random numbers.
    """
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    hills = HEIGHT * (0.62 + 0.12 * np.sin(x / rng.uniform(9, 25) + rng.uniform(0, 6))) < y
    land = (np.where(hills, 0.25, 1.0) * (255 - 1.6 * y))[:, :, None]
    places = np.linspace(0, WIDTH, lights.shape[1] + 2)[1:-1]
    glows = np.exp(-((x - places[:, None, None]) ** 2 + (y - 76) ** 2) / 60)  # [instruments, HEIGHT, WIDTH]
    for number in range(round(seconds * FPS)):
        moon = (x - 20 - 120 * number / (seconds * FPS)) ** 2 + (y - 22) ** 2 < 90
        lanterns = np.tensordot(lights[number], glows, 1)[:, :, None] * np.array([255, 150, 40])
        yield np.clip(hues[number] * land + 120 * moon[:, :, None] + lanterns, 0, 255).astype(np.uint8)
