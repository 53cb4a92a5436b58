"""Logits of many clips: files are decoded by threads ahead of the network, a bounded number at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets.archives import sources
from helpers.datasets.base import Clip


def predict(
    network: nn.Module,
    clips: Sequence[Clip],
    sample_rate: int,
    seconds: float,
    *,
    batch_size: int = 64,
    device: str = "cpu",
    workers: int = 4,
) -> tuple[np.ndarray, dict[int, str]]:
    """Run a network over clips, cut or padded to `seconds`.

    Memory holds a few batches of waveforms, however many clips there are.

    Returns:
        Logits [clips, …] in the order of the clips, NaN for those that cannot be read; and the reason for each of
        these by its index.
    """
    network = network.eval().to(device)
    rows, unreadable, done = [], {}, 0
    waveforms = _waveforms(clips, sample_rate, seconds, workers, ahead=2 * batch_size)
    with tqdm(total=len(clips), unit="clip", disable=None, leave=False) as bar, torch.inference_mode():
        while batch := list(islice(waveforms, batch_size)):
            for number, item in enumerate(batch):
                if isinstance(item, InputError):
                    unreadable[done + number] = str(item)
                    batch[number] = np.zeros(round(seconds * sample_rate), np.float32)
            rows.append(network(torch.from_numpy(np.stack(batch)).to(device)).float().cpu().numpy())
            done += len(batch)
            bar.update(len(batch))
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


def _waveforms(
    clips: Sequence[Clip], sample_rate: int, seconds: float, workers: int, ahead: int
) -> Iterator[np.ndarray | InputError]:
    """Waveforms in order, at most `ahead` of them decoded but not yet taken."""

    def read(clip: Clip, source: object) -> np.ndarray | InputError:
        duration = seconds if clip.duration is None else min(clip.duration, seconds)
        try:
            waveform = audio.read(source, sample_rate, clip.start, duration)
        except InputError as error:
            return InputError(f"{clip.member}: {error}") if clip.member else error
        return audio.fit_length(waveform, round(seconds * sample_rate))

    with ThreadPoolExecutor(max(1, workers)) as pool:
        pending: deque = deque()
        for clip, source in zip(clips, sources(clips), strict=True):
            pending.append(pool.submit(read, clip, source))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
