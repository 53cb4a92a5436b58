"""Logits of many clips: every thread decodes a batch and runs the network on it, a bounded number of them at a time."""

from __future__ import annotations

import contextlib
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
from helpers.config import InputError
from helpers.datasets.archives import sources
from helpers.datasets.base import Clip
from helpers.models.base import channels_last

CORES = os.cpu_count() or 1
BATCH_SIZE = 16  # spectrograms of more clips leave the processor's cache, which halves the speed

T = TypeVar("T")


def predict(
    network: nn.Module,
    clips: Sequence[Clip],
    sample_rate: int,
    seconds: float,
    *,
    batch_size: int = BATCH_SIZE,
    device: str = "cpu",
    workers: int = CORES,
) -> tuple[np.ndarray, dict[int, str]]:
    """Run a network over clips, cut or padded to `seconds`, on `workers` threads.

    Memory holds a few batches of waveforms, however many and however long the clips are.

    Returns:
        Logits [clips, …] in the order of the clips, NaN for those that cannot be read; and the reason for each of
        these by its index.

    Raises:
        InputError: there are no clips, their archive is damaged, or the network gives no finite numbers.
    """
    samples, unreadable = round(seconds * sample_rate), {}

    def waveforms(batch: list[tuple[int, Clip, Path | bytes]]) -> np.ndarray:
        """[clips, samples], silence for those that cannot be read."""
        waves = np.zeros((len(batch), samples), np.float32)
        for wave, (index, clip, source) in zip(waves, batch, strict=True):
            duration = seconds if clip.duration is None else min(clip.duration, seconds)
            try:
                wave[:] = audio.fit_length(audio.read(source, sample_rate, clip.start, duration), samples)
            except InputError as error:
                unreadable[index] = f"{clip.member}: {error}" if clip.member else str(error)
        return waves

    last = max((clip.start for clip in clips), default=0.0) + seconds
    numbered = zip(count(), clips, sources(clips, last))
    network, rows = channels_last(network).eval().to(device), []
    with tqdm(total=len(clips), unit="clip", disable=None, leave=False) as bar:
        for logits in infer(network, batches(numbered, batch_size), waveforms, device=device, workers=workers):
            rows.append(logits)
            bar.update(len(logits))
    if not rows:
        raise InputError("no clips to predict; name a folder that holds some")
    logits = np.concatenate(rows)
    logits[list(unreadable)] = np.nan
    return logits, dict(sorted(unreadable.items()))


def predict_clips(network: nn.Module, clips: Sequence[Clip], sample_rate: int, seconds: float) -> np.ndarray:
    """Logits [clips, …] of clips that must all be readable.

    Raises:
        InputError: as `predict`, and if a clip cannot be read.
    """
    logits, unreadable = predict(network, clips, sample_rate, seconds)
    if unreadable:
        first = next(iter(unreadable.values()))
        raise InputError(f"{len(unreadable)} of {len(clips)} clips cannot be read ({first}); replace or remove them")
    return logits


def infer(
    network: Callable[[torch.Tensor], torch.Tensor],
    batches: Iterable[T],
    load: Callable[[T], np.ndarray],
    *,
    device: str = "cpu",
    workers: int = 0,
) -> Iterator[np.ndarray]:
    """The inference loop: what a network gives for each batch, in their order.

    `load` makes a batch to waveforms float32 [items, samples]. Each of the `workers` threads loads and computes on a
    core of its own; 0: everything in the calling thread, which computes on all cores.

    Raises:
        InputError: the network gives values that are not finite.
    """
    turn = threading.Lock() if device != "cpu" else contextlib.nullcontext()  # an accelerator takes one at a time

    def run(batch: T) -> np.ndarray:
        waveforms = torch.from_numpy(load(batch))
        with turn, torch.inference_mode():
            found = network(waveforms.to(device)).float().cpu().numpy()
        if not np.isfinite(found).all():
            raise InputError("the network gives values that are not finite numbers; train it again")
        return found

    return _threaded(run, batches, workers) if workers else map(run, batches)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`; the last may be shorter."""
    items = iter(items)
    return iter(lambda: list(islice(items, size)), [])


def best_device(name: str = "auto") -> str:
    """The device of that name; "auto" is the fastest there is.

    Raises:
        InputError: this machine does not have it.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there.get(name, False):
        raise InputError(f"device {name!r}: not on this machine; use --device auto")
    return name


def _threaded(run: Callable[[T], np.ndarray], batches: Iterable[T], workers: int) -> Iterator[np.ndarray]:
    before = torch.get_num_threads()
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
        torch.set_num_threads(before)
