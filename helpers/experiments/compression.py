"""Log against linear mel: the same model, recipe, budget and seeds, once with and once without the logarithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from helpers.augmentation.waveform import note_augmentation
from helpers.config import CHECKPOINTS, Budget
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, clips_fingerprint, groups
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import Result, Score
from helpers.evaluation.single import (
    confusion_matrix,
    majority_baseline,
    predictions,
    reliability,
    softmax,
    top_k_hits,
)
from helpers.experiments import nsynth as study
from helpers.experiments.generalisation import robustness
from helpers.models.base import parameter_count, stages
from helpers.models.checkpoint import load_checkpoint
from helpers.prediction.saliency import saliency, spectrogram

COMPRESSIONS = ("log", "linear")
SHIPPED = {"log": CHECKPOINTS / "nsynth.pt", "linear": CHECKPOINTS / "nsynth_linear.pt"}


@dataclass(frozen=True)
class System:
    """What is compared: an ensemble of networks from several seeds, with the single networks and their histories."""

    network: nn.Module
    members: list[nn.Module]
    histories: list[dict[str, list[float]]]
    origin: str  # where the weights come from, for the reader


@dataclass(frozen=True)
class Notes:
    """The three splits."""

    root: Path
    train: list[Clip]
    valid: list[Clip]
    test: list[Clip]

    @property
    def data(self) -> str:
        """'official', 'subset' or 'demo'."""
        return nsynth.label_of(self.root, "test", self.test)


def load_notes(root: Path, budget: Budget, seed: int = 0) -> Notes:
    """The splits below `root`, training and validation notes limited to what the budget allows."""
    limits = {"train": budget.max_clips, "valid": budget.max_clips, "test": 10**9}
    return Notes(root, *(study.limited(nsynth.clips(root, split), most, seed) for split, most in limits.items()))


def systems(notes: Notes, budget: Budget, seed: int, retrain: bool) -> dict[str, System]:
    """Both systems: the shipped ones if they were trained on exactly these notes, otherwise trained now."""
    return {compression: _system(compression, notes, budget, seed, retrain) for compression in COMPRESSIONS}


def _system(compression: str, notes: Notes, budget: Budget, seed: int, retrain: bool) -> System:
    path = SHIPPED[compression]
    if not retrain and path.is_file():
        checkpoint = load_checkpoint(path, nsynth.TASK)
        if checkpoint.data["fingerprint"] == clips_fingerprint(notes.train):
            network = checkpoint.network()
            return System(network, list(network.members), checkpoint.history, f"checkpoints/{path.name}")
    config = study.recipe(compression, budget.epochs, seed)
    members = study.train_seeds(notes.train, notes.valid, config, budget.seeds, compression)
    networks = [member.network for member in members]
    histories = [history for member in members for history in member.histories]
    origin = f"trained now, {budget.epochs} epochs at most, {budget.seeds} seed(s)"
    return System(study.ensemble(members).network, networks, histories, origin)


def evaluate(compared: Mapping[str, System], notes: Notes) -> dict[str, np.ndarray]:
    """Test logits [notes, 11] of each ensemble: the one look at the test notes."""
    return {name: study.logits_of(system.network, notes.test) for name, system in compared.items()}


def over_seeds(compared: Mapping[str, System], notes: Notes) -> dict[str, dict[str, Any]]:
    """Test top-1 of every single network of each system, with mean and standard deviation over the seeds."""
    rows = {}
    for name, system in compared.items():
        values = [study.top1(study.logits_of(member, notes.test), notes.test) for member in system.members]
        rows[name] = {"top1": values, "mean": float(np.mean(values)), "std": float(np.std(values))}
    return rows


def noise_effect(logits: Mapping[str, np.ndarray], notes: Notes) -> dict[str, dict[str, float]]:
    """Test top-1 with and without the notes that are only noise, and how many these are."""
    noise = np.array([nsynth.is_noise_only(clip) for clip in notes.test])
    rows = {}
    for name, values in logits.items():
        hits = top_k_hits(values, study.labels_of(notes.test), 1)
        rows[name] = {"with": float(hits.mean()), "without": float(hits[~noise].mean()), "notes": int(noise.sum())}
    return rows


def difference(logits: Mapping[str, np.ndarray], notes: Notes) -> dict[str, float]:
    """Log minus linear top-1 accuracy on the same test notes, with its interval over instruments."""
    hits = {name: top_k_hits(values, study.labels_of(notes.test), 1).astype(float) for name, values in logits.items()}
    return bootstrap(np.mean, groups(notes.test), hits["log"] - hits["linear"])


def calibration(logits: Mapping[str, np.ndarray], notes: Notes) -> dict[str, dict]:
    """Reliability curve of each system on the test notes."""
    labels = study.labels_of(notes.test)
    return {f"{name} mel": reliability(softmax(values), labels) for name, values in logits.items()}


def examples(system: System, notes: Notes, families: Sequence[str] = ("brass", "mallet", "string")) -> list[tuple]:
    """(title, spectrogram, saliency) of the first test note of each family that has one."""
    network, rows = system.members[0], []
    for family in families:
        found = [clip for clip in notes.test if nsynth.FAMILIES[clip.labels[0]] == family]
        if found:
            waveform = study.dataset(found[:1]).waveform(0)
            weight = saliency(network, waveform, found[0].labels[0])
            rows.append((f"{family}, pitch {nsynth.pitch_of(found[0])}", spectrogram(network, waveform), weight))
    return rows


def attack_share(weight: np.ndarray, seconds: float = 0.5) -> float:
    """Share of a saliency [n_mels, frames] that falls into the first `seconds`."""
    frames = round(seconds * study.MEL.frame_rate)
    return float(weight[:, :frames].sum() / weight.sum())


def result(
    compared: Mapping[str, System],
    logits: Mapping[str, np.ndarray],
    notes: Notes,
    budget: str,
    seed: int,
    figures: Sequence[str],
    command: str,
) -> Result:
    """The metrics file of notebook 03."""
    labels = study.labels_of(notes.test)
    return Result(
        title="Instrument family by a CNN: log against linear mel",
        corpus="NSynth",
        data=notes.data,
        n=len(notes.test),
        groups=len(set(groups(notes.test))),
        group_kind="instrument",
        fingerprint=study.data_fingerprint(notes.train, notes.valid, notes.test),
        seed=seed,
        budget=budget,
        command=command,
        scores={
            f"{study.MODEL}, {name} mel": {k: Score(**s) for k, s in study.scores_of(values, notes.test).items()}
            for name, values in logits.items()
        },
        baselines={"majority class": majority_baseline(study.labels_of(notes.train), labels)},
        classes=list(nsynth.FAMILIES),
        confusion={
            f"{study.MODEL}, {name} mel": confusion_matrix(labels, predictions(values), len(nsynth.FAMILIES)).tolist()
            for name, values in logits.items()
        },
        figures=list(figures),
        details={
            "counts": {split: nsynth.family_counts(getattr(notes, split)) for split in ("train", "valid", "test")},
            "instruments": {split: len(set(groups(getattr(notes, split)))) for split in ("train", "valid", "test")},
            "origin": {name: system.origin for name, system in compared.items()},
            "over_seeds": over_seeds(compared, notes),
            "log_minus_linear_top1": difference(logits, notes),
            "noise_only": noise_effect(logits, notes),
            "robustness": {name: robustness(system.network, notes.valid, seed) for name, system in compared.items()},
            "mel": {
                "sample_rate": study.MEL.sample_rate,
                "n_fft": study.MEL.n_fft,
                "hop_length": study.MEL.hop_length,
                "n_mels": study.MEL.n_mels,
                "f_min": study.MEL.f_min,
                "f_max": study.MEL.f_max,
            },
            "model": {"name": study.MODEL, "parameters": parameter_count(compared["log"].members[0])},
            "learning_rates": study.LEARNING_RATES,
            "recipe": asdict(study.RECIPE),
            "augmentation": [type(step.step).__name__.lower() for step in note_augmentation().steps],
            "architecture": stages(compared["log"].members[0], round(nsynth.SECONDS * nsynth.SAMPLE_RATE)),
        },
    )
