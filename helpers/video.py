"""Sound of films and of compressed files that libsndfile does not read, decoded by PyAV, which brings its own FFmpeg.

Time counts from the beginning of the film: sound that starts after the picture, and holes in it, become silence, so
that times read off a player hold.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from helpers.config import InputError

HOLE_S = 0.05  # time stamps that are off by less are rounding of the container
INDEXED = ("mov", "matroska")  # containers whose time stamps hold after a seek; the others are read from the start


class Sound:
    """An audio stream of a path or an open file, to be used in a `with` block.

    `name` is how messages call the file, `track` the number of the stream, counted from 0, and `reason` why something
    simpler did not do. Raises an InputError if it cannot be read, or has no such track.
    """

    def __init__(self, file: str | io.BytesIO, name: str, track: int, reason: str) -> None:
        unreadable = InputError(f"{name}: cannot be read as audio ({reason})")
        try:
            import av
        except ImportError:
            raise unreadable from None
        try:
            self.container = av.open(file)
        except (av.FFmpegError, ValueError):
            raise unreadable from None
        self.name, streams = name, self.container.streams.audio
        if track >= len(streams) or streams[track].codec_context is None:
            found = len(streams)
            self.container.close()
            raise InputError(f"{name}: holds no readable audio stream {track} (streams of audio: {found})")
        self.stream = streams[track]
        self.samplerate = self.stream.rate or 0  # Hz; the codec changes `rate` when the rate of its frames changes

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()

    def length(self) -> float:
        """Duration in seconds as the container says it; an InputError if it does not."""
        if self.stream.duration is not None:
            end = float(((self.stream.start_time or 0) + self.stream.duration) * self.stream.time_base)
            return end - (self.container.start_time or 0) / 1e6
        if self.container.duration is None:
            raise InputError(f"{self.name}: does not say how long it is; convert it to FLAC first")
        return self.container.duration / 1e6

    def blocks(self, start: float, duration: float | None) -> Iterator[np.ndarray]:
        """Mono float32 blocks [samples] of a second or more, but for the last one; an InputError for damage."""
        waiting: list[np.ndarray] = []  # short blocks, which are slow to work on
        for block in self._blocks(start, duration):
            waiting.append(block)
            if sum(map(len, waiting)) >= self.samplerate:
                yield np.concatenate(waiting)
                waiting = []
        if waiting:
            yield np.concatenate(waiting)

    def _blocks(self, start: float, duration: float | None) -> Iterator[np.ndarray]:
        """The same, of the size of codec frames."""
        import av

        rate, container = self.samplerate, self.container
        first, last = round(start * rate), None if duration is None else round((start + duration) * rate)
        origin = (container.start_time or 0) / 1e6  # s, time stamp of the first picture or sample
        position, tolerance = 0, 0.0  # next sample, from the beginning of the film; samples that may be missing
        try:
            if start > 1.0 and container.format.name.startswith(INDEXED):
                container.seek(int((start - 1.0 + origin) * 1e6))
                position = None
            for time, block in self._frames():
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
            raise InputError(f"{self.name}: damaged audio ({error})") from None

    def _frames(self) -> Iterator[tuple[float | None, np.ndarray]]:
        """Decoded frames as pairs (time stamp in s or None, mono samples).

        The rate, format or channels of the frames may change midway, as where an advertisement was cut in.
        """
        import av

        form, resampler = None, None
        for frame in self.container.decode(self.stream):
            if form != (form := (frame.sample_rate, frame.format.name, frame.layout.name)):
                resampler = av.AudioResampler(format="fltp", rate=self.samplerate)
            for number, part in enumerate(resampler.resample(frame)):
                yield None if number else frame.time, part.to_ndarray().mean(axis=0, dtype=np.float32)
