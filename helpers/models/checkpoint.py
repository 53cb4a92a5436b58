"""A checkpoint carries its recipe: inference needs only the file and audio."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.config import InputError
from helpers.files import atomic
from helpers.models import build

FORMAT = 2  # since 2 with a digest
TYPES = {torch.float16, torch.float32, torch.float64, torch.int32, torch.int64, torch.uint8, torch.bool}


@dataclass
class Checkpoint:
    """Everything that a model needs to be used again and everything that was true when it was made."""

    task: str  # "nsynth-family", "irmas", …
    model: str  # key of models.MODELS
    arguments: dict[str, Any]  # of the builder, the front end's numbers among them
    classes: list[str]
    sample_rate: int  # Hz, of the waveform that goes in
    seconds: float  # length of the waveform that goes in
    state: dict[str, torch.Tensor]
    thresholds: list[float] = field(default_factory=list)  # one a class, multi-label tasks only
    seed: int = 0
    data: dict[str, Any] = field(default_factory=dict)  # corpus, label, n, fingerprint
    scores: dict[str, Any] = field(default_factory=dict)  # on validation data and, once, on test data
    history: list[dict[str, list[float]]] = field(default_factory=list)  # one a network: numbers of every epoch
    command: str = ""  # that made it
    versions: dict[str, str] = field(default_factory=dict)

    def network(self) -> nn.Module:
        """The model with its weights, in evaluation mode; an InputError if they do not fit the recipe."""
        try:
            model = build(self.model, len(self.classes), **self.arguments)
            model.load_state_dict(self.state)
        except InputError:
            raise
        except Exception as error:  # a recipe that was not written by this project can fail in any way
            reason = str(error).partition("\n")[0]
            raise InputError(f"checkpoint for {self.model}: weights do not fit ({reason})") from None
        return model.eval()


def stored_network(checkpoint: Checkpoint, half: bool = False) -> nn.Module:
    """The network as it will be loaded from the file that `save_checkpoint` writes with the same `half`.

    Scores that go into a checkpoint are measured on this one: rounding weights to float16 changes a few answers.
    """
    return replace(checkpoint, state=_stored(checkpoint.state, half)).network()


def _stored(state: dict[str, torch.Tensor], half: bool) -> dict[str, torch.Tensor]:
    """Weights as a file holds them."""
    return {
        name: (value.half() if half and value.is_floating_point() and value.ndim > 1 else value).cpu().contiguous()
        for name, value in state.items()
    }


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """The recipe without the weights, as plain values."""
    recipe = asdict(replace(checkpoint, state={}))
    del recipe["state"]
    return recipe


def save_checkpoint(path: Path, checkpoint: Checkpoint, half: bool = False) -> None:
    """Write a checkpoint atomically, with a digest of its weights and recipe.

    `half` stores matrices and kernels as float16 to save space; vectors (biases, statistics, which may be tiny) stay.
    An InputError if a field has another type or range than it should, the weights are not finite numbers, or the place
    cannot be written to.
    """
    recipe = json.loads(json.dumps(describe(checkpoint), default=lambda number: number.item()))  # of plain values only
    content = {**recipe, "state": _stored(checkpoint.state, half)}
    _check(path, content)
    buffer = io.BytesIO()  # a path would put its name into the bytes
    torch.save({"format": FORMAT, **content, "digest": _digest(content)}, buffer)
    with atomic(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_checkpoint(path: Path, task: str | None = None) -> Checkpoint:
    """Read a checkpoint, for a task or for any, without running any code that the file may hold.

    An InputError if it is missing, damaged anywhere, of another format or task, or holds something else than finite
    weights and plain values of the right types and ranges.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such checkpoint; `checkpoints/README.txt` says which ship and how to train one")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not a checkpoint, or cut off while it was copied; copy or train it again")
    damaged = f"{path}: damaged checkpoint (%s); copy or train it again"
    try:
        with zipfile.ZipFile(path) as archive:
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise ValueError("it is compressed")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        reason = "it holds code beside weights; use a checkpoint from a source you trust"
        raise InputError(f"{path}: refused, {reason}") from None
    except Exception as error:  # the readers give errors of many kinds when bytes are missing
        raise InputError(damaged % (str(error).partition("\n")[0] or type(error).__name__)) from None
    kept = content.pop("format", None) if isinstance(content, dict) else None
    if type(kept) is not int or kept != FORMAT:
        reason = "not a checkpoint of this project, or from an earlier version, without the digest that shows damage"
        raise InputError(f"{path}: {reason}; train it again")
    digest = content.pop("digest", None)
    _check(path, content)
    if digest != _digest(content):
        raise InputError(damaged % "its digest is that of other weights or another recipe")
    if task not in (None, content["task"]):
        raise InputError(f"{path}: is for the task {content['task']!r}, this command needs one for {task!r}")
    return Checkpoint(**content)


