"""Decode any audio file to float32 mono at a rate, encode it, and cut it to windows.

libsndfile reads WAV, FLAC, OGG, MP3, AU and AIFF; what it cannot read (AAC, MP4, MKV and the other containers) is
decoded by PyAV, which brings its own FFmpeg and is imported only then.
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
    source: Source, sample_rate: int, start: float = 0.0, duration: float | None = None
) -> Iterator[np.ndarray]:
    """Decode a file of any length block by block with constant memory; same contract as `read`.

    Yields:
        float32 arrays [samples] that concatenated are what `read` returns.
    """
    rate, blocks = _decode(source, start, duration)
    if rate == sample_rate:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32")
    for block in blocks:
        if len(resampled := resampler.resample_chunk(block)):
            yield resampled
    if len(tail := resampler.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield tail


def length(source: Source) -> float:
    """Duration in seconds, from the header where it has one.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        info = soundfile.info(_openable(source))
        return info.frames / info.samplerate
    except soundfile.LibsndfileError as error:
        return _video_length(source, error)


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


def _decode(source: Source, start: float, duration: float | None) -> tuple[int, Iterator[np.ndarray]]:
    """Native sample rate and mono float32 blocks."""
    try:
        file = soundfile.SoundFile(_openable(source))
    except soundfile.LibsndfileError as error:
        return _decode_container(source, start, duration, error)
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
                yield block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
                left -= len(block)
        except soundfile.LibsndfileError as error:
            raise InputError(f"{describe(source)}: damaged audio ({error.error_string})") from None


def _container(source: Source, error: soundfile.LibsndfileError):
    """Open with PyAV what libsndfile could not read."""
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise InputError(f"{source}: no such file") from None
    try:
        import av
    except ImportError:
        raise InputError(f"{describe(source)}: cannot be read as audio ({error.error_string})") from None
    try:
        container = av.open(_openable(source))
    except (av.FFmpegError, ValueError):
        raise InputError(f"{describe(source)}: cannot be read as audio ({error.error_string})") from None
    if not container.streams.audio:
        container.close()
        raise InputError(f"{describe(source)}: holds no audio stream")
    return container


def _decode_container(source: Source, start: float, duration: float | None, error: soundfile.LibsndfileError):
    container = _container(source, error)
    rate = container.streams.audio[0].rate
    return rate, _container_blocks(container, source, rate, start, duration)


def _container_blocks(container, source: Source, rate: int, start: float, duration: float | None):
    """Mono blocks of the first audio stream between start and start + duration."""
    import av

    first, last = round(start * rate), None if duration is None else round((start + duration) * rate)
    resampler = av.AudioResampler(format="fltp", rate=rate)
    position = 0  # of the next sample, counted from the beginning of the stream
    with container:
        try:
            if start > 1.0:
                container.seek(int((start - 1.0) * 1e6))
                position = None
            for frame in container.decode(audio=0):
                if position is None:
                    position = round(float(frame.pts * frame.time_base) * rate)
                for part in resampler.resample(frame):
                    block = part.to_ndarray().mean(axis=0, dtype=np.float32)
                    cut = block[max(0, first - position) : None if last is None else max(0, last - position)]
                    position += len(block)
                    if len(cut):
                        yield cut
                if last is not None and position >= last:
                    return
        except av.FFmpegError as error:
            raise InputError(f"{describe(source)}: damaged audio ({error})") from None


def _video_length(source: Source, error: soundfile.LibsndfileError) -> float:
    with _container(source, error) as container:
        stream = container.streams.audio[0]
        if stream.duration is not None:
            return float(stream.duration * stream.time_base)
        if container.duration is not None:
            return container.duration / 1e6
    raise InputError(f"{describe(source)}: does not say how long it is; convert it to FLAC first")
