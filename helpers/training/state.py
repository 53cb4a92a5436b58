"""Whose state is kept in a folder: a run's fingerprint, its sub-folder, and state that can no longer be read."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import shutil
import types
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from helpers.config import ROOT, InputError, TrainConfig
from helpers.files import atomic, fingerprint, read_json, write_json

LAST, PARTS = "last.ckpt", "run.json"
CODE = ("training", "models", "features", "augmentation")  # rooms whose code decides what training gives
KEPT = 4  # other runs' states that stay beside this run's
LOOKED_AT = 8  # items of a data set whose content enters the fingerprint; of the others names and targets do


def run_parts(
    model: torch.nn.Module, data: Iterable[Any], config: TrainConfig, augmentations: Iterable[Any], world: int
) -> dict[str, str]:
    """Digest of each thing that the weights after training depend on, by name.

    With several processes the first one's initial weights count, so that only their names and shapes are compared.
    """
    recipe = {name: value for name, value in asdict(config).items() if name != "workers"}
    weights = {name: value if world == 1 else tuple(value.shape) for name, value in model.state_dict().items()}
    places = [np.linspace(0, len(one) - 1, LOOKED_AT, dtype=int).tolist() for one in data]
    heard = [np.asarray(one[index][0]) for one, indices in zip(data, places, strict=True) for index in indices]
    sources = (path for room in CODE for path in sorted((ROOT / "helpers" / room).glob("*.py")))
    return {
        "recipe": digest(recipe, world),
        "model": digest(str(model), weights),
        "data": digest(*data, heard),
        "augmentation": digest(*augmentations),
        "code": digest(torch.__version__, *(path.read_bytes() for path in sources)),
    }


def digest(*values: Any) -> str:
    """Short hexadecimal digest of the content of values, however nested; the same in every process."""
    hasher, seen = hashlib.sha256(), set()

    def add(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        if isinstance(value, np.ndarray) and value.dtype != object:
            hasher.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        elif isinstance(value, Mapping):
            add(list(value.items()))
        elif isinstance(value, list | tuple):
            hasher.update(f"{len(value)}[".encode())
            for inner in value:
                add(inner)
        elif isinstance(value, functools.partial):
            add([value.func, value.args, value.keywords])
        elif isinstance(value, types.FunctionType | type):
            closed = getattr(value, "__closure__", None) or ()
            add([value.__module__, value.__qualname__, *(cell.cell_contents for cell in closed)])
        elif hasattr(value, "__dict__"):
            hasher.update(type(value).__qualname__.encode())
            if id(value) not in seen:  # an object may lead back to itself
                seen.add(id(value))
                add(vars(value))
        else:
            text = repr(value)
            hasher.update((type(value).__qualname__ if " at 0x" in text.lower() else text).encode())

    add(values)
    return hasher.hexdigest()[:16]


def state_folder(run_dir: Path, parts: dict[str, str], speaks: bool = True) -> Path:
    """Folder below `run_dir` of a run with this fingerprint.

    Says in a line if the folder keeps other runs only, and in what the latest of them differs. Of others' states the
    latest `KEPT` stay. Of several processes only the one that `speaks` does anything.
    """
    folder = Path(run_dir) / fingerprint(parts.items())
    if not speaks:
        return folder
    others = sorted((path for path in Path(run_dir).glob(f"*/{PARTS}") if path.parent != folder), key=_age)
    if others and not (folder / LAST).is_file():
        try:
            kept = dict(read_json(others[-1]))
        except (InputError, TypeError, ValueError):
            kept = {}
        other = [name for name, value in parts.items() if kept.get(name) != value]
        print(f"{run_dir}: keeps training with another {' and '.join(other)}; this one starts from the beginning")
    for path in others[:-KEPT]:
        shutil.rmtree(path.parent, ignore_errors=True)
    write_json(folder / PARTS, parts)
    return folder


def _age(path: Path) -> float:
    last = path.with_name(LAST)
    return (last if last.is_file() else path).stat().st_mtime


def finished_epochs(last: Path) -> int:
    """How many epochs a kept state has behind it: 0 without one; a damaged one is renamed, with a line."""
    if not last.is_file():
        return 0
    try:
        if zipfile.ZipFile(last).testzip() is not None:  # torch.load does not compare checksums
            raise zipfile.BadZipFile
        return torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    except Exception:  # what damaged bytes raise has no common base
        aside = last.with_suffix(".unreadable")
        os.replace(last, aside)
        print(f"{last}: is damaged; set aside as {aside.name}, training starts from the beginning")
        return 0


class WholeFiles(TorchCheckpointIO):
    """Writes a state whole or not at all; an InputError if there is no room or right to."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Path, storage_options: Any = None) -> None:
        """Called by Lightning after each epoch."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        with atomic(Path(path)) as temporary:
            temporary.write_bytes(buffer.getbuffer())
