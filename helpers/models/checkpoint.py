"""A checkpoint carries its recipe: inference needs only the file and audio."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from helpers.config import InputError
from helpers.files import atomic
from helpers.models import build

FORMAT = 1


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
        """The model with its weights, in evaluation mode.

        Raises:
            InputError: the weights do not fit the recipe.
        """
        model = build(self.model, len(self.classes), **self.arguments)
        try:
            model.load_state_dict(
                {name: value.float() if value.is_floating_point() else value for name, value in self.state.items()}
            )
        except RuntimeError as error:
            raise InputError(
                f"checkpoint for {self.model}: weights do not fit ({str(error).splitlines()[0]})"
            ) from None
        return model.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint, half: bool = False) -> None:
    """Write a checkpoint atomically.

    `half` stores matrices and kernels as float16 to save space; vectors (biases, statistics, which may be tiny) stay.
    """
    content = {"format": FORMAT, **{f.name: getattr(checkpoint, f.name) for f in fields(checkpoint)}}
    content["state"] = {
        name: (value.half() if half and value.is_floating_point() and value.ndim > 1 else value).cpu().contiguous()
        for name, value in checkpoint.state.items()
    }
    with atomic(Path(path)) as temporary, open(temporary, "wb") as file:  # a path would put its name into the bytes
        torch.save(content, file)


def load_checkpoint(path: Path, task: str) -> Checkpoint:
    """Read a checkpoint for a task, without running any code that the file may hold.

    Raises:
        InputError: as for `load_any`, and if it is for another task.
    """
    checkpoint = load_any(path)
    if checkpoint.task != task:
        raise InputError(f"{path}: is for the task {checkpoint.task!r}, this command needs one for {task!r}")
    return checkpoint


def load_any(path: Path) -> Checkpoint:
    """Read a checkpoint, whatever its task, without running any code that the file may hold.

    Raises:
        InputError: it is missing, truncated, not a checkpoint of this project, or holds something else than tensors
            and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; `checkpoints/README.txt` says which ship and how to train one")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not a checkpoint, or cut off while it was copied; copy or train it again")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{path}: refused, it holds code beside weights; use a checkpoint from a source you trust"
        ) from None
    except Exception as error:  # the reader gives errors of many kinds when bytes are missing
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: damaged checkpoint ({reason}); copy or train it again") from None
    return _checked(path, content)


def _checked(path: Path, content: Any) -> Checkpoint:
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(
            f"{path}: not a checkpoint of this project (format {FORMAT}); train one with `python -m helpers`"
        )
    names = {f.name for f in fields(Checkpoint)}
    if set(content) != names:
        raise InputError(f"{path}: incomplete checkpoint (fields {', '.join(sorted(set(content) ^ names))})")
    return Checkpoint(**content)


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """The recipe without the weights, as plain values."""
    recipe = asdict(checkpoint)
    del recipe["state"]
    return recipe
