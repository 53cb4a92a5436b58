"""A trained network over many clips, or over recordings of any length window by window, with constant memory."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from helpers import audio
from helpers.config import InputError, MelConfig
from helpers.datasets.archives import sources
from helpers.datasets.base import FILM_RATE, FILM_WINDOW_S, Clip
from helpers.features.mel import mel_power, torchaudio_filters
from helpers.models.base import channels_last

CORES = os.cpu_count() or 1
BATCH_SIZE = 16  # spectrograms of more clips leave the processor's cache, which halves the speed
WINDOW = round(FILM_WINDOW_S * FILM_RATE)  # samples for which films have one answer
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
EXCERPTS = 8  # of a film at a time
COLUMNS = 1500  # of an overview: about as many as a figure has pixels
CHUNK_S = 5.0  # of a recording at a time

T = TypeVar("T")


def predict(
    network: nn.Module, clips: Sequence[Clip], sample_rate: int, seconds: float, *, batch_size: int = BATCH_SIZE,
    device: str = "cpu", workers: int = CORES,
) -> tuple[np.ndarray, dict[int, str]]:  # fmt: skip
    """Logits [clips, …] of a network for clips, cut or padded to `seconds`, on `workers` threads, in their order.

    Those that cannot be read get NaN, and the reason by their index. Memory holds a few batches of waveforms. An
    InputError if there are no clips, their archive is damaged, or the network gives no finite numbers.
    """
    if not clips:
        raise InputError("no clips to predict; name a folder that holds some")
    samples, unreadable, rows = round(seconds * sample_rate), {}, []

    def waveform(index: int, clip: Clip, source: Path | bytes) -> np.ndarray:
        """[samples], silence if it cannot be read."""
        duration = seconds if clip.duration is None else min(clip.duration, seconds)
        try:
            return audio.fit_length(audio.read(source, sample_rate, clip.start, duration), samples)
        except InputError as error:
            unreadable[index] = f"{clip.member}: {error}" if clip.member else str(error)
            return np.zeros(samples, np.float32)

    network, last = _ready(network).to(device), max(clip.start for clip in clips) + seconds
    numbered = batches(zip(count(), clips, sources(clips, last)), batch_size)
    with tqdm(total=len(clips), unit="clip", disable=None, leave=False) as bar:
        for logits in infer(network, numbered, lambda batch: np.stack([waveform(*one) for one in batch]),
                            device=device, workers=workers):  # fmt: skip
            rows.append(logits)
            bar.update(len(logits))
    logits = np.concatenate(rows)
    logits[list(unreadable)] = np.nan
    return logits, dict(sorted(unreadable.items()))


def predict_clips(
    network: nn.Module, clips: Sequence[Clip], sample_rate: int, seconds: float, device: str = "cpu"
) -> np.ndarray:
    """Logits [clips, …] of clips that must all be readable.

    An InputError as of `predict`, and if a clip cannot be read.
    """
    logits, unreadable = predict(network, clips, sample_rate, seconds, device=device)
    if unreadable:
        first = next(iter(unreadable.values()))
        raise InputError(f"{len(unreadable)} of {len(clips)} clips cannot be read ({first}); replace or remove them")
    return logits


def predict_windows(
    network: Callable[[torch.Tensor], torch.Tensor], path: Path, sample_rate: int, seconds: float, hop_s: float
) -> Iterator[np.ndarray]:
    """Logits [classes] of the windows of a file of any length, `hop_s` seconds apart, in their order.

    An InputError if the file is missing, unreadable, empty, or holds values that are not finite.
    """
    cut = windows(audio.stream(path, sample_rate), round(seconds * sample_rate), round(hop_s * sample_rate))
    for logits in infer(network, batches(cut, BATCH_SIZE), np.stack):
        yield from logits


def predict_frames(network: nn.Module, blocks: Iterable[np.ndarray], context: int) -> np.ndarray:
    """Probabilities float32 [windows, classes], every 30 ms, of a recording that comes in blocks [samples].

    Excerpts of `context` windows overlap by half, and of each only the middle half is kept, so that every answer has
    a quarter of the context or more on both sides. The memory for an hour is that of a minute and 2 MB.
    """
    quarter, hop, total = context // 4, context // 2, 0
    copied = _ready(network)

    def counted() -> Iterator[np.ndarray]:
        nonlocal total
        for block in blocks:
            total += len(block)
            yield block

    excerpts = windows(counted(), context * WINDOW, hop * WINDOW, margin=(context - hop) * WINDOW // 2)
    kept = [
        probability[:, quarter : quarter + hop].reshape(-1, probability.shape[2])  # of [excerpts, context, classes]
        for probability in infer(lambda waves: copied(waves).sigmoid(), batches(excerpts, EXCERPTS), np.stack)
    ]
    return np.concatenate(kept)[: total // WINDOW] if kept else np.zeros((0, 0), np.float32)


def overview(blocks: Iterable[np.ndarray], seconds: float, config: MelConfig) -> tuple[np.ndarray, float]:
    """Mean mel level of a recording that comes in blocks [samples], with memory that does not depend on its length.

    Returns:
        level in dB, float32 [n_mels, columns]; and the seconds that a column stands for.
    """
    pooled = max(1, round(seconds * config.frame_rate / COLUMNS))  # frames in a column
    size = pooled * config.hop_length * max(1, round(CHUNK_S * config.frame_rate / pooled))
    filters, columns = torchaudio_filters(config), []
    for block in windows(blocks, size, size, margin=0):
        power = mel_power(block[None], config, filters)[0, :, :-1]
        columns.append(power.reshape(config.n_mels, -1, pooled).mean(axis=2))
    count = max(1, round(seconds * config.frame_rate / pooled))
    return 10 * np.log10(np.concatenate(columns, axis=1)[:, :count] + 1e-10), pooled / config.frame_rate


def _ready(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode and in the fastest layout."""
    return channels_last(copy.deepcopy(network).eval())


