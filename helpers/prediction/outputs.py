"""What a program writes of its predictions: scores as JSON, one line a clip as CSV, a confusion matrix as a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.config import InputError
from helpers.datasets.base import Clip, clips_fingerprint
from helpers.evaluation import single
from helpers.files import atomic, file_fingerprint, write_json
from helpers.models.checkpoint import Checkpoint


def scores(
    logits: np.ndarray, families: Sequence[str], clips: Sequence[Clip], classes: Sequence[str]
) -> dict[str, Any]:
    """All scores of logits [clips, classes] as plain values; clips without logits (NaN) count as wrong."""
    labels = np.array([classes.index(family) for family in families])
    matrix = single.confusion_matrix(labels, single.predictions(logits), len(classes))
    return {
        "n": len(clips),
        "top1": single.top_k_accuracy(logits, labels, 1),
        "top3": single.top_k_accuracy(logits, labels, 3),
        "top1_by_family": single.accuracy_by(np.array(families), single.top_k_hits(logits, labels, 1)),
        "classes": list(classes),
        "confusion_matrix": matrix.tolist(),
        "unreadable": [clip.name for clip, row in zip(clips, logits, strict=True) if np.isnan(row).any()],
        "data_fingerprint": clips_fingerprint(clips),
    }


def write_scores(path: Path, found: dict[str, Any], checkpoint: Checkpoint, file: Path) -> None:
    """`scores` as JSON, with what identifies the checkpoint, which lies in `file`."""
    recipe = {name: getattr(checkpoint, name) for name in ("model", "seed", "data")}
    write_json(path, found | {"checkpoint": {"fingerprint": file_fingerprint(file), **recipe}})


def write_predictions(
    path: Path, clips: Sequence[Clip], classes: Sequence[str], labels: Sequence[str], logits: np.ndarray
) -> None:
    """One line a clip as CSV: file, label, the three likeliest classes with probabilities (none: unreadable)."""
    style = {"newline": "", "encoding": "utf-8", "errors": "backslashreplace"}  # names may hold any bytes
    with atomic(path) as temporary, open(temporary, "w", **style) as file:
        writer = csv.writer(file)
        ranks = [f"{column}_{rank}" for rank in (1, 2, 3) for column in ("family", "probability")]
        writer.writerow(["file", "true_family", *ranks])
        for clip, label, row in zip(clips, labels, single.softmax(logits), strict=True):
            best = [] if np.isnan(row).any() else np.argsort(-row)[:3]
            guesses = [cell for index in best for cell in (classes[index], f"{row[index]:.4f}")]
            writer.writerow([clip.member or clip.path.name, label, *guesses])


def check_drawing(option: str) -> None:
    """Find out before hours of work whether `write_confusion_matrix` can draw.

    An InputError if a library that `option` needs is not installed.
    """
    try:
        from helpers.plotting import scores  # noqa: F401
    except ImportError as error:
        raise InputError(f"{option}: needs {error.name}; install it with `pip install {error.name}`") from None


def write_confusion_matrix(path: Path, found: dict[str, Any]) -> None:
    """The confusion matrix of `scores` as PNG, SVG or PDF."""
    from helpers.plotting import save_figure
    from helpers.plotting.scores import confusion_figure

    matrices = {f"{found['n']} notes": np.array(found["confusion_matrix"])}
    save_figure(confusion_figure(matrices, found["classes"]), path)
