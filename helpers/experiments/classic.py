"""NSynth families by classic machine learning: features, five models, a choice, one look at the test notes.

Hyper-parameters are chosen by cross-validation on training notes that keeps instruments together, the model by its
accuracy on the validation notes; the test notes only report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers.config import ROOT, Budget, InputError
from helpers.datasets import nsynth
from helpers.datasets.base import clips_fingerprint, groups
from helpers.datasets.download import is_archive
from helpers.evaluation.results import Result, Score, versions
from helpers.evaluation.single import confusion_matrix, majority_baseline, predictions, top_k_accuracy
from helpers.experiments import compression
from helpers.experiments import nsynth as study
from helpers.experiments.compression import Notes
from helpers.features.cache import extract
from helpers.features.pooled import column_names
from helpers.features.spectral import SpectralConfig
from helpers.models import classic
from helpers.models.classic import ClassicModel

FEATURES = SpectralConfig(sample_rate=nsynth.SAMPLE_RATE, seconds=nsynth.SECONDS)
MODELS_FOLDER = ROOT / "runs" / "classic"
MOST_NOTES = 20_000  # of a split that is trained on: feature matrices are held in memory, an SVM is quadratic in them
FOLDS = {"smoke": 0, "quick": 3, "full": 4}


@dataclass(frozen=True)
class Table:
    """Pooled features of a split."""

    matrix: np.ndarray  # float32 [n, D]
    labels: np.ndarray  # family index [n]
    groups: np.ndarray  # instrument [n]


def load_notes(root: Path, budget: Budget, seed: int) -> Notes:
    """The three splits, those that are trained on limited to what the budget and the memory allow."""
    return compression.load_notes(root, replace(budget, max_clips=min(budget.max_clips, MOST_NOTES)), seed)


def table(notes: Notes, split: str, config: SpectralConfig = FEATURES) -> Table:
    """Features of the notes of a split, computed where `features.cache.workers` says.

    Raises:
        InputError: a note cannot be read, or the notes lie in an archive.
    """
    clips = getattr(notes, split)
    if is_archive(clips[0].path):
        raise InputError(f"{clips[0].path}: features are read note by note; unpack it with `tar -xzf` first")
    return Table(extract([clip.path for clip in clips], config), study.labels_of(clips), groups(clips))


def fit_all(train: Table, notes: Notes, folds: int, seed: int) -> dict[str, ClassicModel]:
    """All models of `models.classic`, with hyper-parameters from grouped cross-validation."""
    fitted = {}
    label, digest = nsynth.label_of(notes.root, "train", notes.train), clips_fingerprint(notes.train)
    data = {"corpus": "NSynth", "label": label, "n": len(notes.train), "fingerprint": digest}
    for name in tqdm(classic.MODELS, desc="models"):
        classifier, chosen = classic.fit(name, train.matrix, train.labels, train.groups, folds, seed)
        details = {**chosen, "data": data, "seed": seed, "versions": versions()}
        fitted[name] = ClassicModel(name, classifier, list(nsynth.FAMILIES), FEATURES, details)
    return fitted


def validate(models: Mapping[str, ClassicModel], valid: Table) -> dict[str, dict[str, float]]:
    """Top-1 and top-3 accuracy of each model on the validation notes."""
    scores = {name: model.scores(valid.matrix) for name, model in models.items()}
    return {name: {f"top{k}": top_k_accuracy(s, valid.labels, k) for k in (1, 3)} for name, s in scores.items()}


def choose(validated: Mapping[str, Mapping[str, float]]) -> str:
    """The model with the best top-1 accuracy on validation notes; of equals the one with the better top-3."""
    return max(validated, key=lambda name: (validated[name]["top1"], validated[name]["top3"]))


def evaluate(models: Mapping[str, ClassicModel], test: Table) -> dict[str, np.ndarray]:
    """Test scores [n, 11] of every model: the one look at the test notes."""
    return {name: model.scores(test.matrix) for name, model in models.items()}


def save_all(models: Mapping[str, ClassicModel], folder: Path = MODELS_FOLDER) -> dict[str, Path]:
    """Write every model; returns the files."""
    files = {name: Path(folder) / f"{name.lower().replace(' ', '_').replace('-', '_')}.skops" for name in models}
    for name, path in files.items():
        classic.save(path, models[name])
    return files


def result(
    models: Mapping[str, ClassicModel],
    validated: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, np.ndarray],
    notes: Notes,
    budget: Budget,
    seed: int,
    figures: Sequence[str],
    command: str,
) -> Result:
    """The metrics file of notebook 02."""
    labels, chosen = study.labels_of(notes.test), choose(validated)
    splits = {split: getattr(notes, split) for split in ("train", "valid", "test")}
    return Result(
        title="Instrument family by classic machine learning",
        corpus="NSynth",
        data=notes.data,
        n=len(notes.test),
        groups=len(set(groups(notes.test))),
        group_kind="instrument",
        fingerprint=study.data_fingerprint(*splits.values()),
        seed=seed,
        budget=budget.name,
        command=command,
        scores={
            name: {k: Score(**s) for k, s in study.scores_of(values, notes.test).items()}
            for name, values in scores.items()
        },
        baselines={"majority class": majority_baseline(study.labels_of(notes.train), labels)},
        classes=list(nsynth.FAMILIES),
        confusion={
            name: confusion_matrix(labels, predictions(values), len(nsynth.FAMILIES)).tolist()
            for name, values in scores.items()
        },
        figures=list(figures),
        details={
            "chosen": chosen,
            "chosen_by": "top-1 accuracy on validation notes",
            "counts": {split: nsynth.family_counts(clips) for split, clips in splits.items()},
            "instruments": {split: len(set(groups(clips))) for split, clips in splits.items()},
            "features": {**asdict(FEATURES), "columns": len(column_names(FEATURES))},
            "parameters": {name: model.details["parameters"] for name, model in models.items()},
            "cv_accuracy": {name: model.details["cv_accuracy"] for name, model in models.items()},
            "cv_folds": FOLDS[budget.name],
            "valid": {name: dict(row) for name, row in validated.items()},
            "by_instrument": study.by_instrument(scores[chosen], notes.test)[0],
        },
    )