def windows(blocks: Iterable[np.ndarray], size: int, hop: int, margin: int | None = None) -> Iterator[np.ndarray]:
    """Overlapping windows [size] of a recording that comes in blocks [samples] of any size, one every `hop` samples.

    The last window ends with the recording, so that none is mostly silence; a recording shorter than a window gives
    one, padded at its end. With a `margin` the recording is surrounded by silence instead, so that what the windows
    hold between their margins covers all of it.
    """
    buffer, total, start = np.zeros(margin or 0, np.float32), 0, 0
    ahead = hop if margin is None else 0  # samples that are kept back for the last window
    for block in blocks:
        buffer, total = np.concatenate([buffer, block]), total + len(block)
        while len(buffer) >= size + ahead:
            yield buffer[:size]
            buffer, start = buffer[hop:], start + hop
    if margin is not None:
        for _ in range(start, total, hop):
            yield audio.fit_length(buffer, size)
            buffer = buffer[hop:]
    elif total:
        yield audio.fit_length(buffer, size)
        if len(buffer) > size:
            yield buffer[-size:]


def infer(
    network: Callable[[torch.Tensor], torch.Tensor], batches: Iterable[T], load: Callable[[T], np.ndarray], *,
    device: str = "cpu", workers: int = CORES,
) -> Iterator[np.ndarray]:  # fmt: skip
    """The inference loop: what a network gives for each batch, in their order.

    `load` makes a batch to waveforms float32 [items, samples]. Each of the `workers` threads loads and computes on a
    core of its own; no more batches are taken than they work on and one that waits. An InputError if the network gives
    values that are not finite.
    """
    turn = threading.Lock() if device != "cpu" else contextlib.nullcontext()  # an accelerator takes one at a time

    def run(batch: T) -> np.ndarray:
        waveforms = torch.from_numpy(load(batch))
        with turn, torch.inference_mode():
            found = network(waveforms.to(device)).float().cpu().numpy()
        if not np.isfinite(found).all():
            raise InputError("the network gives values that are not finite numbers; train it again")
        return found

    _keep_memory()
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            pending: deque = deque()
            for batch in batches:
                pending.append(pool.submit(run, batch))
                if len(pending) > workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
    finally:
        torch.set_num_threads(threads)


def _keep_memory() -> None:
    """Let glibc keep freed memory for the next batch: to page it in again costs as much as a transform."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another system
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, 1 << 30), mallopt(M_MMAP_THRESHOLD, 1 << 25)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`; the last may be shorter."""
    items = iter(items)
    return iter(lambda: list(islice(items, size)), [])


def best_device(name: str = "auto") -> str:
    """The device of that name; "auto" is the fastest there is. An InputError if this machine does not have it."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there.get(name, False):
        raise InputError(f"device {name!r}: not on this machine; use --device auto")
    return name
