"""Small films for tests: any number of audio streams, beside a picture or alone, and sources files about them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def tone(frequency: float, seconds: float, rate: int = 48_000, level: float = 0.5) -> np.ndarray:
    """Sine, float32 [samples]."""
    return np.float32(level) * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate, dtype=np.float32)


def write_film(path: Path, tracks: list[np.ndarray], rate: int = 48_000, codec: str = "aac", late_s: float = 0.0,
               picture: bool = False, hole_s: tuple[float, float] = (0.0, 0.0)) -> Path:
    """Encode tracks [samples] or [2, samples]; sound begins `late_s` after the picture and is absent in the hole."""
    with av.open(str(path), "w") as container:
        if picture:
            video = container.add_stream("mpeg4", rate=10)
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        streams = [container.add_stream(codec, rate=rate, layout="mono" if track.ndim == 1 else "stereo")
                   for track in tracks]
        if picture:
            seconds = late_s + max(track.shape[-1] for track in tracks) / rate
            for _ in range(round(seconds * 10)):
                container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
            container.mux(video.encode())
        for stream, track in zip(streams, tracks, strict=True):
            for frame in frames(np.atleast_2d(track), rate, late_s, hole_s):
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


def frames(track: np.ndarray, rate: int, late_s: float, hole_s: tuple[float, float]):
    """Audio frames of [channels, samples] with their time stamps."""
    for first in range(0, track.shape[1], 1024):
        if hole_s[0] * rate <= first < hole_s[1] * rate:
            continue
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(track[:, first : first + 1024]), format="fltp",
                                           layout="mono" if len(track) == 1 else "stereo")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = first + round(late_s * rate)
        yield frame


def source(name: str, **changes) -> dict:
    """A source without faults whose file is `<name>.wav`."""
    return {"id": name, "file": f"{name}.wav", "title": name, "licence": "test", "split": "train", "exhaustive": True,
            "segments": [{"start": 0.3, "end": 0.9, "instruments": ["erhu"]}], **changes}


def write_sources(path: Path, *sources: dict, **changes) -> Path:
    """A sources file over the four instruments."""
    content = {"version": 1, "instruments": ["gong", "erhu", "dizi", "pipa"], "sources": list(sources), **changes}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
