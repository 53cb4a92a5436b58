"""Sound of films and of compressed files that libsndfile does not read, decoded by PyAV, which brings its own FFmpeg.

Time counts from the beginning of the film: sound that starts after the picture, and holes in it, become silence, so
that times read off a player hold. `file` is a path or an open file, `name` how messages call it, `track` the number
of the audio stream, counted from 0, and `reason` why something simpler did not do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from helpers.config import InputError

HOLE_S = 0.05  # time stamps that are off by less are rounding of the container
INDEXED = ("mov", "matroska")  # containers whose time stamps hold after a seek; the others are read from the start


def stream(
    file: str | io.BytesIO, name: str, start: float, duration: float | None, track: int, reason: str
) -> tuple[int, Iterator[np.ndarray]]:
    """Native sample rate in Hz, and mono float32 blocks [samples] of a second or more.

    Raises:
        InputError: it cannot be read, or has no such track.
    """
    container, stream = _open(file, name, track, reason)
    rate = stream.rate or 0  # the codec changes this attribute when the rate of its frames changes
    return rate, _gathered(_blocks(container, stream, rate, name, start, duration), rate)


def length(file: str | io.BytesIO, name: str, track: int, reason: str) -> float:
    """Duration in seconds as the container says it.

    Raises:
        InputError: it cannot be read, has no such track, or does not say it.
    """
    container, stream = _open(file, name, track, reason)
    with container:
        if stream.duration is not None:
            end = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
            return end - (container.start_time or 0) / 1e6
        if container.duration is not None:
            return container.duration / 1e6
    raise InputError(f"{name}: does not say how long it is; convert it to FLAC first")


def _open(file: str | io.BytesIO, name: str, track: int, reason: str):
    """The container and its audio stream number `track`."""
    unreadable = InputError(f"{name}: cannot be read as audio ({reason})")
    try:
        import av
    except ImportError:
        raise unreadable from None
    try:
        container = av.open(file)
    except (av.FFmpegError, ValueError):
        raise unreadable from None
    found = len(container.streams.audio)
    if track < found and container.streams.audio[track].codec_context is not None:
        return container, container.streams.audio[track]
    container.close()
    raise InputError(f"{name}: holds no readable audio stream {track} (streams of audio: {found})")


def _blocks(container, stream, rate: int, name: str, start: float, duration: float | None):
    """Mono blocks between start and start + duration, of the size of codec frames."""
    import av

    first, last = round(start * rate), None if duration is None else round((start + duration) * rate)
    origin = (container.start_time or 0) / 1e6  # s, time stamp of the first picture or sample
    position, tolerance = 0, 0.0  # next sample, counted from the beginning of the film; samples that may be missing
    with container:
        try:
            if start > 1.0 and container.format.name.startswith(INDEXED):
                container.seek(int((start - 1.0 + origin) * 1e6))
                position = None
            for time, block in _frames(container, stream, rate):
                stamped = time is not None and container.start_time is not None  # bare streams have no clock
                at = round((time - origin) * rate) if stamped else position
                position = at if position is None else position
                if at - position > tolerance:
                    block = np.pad(block, (at - position, 0))
                elif position - at > tolerance:
                    block = block[position - at :]
                yield block[max(0, first - position) : None if last is None else max(0, last - position)]
                position, tolerance = position + len(block), HOLE_S * rate
                if last is not None and position >= last:
                    return
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{name}: damaged audio ({error})") from None


def _frames(container, stream, rate: int) -> Iterator[tuple[float | None, np.ndarray]]:
    """Decoded frames as pairs (time stamp in s or None, mono samples at `rate`).

    The rate, format or channels of the frames may change midway, as where an advertisement was cut in.
    """
    import av

    form, resampler = None, None
    for frame in container.decode(stream):
        if form != (form := (frame.sample_rate, frame.format.name, frame.layout.name)):
            resampler = av.AudioResampler(format="fltp", rate=rate)
        for number, part in enumerate(resampler.resample(frame)):
            yield None if number else frame.time, part.to_ndarray().mean(axis=0, dtype=np.float32)


def _gathered(blocks: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Join short blocks to some of at least `size` samples, which are quicker to work on."""
    waiting: list[np.ndarray] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= size:
            yield np.concatenate(waiting)
            waiting = []
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)
