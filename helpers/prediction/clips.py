"""Logits of many clips: every thread decodes a batch and runs the network on it, a bounded number of them at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets.base import Clip
from helpers.datasets.download import sources
from helpers.models.base import channels_last

CORES = os.cpu_count() or 1
BATCH_SIZE = 16  # spectrograms of more clips leave the processor's cache, which halves the speed

Batch = list[tuple[Clip, Path | bytes]]


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

    Memory holds a few batches of waveforms, however many clips there are.

    Returns:
        Logits [clips, …] in the order of the clips, NaN for those that cannot be read; and the reason for each of
        these by its index.
    """
    network = channels_last(network).eval().to(device)
    turn = threading.Lock() if device != "cpu" else contextlib.nullcontext()  # an accelerator takes one at a time

    def run(batch: Batch) -> tuple[np.ndarray, dict[int, str]]:
        waveforms, unreadable = _decode(batch, sample_rate, seconds)
        with turn, torch.inference_mode():
            return network(torch.from_numpy(waveforms).to(device)).float().cpu().numpy(), unreadable

    rows, unreadable, done = [], {}, 0
    with tqdm(total=len(clips), unit="clip", disable=None, leave=False) as bar:
        for logits, reasons in _in_order(run, _batches(clips, batch_size), workers):
            unreadable |= {done + number: reason for number, reason in reasons.items()}
            rows.append(logits)
            done += len(logits)
            bar.update(len(logits))
    logits = np.concatenate(rows)
    logits[list(unreadable)] = np.nan
    return logits, unreadable


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


def _batches(clips: Sequence[Clip], size: int) -> Iterator[Batch]:
    pairs = zip(clips, sources(clips), strict=True)
    while batch := list(islice(pairs, size)):
        yield batch


def _in_order(run, batches: Iterator[Batch], workers: int) -> Iterator[tuple[np.ndarray, dict[int, str]]]:
    """Results in the order of the batches; each thread computes on one core, together they use them all."""
    before = torch.get_num_threads()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        pending: deque = deque()
        for batch in batches:
            pending.append(pool.submit(run, batch))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    torch.set_num_threads(before)


def _decode(batch: Batch, sample_rate: int, seconds: float) -> tuple[np.ndarray, dict[int, str]]:
    """Waveforms [clips, samples], silence for those that cannot be read, and the reasons for these."""
    waveforms = np.zeros((len(batch), round(seconds * sample_rate)), np.float32)
    unreadable = {}
    for number, (clip, source) in enumerate(batch):
        duration = seconds if clip.duration is None else min(clip.duration, seconds)
        try:
            waveform = audio.read(source, sample_rate, clip.start, duration)
        except InputError as error:
            unreadable[number] = f"{clip.member}: {error}" if clip.member else str(error)
        else:
            waveforms[number] = audio.fit_length(waveform, waveforms.shape[1])
    return waveforms, unreadable
