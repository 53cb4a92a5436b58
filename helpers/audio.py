"""Decode any audio file to float32 mono at a rate, and encode it.

libsndfile reads WAV, FLAC, OGG, MP3, AU and AIFF; what it cannot read (AAC, MP4, MKV and the other containers) is
left to `video`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from helpers import video
from helpers.config import InputError
from helpers.files import atomic

RATES = (1_000, 1_000_000)  # Hz that a file may have
BLOCK = 1 << 22  # values decoded at a time at most, of all channels together
BLOCK_S = 10.0  # seconds decoded at a time where the whole file need not be in memory
LOUDEST = 1e9  # of full scale; no front end can square more
# What libsndfile notes of a chunk of samples that ends before its stated length; writers that cannot know the length
# (streams) state at least OPEN_END.
CUT_OFF = re.compile(r"^\s*(?:data|SSND|Data Size|riff|Riff size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
OPEN_END = 0x7FFF0000
ESTIMATED = ("MP3", "OGG")  # formats whose headers may be wrong about the length
FIRST = 1 << 20  # bytes of a file that are read before its length is thought about; a note has 128 kB
MOST = 1 << 26  # bytes that its first seconds may take
UNKNOWN = 1 << 60  # frames; libsndfile gives more where a header does not tell


class Head(io.BytesIO):
    """The first bytes of a file that has `size` of them: all that decoding its first seconds takes."""

    def __init__(self, head: bytes, size: int) -> None:
        super().__init__(head)
        self.size = size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As if the rest of the file were there."""
        return super().seek(self.size + offset) if whence == os.SEEK_END else super().seek(offset, whence)


Source = Path | str | bytes | Head


def read(source: Source, sample_rate: int, start: float = 0.0, duration: float | None = None) -> np.ndarray:
    """Decode a file, its bytes or their `Head` to mono: float32 [samples], full scale ±1, channels averaged.

    `start` seconds are skipped and at most `duration` seconds read; other rates than `sample_rate` (Hz) are converted
    (soxr, high quality). Raises InputError: the file is missing, no regular file, unreadable, shorter than its header
    says, empty, or holds values that are not finite.
    """
    blocks = list(stream(source, sample_rate, start, duration))
    return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]


def stream(
    source: Source, sample_rate: int, start: float = 0.0, duration: float | None = None, track: int = 0
) -> Iterator[np.ndarray]:
    """Blocks, float32 [samples], that concatenated are what `read` returns; with constant memory.

    `track` chooses among the audio streams of a film, counted from 0.
    """
    name, empty = _name(source), True
    with _opened(source, track) as file:
        if not RATES[0] <= (rate := file.samplerate) <= RATES[1]:
            raise InputError(f"{name}: cannot be read as audio (sample rate {rate} Hz)")
        film = isinstance(file, video.Sound)
        blocks = file.blocks(start, duration) if film else _blocks(file, name, start, duration)
        for block in blocks if rate == sample_rate else _resampled(blocks, rate, sample_rate):
            if not len(block):
                continue
            if not (block.min() > -LOUDEST and block.max() < LOUDEST):  # false for NaN, too
                raise InputError(f"{name}: holds values that are not finite numbers; encode it again")
            empty = False
            yield block
    if empty:
        raise InputError(f"{name}: holds no audio after {start:g} s")


def length(source: Source, track: int = 0) -> float:
    """Duration in seconds, from the header where it has one; an InputError if the file cannot be read."""
    with _opened(source, track) as file:
        return file.length() if isinstance(file, video.Sound) else file.frames / file.samplerate


def write(path: Path, waveform: np.ndarray, sample_rate: int, subtype: str = "PCM_16") -> None:
    """Encode [samples] or [samples, channels] in the format of the suffix (wav, flac, au), atomically; clips at ±1."""
    encoded = io.BytesIO()  # libsndfile does not tell a full disk from a damaged file
    soundfile.write(encoded, np.clip(waveform, -1.0, 1.0), sample_rate, subtype, format=Path(path).suffix[1:].upper())
    with atomic(path) as temporary:
        temporary.write_bytes(encoded.getbuffer())


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Cut [n] to [samples], or pad it with zeros at the end."""
    if len(waveform) >= samples:
        return waveform[:samples]
    return np.pad(waveform, (0, samples - len(waveform)))


def head(file: BinaryIO, size: int, seconds: float) -> bytes | Head:
    """As much of an open file of `size` bytes as decoding its first seconds takes."""
    start, needed = file.read(FIRST), 0
    if size <= FIRST:
        return start
    with contextlib.suppress(soundfile.LibsndfileError), soundfile.SoundFile(Head(start, size)) as sound:
        needed = round(seconds * sound.samplerate) * sound.channels * 8  # 8: float64
    return Head(start + file.read(min(needed, MOST)), size)


def _name(source: Source) -> str:
    return str(source) if isinstance(source, (str, Path)) else "audio data"


def _openable(source: Source) -> str | io.BytesIO:
    """What the decoders open; a pipe or a device is not even looked at, for it might never end."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, Head):
        source.seek(0)
        return source
    if not os.path.isfile(source):
        odd = os.path.exists(source) and not os.path.isdir(source)
        raise InputError(f"{source}: {'is no regular file; replace it by one' if odd else 'no such file'}")
    return os.fsdecode(source)


def _opened(source: Source, track: int) -> soundfile.SoundFile | video.Sound:
    """A file as libsndfile opens it, else as PyAV does.

    FLAC is libsndfile's alone: FFmpeg gives what is left of a damaged file.
    """
    reason = "audio tracks need PyAV"
    if not track:
        file = _openable(source)
        try:
            return soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            reason = error.error_string
        if file.lower().endswith(".flac") if isinstance(file, str) else file.getvalue()[:4] == b"fLaC":
            raise InputError(f"{_name(source)}: cannot be read as audio ({reason})")
    return video.Sound(_openable(source), _name(source), track, reason)


def _blocks(file: soundfile.SoundFile, name: str, start: float, duration: float | None) -> Iterator[np.ndarray]:
    """Mono blocks [samples] between start and start + duration."""
    cut_off = InputError(f"{name}: cut off, it is shorter than its header says; copy it again")
    if any(int(there) < int(stated) < OPEN_END for stated, there in CUT_OFF.findall(file.extra_info)):
        raise cut_off
    try:
        first = min(round(start * file.samplerate), file.frames)
        if first:
            file.seek(first)
        left = file.frames - first
        if duration is not None:
            left = min(left, round(duration * file.samplerate))
        size = min(round(BLOCK_S * file.samplerate), BLOCK // file.channels)
        while left > 0:
            block = file.read(min(left, size), dtype="float32", always_2d=True)
            if not len(block):
                if file.format in ESTIMATED or file.frames > UNKNOWN:
                    return
                raise cut_off
            mean = np.full(block.shape[1], 1 / block.shape[1], np.float32)  # `mean` over so short an axis is slow
            yield block[:, 0] if len(mean) == 1 else block @ mean
            left -= len(block)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{name}: damaged audio ({error.error_string})") from None


def _resampled(blocks: Iterator[np.ndarray], rate: int, sample_rate: int) -> Iterator[np.ndarray]:
    resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