def _digest(content: dict[str, Any]) -> str:
    """SHA-256 of a checked checkpoint: of all plain values, and of names, types, shapes and bytes of the weights."""
    recipe = {name: value for name, value in content.items() if name != "state"} | {"format": FORMAT}
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for name, value in sorted(content["state"].items()):
        digest.update(ascii((name, str(value.dtype), tuple(value.shape))).encode())
        digest.update(value.detach().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _check(path: Path, content: dict[str, Any]) -> None:
    """Raise InputError that names the first field that has the wrong type or range."""
    if wrong := set(content) ^ set(FIELDS):
        raise InputError(f"{path}: incomplete checkpoint (fields {', '.join(sorted(map(str, wrong)))}); train it again")
    for name, (valid, wanted) in FIELDS.items():
        if not valid(content[name]):
            raise InputError(f"{path}: field {name} of the checkpoint must be {wanted}; train it again")
    if len(content["thresholds"]) not in (0, len(content["classes"])):
        raise InputError(f"{path}: field thresholds of the checkpoint must be one for each class; train it again")


def _text(value: Any) -> bool:
    return type(value) is str


def _number(low: float, high: float, kinds: tuple[type, ...] = (int, float)) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds and low <= value <= high


def _listed(valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and all(map(valid, value))


def _mapped(valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(_text, value)) and all(map(valid, value.values()))


def _plain(value: Any, depth: int = 20) -> bool:
    """Text, numbers and None, and lists and dictionaries of these."""
    if depth and isinstance(value, (list, dict)):
        parts = value if isinstance(value, list) else [*value.keys(), *value.values()]
        return all(_plain(part, depth - 1) for part in parts)
    return value is None or type(value) in (str, int, float, bool)


def _weights(value: Any) -> bool:
    """An ordinary tensor of finite numbers that is not larger than its storage."""
    plain = isinstance(value, torch.Tensor) and value.layout == torch.strided and value.dtype in TYPES
    whole = plain and value.nbytes <= value.untyped_storage().nbytes()
    return whole and bool(np.isfinite(value.detach().numpy()).all())  # torch's is 20 times slower for float16


PLAIN = _mapped(_plain), "a dictionary of plain values"
FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "task": (_text, "text"),
    "model": (_text, "text"),
    "arguments": PLAIN,
    "classes": (lambda value: value and _listed(_text)(value), "a list of names"),
    "sample_rate": (_number(1_000, 1_000_000, (int,)), "a rate in Hz"),
    "seconds": (_number(0.01, 3_600), "a length in s"),
    "state": (_mapped(_weights), "finite weights"),
    "thresholds": (_listed(_number(0, 1)), "a list of numbers between 0 and 1"),
    "seed": (_number(0, 2**63, (int,)), "a whole number"),
    "data": PLAIN,
    "scores": PLAIN,
    "history": (_listed(_mapped(_listed(lambda value: type(value) in (int, float)))), "a list of curves"),
    "command": (_text, "text"),
    "versions": (_mapped(_text), "a dictionary of text"),
}
