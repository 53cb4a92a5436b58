"""What a metrics file holds: every score with n, data label, interval and trivial baseline. Written and read here."""

import platform
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import pydantic

from helpers.config import DataLabel, InputError
from helpers.files import read_json, write_json

LIBRARIES = ("numpy", "torch", "torchaudio", "scikit-learn", "librosa", "lightning")

FigureName = Annotated[str, pydantic.StringConstraints(pattern=r"^[\w-][\w. -]*$")]  # a file's name, no path


class Score(pydantic.BaseModel):
    """A number and its 95 % interval over groups."""

    model_config = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
    value: float
    low: float
    high: float


class Result(pydantic.BaseModel):
    """One experiment as it is reported: `scores[system][metric]`, `baselines[name][metric]`."""

    model_config = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
    title: str
    corpus: str
    data: DataLabel
    n: int = pydantic.Field(gt=0)  # test items
    groups: int = pydantic.Field(gt=0)  # test groups, which the intervals are drawn over
    group_kind: str  # instrument, recording, film, piece, track
    fingerprint: str  # of training and test clips
    seed: int
    budget: str
    command: str  # that makes this file again
    scores: dict[str, dict[str, Score]]
    baselines: dict[str, dict[str, float]]
    classes: list[str] = []
    confusion: dict[str, list[list[int]]] = {}  # system -> [true][predicted]
    figures: list[FigureName] = []  # in report/figures
    details: dict[str, Any] = {}
    versions: dict[str, str] = pydantic.Field(default_factory=lambda: versions())


def versions() -> dict[str, str]:
    """Python's version and those of the libraries that numbers depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}


def write(path: Path, result: Result) -> None:
    """Write a metrics file atomically."""
    write_json(path, result.model_dump(mode="json"))


def read(path: Path) -> Result:
    """Read a metrics file.

    Raises:
        InputError: it is missing or malformed; names the file and every faulty field.
    """
    try:
        return Result.model_validate(read_json(path))
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise InputError(f"{path}: {faults}; run `python -m helpers run` to write it again") from None
