"""Decode any audio file to float32 mono at a rate, encode it, and cut it to windows.

libsndfile reads WAV, FLAC, OGG, MP3, AU and AIFF; what it cannot read (AAC, MP4, MKV and the other containers) is
decoded by PyAV, which brings its own FFmpeg and is imported only then. Time counts from the beginning of the film:
sound that starts after the picture, and holes in it, become silence, so that times read off a player hold.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from helpers.config import InputError
from helpers.files import atomic

Source = Path | str | bytes
BLOCK_S = 10.0  # seconds decoded at a time where the whole file need not be in memory
HOLE_S = 0.05  # time stamps that are off by less are rounding of the container
INDEXED = ("mov", "matroska")  # containers whose time stamps hold after a seek; the others are read from the start


def read(source: Source, sample_rate: int, start: float = 0.0, duration: float | None = None) -> np.ndarray:
    """Decode a file, or its bytes, to mono.

    Args:
        source: path, or the content of an audio file.
        sample_rate: rate of the result in Hz; other rates are converted (soxr, high quality).
        start: seconds to skip.
        duration: seconds to read at most; None reads to the end.

    Returns:
        float32 array [samples]; full scale is ±1, the channels are averaged.

    Raises:
        InputError: the file is missing, unreadable, empty, or holds values that are not finite.
    """
    blocks = list(stream(source, sample_rate, start, duration))
    if not blocks:
        raise InputError(f"{describe(source)}: holds no audio after {start:g} s")
    waveform = np.concatenate(blocks) if len(blocks) > 1 else blocks[0]
    if not np.isfinite(waveform).all():
        raise InputError(f"{describe(source)}: holds values that are not finite numbers; encode it again")
    return waveform


def stream(
    source: Source, sample_rate: int, start: float = 0.0, duration: float | None = None, track: int = 0
) -> Iterator[np.ndarray]:
    """Decode a file of any length block by block with constant memory; same contract as `read`.

    `track` chooses among the audio streams of a film, counted from 0.

    Yields:
        float32 arrays [samples] that concatenated are what `read` returns.
    """
    rate, blocks = _decode(source, start, duration, track)
    if rate == sample_rate:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32")
    for block in blocks:
        if len(resampled := resampler.resample_chunk(block)):
            yield resampled
    if len(tail := resampler.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield tail


def length(source: Source, track: int = 0) -> float:
    """Duration in seconds, from the header where it has one.

    Raises:
        InputError: the file cannot be read.
    """
    if track:
        return _container_length(source, track, None)
    try:
        info = soundfile.info(_openable(source))
        return info.frames / info.samplerate
    except soundfile.LibsndfileError as error:
        return _container_length(source, track, error)


def write(path: Path, waveform: np.ndarray, sample_rate: int, subtype: str = "PCM_16") -> None:
    """Encode [samples] or [samples, channels] to the format of the suffix (wav, flac, au), atomically; clips at ±1."""
    with atomic(Path(path)) as temporary:
        soundfile.write(temporary, np.clip(waveform, -1.0, 1.0), sample_rate, subtype=subtype)


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Cut [n] to [samples], or pad it with zeros at the end."""
    if len(waveform) >= samples:
        return waveform[:samples]
    return np.pad(waveform, (0, samples - len(waveform)))


def windows(waveform: np.ndarray, size: int, hop: int) -> np.ndarray:
    """Cut [n] to overlapping windows [count, size]; the last one is padded, a short signal gives one window."""
    count = 1 + max(0, -(-(len(waveform) - size) // hop))
    padded = fit_length(waveform, (count - 1) * hop + size)
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]


def describe(source: Source) -> str:
    """How messages name a source."""
    return "audio data" if isinstance(source, bytes) else str(source)


def _openable(source: Source) -> str | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else str(source)


def _decode(source: Source, start: float, duration: float | None, track: int) -> tuple[int, Iterator[np.ndarray]]:
    """Native sample rate and mono float32 blocks."""
    if track:
        return _decode_container(source, start, duration, track, None)
    try:
        file = soundfile.SoundFile(_openable(source))
    except soundfile.LibsndfileError as error:
        return _decode_container(source, start, duration, track, error)
    return file.samplerate, _sound_blocks(file, source, start, duration)


def _sound_blocks(file: soundfile.SoundFile, source: Source, start: float, duration: float | None):
    with file:
        try:
            if start:
                file.seek(min(round(start * file.samplerate), file.frames))
            left = file.frames if duration is None else round(duration * file.samplerate)
            while left > 0:
                size = min(left, round(BLOCK_S * file.samplerate))
                block = file.read(size, dtype="float32", always_2d=True)
                if not len(block):
                    return
                yield block[:, 0] if block.shape[1] == 1 else _mono(block)
                left -= len(block)
        except soundfile.LibsndfileError as error:
            raise InputError(f"{describe(source)}: damaged audio ({error.error_string})") from None


def _mono(block: np.ndarray) -> np.ndarray:
    """Mean of the channels, [n, channels] -> [n]; NumPy's `mean` over so short an axis is slow."""
    return block @ np.full(block.shape[1], 1 / block.shape[1], np.float32)


def _container(source: Source, track: int, error: soundfile.LibsndfileError | None):
    """Open with PyAV what libsndfile cannot read; gives the container and its audio stream number `track`."""
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise InputError(f"{source}: no such file") from None
    reason = error.error_string if error else "audio tracks need PyAV"
    try:
        import av
    except ImportError:
        raise InputError(f"{describe(source)}: cannot be read as audio ({reason})") from None
    try:
        container = av.open(_openable(source))
    except (av.FFmpegError, ValueError):
        raise InputError(f"{describe(source)}: cannot be read as audio ({reason})") from None
    if track < len(container.streams.audio) and container.streams.audio[track].codec_context is not None:
        return container, container.streams.audio[track]
    found = len(container.streams.audio)
    container.close()
    raise InputError(f"{describe(source)}: holds no readable audio stream {track} (streams of audio: {found})")


def _decode_container(source: Source, start: float, duration: float | None, track: int, error):
    container, stream = _container(source, track, error)
    rate = stream.rate  # the codec changes this attribute when the rate of its frames changes
    return rate, _gathered(_container_blocks(container, stream, rate, source, start, duration), rate)


def _container_blocks(container, stream, rate: int, source: Source, start: float, duration: float | None):
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
        except av.FFmpegError as error:
            raise InputError(f"{describe(source)}: damaged audio ({error})") from None


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


def _container_length(source: Source, track: int, error: soundfile.LibsndfileError | None) -> float:
    container, stream = _container(source, track, error)
    with container:
        if stream.duration is not None:
            end = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
            return end - (container.start_time or 0) / 1e6
        if container.duration is not None:
            return container.duration / 1e6
    raise InputError(f"{describe(source)}: does not say how long it is; convert it to FLAC first")
