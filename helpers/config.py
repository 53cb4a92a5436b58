"""Paths, the error for bad input, physical constants of the front ends, training recipes, budgets and seeding."""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
DEMO = DATA / "demo"
CACHE = DATA / "cache"
RUNS = DATA / "runs"  # what `run` and training write unless told otherwise
CHECKPOINTS = ROOT / "checkpoints"
REPORT = ROOT / "report"

DataLabel = Literal["official", "subset", "demo"]
Compression = Literal["log", "linear"]


def from_root(path: str | Path) -> str:
    """A path in a notebook's parameter: relative ones begin at the project's root, wherever Jupyter was started.

    >>> from_root("")  # stays empty: the default
    ''
    """
    return str(ROOT / Path(path).expanduser()) if path else ""


class InputError(Exception):
    """Something handed in from outside cannot be used; command lines print the message and exit with code 2.

    It is one line that says which file or option, what is wrong with it, and what to do. Characters that would break
    the line (a file's name may hold any) are written as escapes.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(message)))


@dataclass(frozen=True)
class MelConfig:
    """A mel spectrogram front end; everything else about it is derived from these numbers."""

    sample_rate: int = 16_000  # Hz
    n_fft: int = 1024  # samples
    hop_length: int = 256  # samples
    n_mels: int = 96  # bands
    f_min: float = 30.0  # Hz
    f_max: float = 8_000.0  # Hz, at most the Nyquist frequency
    compression: Compression = "log"

    def __post_init__(self) -> None:
        if not 0 <= self.f_min < self.f_max <= self.nyquist:
            raise ValueError(f"need 0 <= f_min < f_max <= {self.nyquist:g} Hz, got {self.f_min:g} and {self.f_max:g}")
        if self.compression not in ("log", "linear"):
            raise ValueError(f"compression is 'log' or 'linear', not {self.compression!r}")

    @property
    def nyquist(self) -> float:
        """Highest frequency the sample rate can carry, in Hz."""
        return self.sample_rate / 2

    @property
    def frame_rate(self) -> float:
        """Spectrogram frames a second."""
        return self.sample_rate / self.hop_length

    def frames(self, samples: int) -> int:
        """Number of (centred) frames of a signal of so many samples."""
        return samples // self.hop_length + 1


@dataclass(frozen=True)
class TrainConfig:
    """One training recipe. Two runs with equal recipes on one machine give equal weights."""

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2  # of matrices and kernels; biases and normalisations go free
    optimizer: str = "adamw"  # a key of training.recipes.OPTIMIZERS
    schedule: Literal["constant", "cosine"] = "cosine"  # cosine: a tenth of warm-up, then down to zero
    loss: str = "cross_entropy"  # a key of training.recipes.LOSSES
    label_smoothing: float = 0.0  # only for cross entropy
    balanced: bool = True  # every class is drawn equally often
    select: Literal["best", "last"] = "best"  # epoch whose weights are kept; "last" trains all epochs
    monitor: Literal["score", "loss"] = "score"  # what "better on validation" means
    patience: int = 10  # epochs without getting better before training stops
    freeze_epochs: int = 0  # the encoder stays as it is for so many epochs
    workers: int = min(2, os.cpu_count() or 1)  # processes that read and augment
    seed: int = 0


@dataclass(frozen=True)
class Budget:
    """How much work a notebook may do."""

    name: str
    epochs: int
    seeds: int
    max_clips: int  # of each split that is trained on


BUDGETS = {
    "smoke": Budget("smoke", epochs=1, seeds=1, max_clips=48),
    "quick": Budget("quick", epochs=6, seeds=1, max_clips=600),
    "full": Budget("full", epochs=40, seeds=3, max_clips=10**9),
}


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and, where it is loaded, torch."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
