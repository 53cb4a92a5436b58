"""What makes an NSynth network generalise: log against linear mel, other networks, instruments left out, other timbres.

Notebook 03. One visible difference at a time: notes, recipe, grid of learning rates and seeds are the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import from_numpy, inference_mode, nn

from helpers.augmentation.waveform import Augmentation, Chorus, Compose, Distort, Equalise, Reverberate
from helpers.config import CHECKPOINTS, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, clips_fingerprint, grouped_folds, groups
from helpers.evaluation import results as metrics
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import Result
from helpers.evaluation.single import top_k_accuracy, top_k_hits
from helpers.experiments import nsynth as study
from helpers.experiments.common import PUBLISHED, command_line, labels_of, scores_of, sentence, single_label_result
from helpers.experiments.nsynth import Notes
from helpers.models.base import parameter_count, stages
from helpers.models.checkpoint import load_checkpoint

SHIPPED = {"log": CHECKPOINTS / "nsynth.pt", "linear": CHECKPOINTS / "nsynth_linear.pt"}
MODELS = ("compact_cnn", "short_chunk_cnn", "short_chunk_cnn_res", "spectrogram_transformer")
# Stronger than anything in training: what amplifiers, effects and other recordings do to an instrument.
CHANGES: dict[str, Augmentation] = {
    "as recorded": Compose(()),
    "distorted": Distort((2.0, 10.0)),
    "equalised": Equalise(12.0),
    "chorus": Chorus(),
    "room": Reverberate(),
    "all of them": Compose((Distort((2.0, 10.0)), Equalise(12.0), Chorus(), Reverberate())),
}
BATCH = 64  # notes


@dataclass(frozen=True)
class System:
    """What is compared: a network, or an ensemble of networks from several seeds."""

    network: nn.Module
    histories: list[dict[str, list[float]]]  # one a seed
    recipe: dict[str, Any]  # that ran
    origin: str  # where the weights come from, for the reader

    @property
    def members(self) -> list[nn.Module]:
        """The single networks."""
        return study.members_of(self.network)


def compare_rates(notes: Notes, config: TrainConfig) -> dict[str, dict[float, float]]:
    """Least validation loss of either input at every learning rate of `nsynth.RATES`, everything else equal."""
    return {
        compression: {
            rate: min(study.train(notes.train, notes.valid, replace(config, learning_rate=rate), compression)
                      .histories[0]["valid_loss"])
            for rate in study.RATES
        }
        for compression in SHIPPED
    }  # fmt: skip


def systems(
    notes: Notes, config: TrainConfig, rates: Mapping[str, float], seeds: int, retrain: bool
) -> dict[str, System]:
    """A system for log and one for linear mel: the shipped one if it was trained on exactly these notes, or a new."""
    found = {}
    for compression, path in SHIPPED.items():
        stored = load_checkpoint(path, nsynth.TASK) if path.is_file() and not retrain else None
        if stored and "recipe" in stored.data and stored.data["fingerprint"] == clips_fingerprint(notes.train):
            origin = f"loaded from checkpoints/{path.name}, made by `{stored.command}`"
            found[compression] = System(stored.network(), stored.history, stored.data["recipe"], origin)
            continue
        recipe = replace(config, learning_rate=rates[compression])
        trained = study.ensemble(study.train_seeds(notes.train, notes.valid, recipe, seeds, compression))
        origin = f"trained now, {recipe.epochs} epochs at most, {seeds} seed(s), learning rate {recipe.learning_rate:g}"
        found[compression] = System(trained.network, trained.histories, asdict(recipe), origin)
    return found


def compare_models(notes: Notes, config: TrainConfig, models: Sequence[str] = MODELS) -> dict[str, dict[str, Any]]:
    """The homework's networks on log mel, same notes, recipe and epochs: size, time, validation and test scores."""
    rows = {}
    for name in models:
        begin = time.perf_counter()
        trained = study.train(notes.train, notes.valid, config, model=name)
        seconds = time.perf_counter() - begin
        valid = study.logits_of(trained.network, notes.valid)
        rows[name] = {
            "parameters": parameter_count(trained.network), "seconds": round(seconds), "epochs": config.epochs,
            "valid": study.weighted_scores(valid, notes.valid)["top1"],
            **scores_of(study.logits_of(trained.network, notes.test), notes.test),
        }  # fmt: skip
    return rows


def robustness(network: nn.Module, clips: Sequence[Clip], seed: int = 0) -> dict[str, float]:
    """Top-1 accuracy on notes under each of `CHANGES`; a stand-in for kinds of sound that training does not have."""
    data, labels = study.dataset(clips), labels_of(clips)
    rows = {}
    for name, change in CHANGES.items():
        rng, hits = np.random.default_rng(seed), 0
        for start in range(0, len(data), BATCH):
            chosen = range(start, min(start + BATCH, len(data)))
            waveforms = np.stack([change(data.waveform(i), rng).astype(np.float32) for i in chosen])
            with inference_mode():
                hits += int((network(from_numpy(waveforms)).argmax(dim=1).numpy() == labels[chosen]).sum())
        rows[name] = hits / len(data)
    return rows


def over_seeds(compared: Mapping[str, System], notes: Notes) -> dict[str, dict[str, Any]]:
    """Test top-1 of every single network of each system, with mean and standard deviation over the seeds."""
    labels, rows = labels_of(notes.test), {}
    for name, system in compared.items():
        values = [top_k_accuracy(study.logits_of(member, notes.test), labels) for member in system.members]
        rows[name] = {"top1": values, "mean": float(np.mean(values)), "std": float(np.std(values))}
    return rows


def by_kind(logits: np.ndarray, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Top-1 accuracy and number of notes of each kind, family and source together."""
    kinds = np.array([nsynth.kind_of(clip) or "unknown" for clip in clips])
    hits = top_k_hits(logits, labels_of(clips), 1)
    return {str(kind): {"top1": float(hits[kinds == kind].mean()), "n": int((kinds == kind).sum())}
            for kind in np.unique(kinds)}


def examples(clips: Sequence[Clip], families: Sequence[str]) -> dict[str, tuple[np.ndarray, int]]:
    """Title -> (waveform [samples], label) of the first note of each family that has one."""
    first = {nsynth.FAMILIES[clip.labels[0]]: clip for clip in reversed(clips)}
    return {
        f"{family}, pitch {nsynth.pitch_of(first[family])}": (study.dataset([first[family]]).waveform(0),
                                                              first[family].labels[0])
        for family in families if family in first
    }  # fmt: skip


def result(
    compared: Mapping[str, System], logits: Mapping[str, np.ndarray], notes: Notes, seed: int, **more: Any
) -> Result:
    """The metrics file of notebook 03; recipes are those that ran, and an ensemble is called one."""
    labels, log = labels_of(notes.test), compared["log"]
    noise = np.array([nsynth.is_noise_only(clip) for clip in notes.test])
    hits = {name: top_k_hits(values, labels, 1).astype(float) for name, values in logits.items()}
    counts = {name: len(system.members) for name, system in compared.items()}
    names = {name: (f"ensemble of {n} " if n > 1 else "") + f"{study.MODEL}, {name} mel" for name, n in counts.items()}
    details = study.about(notes) | {
        "origin": {name: system.origin for name, system in compared.items()},
        "over_seeds": over_seeds(compared, notes),
        "log_minus_linear_top1": bootstrap(np.mean, groups(notes.test), hits["log"] - hits["linear"]),
        "noise_only": {
            name: {"with": float(row.mean()), "without": float(row[~noise].mean()), "notes": int(noise.sum())}
            for name, row in hits.items()
        },
        "by_kind": {name: by_kind(values, notes.test) for name, values in logits.items()},
        "robustness": {name: robustness(system.network, notes.valid, seed) for name, system in compared.items()},
        "mel": {key: value for key, value in asdict(study.MEL).items() if key != "compression"},
        "model": {"name": study.MODEL, "parameters": parameter_count(log.members[0])},
        "learning_rates": {name: system.recipe["learning_rate"] for name, system in compared.items()},
        "recipe": log.recipe,
        "augmentation": [type(step.step).__name__.lower() for step in study.augmentation().steps],
        "architecture": stages(log.members[0], round(nsynth.SECONDS * nsynth.SAMPLE_RATE)),
        "published": {name: {"value": value, "source": source} for name, (value, source) in PUBLISHED.items()
                      if name.startswith("NSynth")},
    }  # fmt: skip
    return single_label_result(
        "Instrument family by a CNN: log against linear mel", "NSynth", notes.data, notes.test,
        {names[name]: values for name, values in logits.items()}, nsynth.FAMILIES, notes.train,
        group_kind="instrument", used=(notes.train, notes.valid), seed=seed, details=details, **more,
    )  # fmt: skip


def cross_validate(
    train_clips: Sequence[Clip], valid_clips: Sequence[Clip], config: TrainConfig, folds: int, compression: str
) -> np.ndarray:
    """Logits [train clips, 11] for every training note from a network that was not trained on its instrument.

    The best epoch is chosen on the validation notes, whose instruments are others again.
    """
    fold_of = grouped_folds(labels_of(train_clips), groups(train_clips), folds, config.seed)
    logits = np.zeros((len(train_clips), len(nsynth.FAMILIES)), np.float32)
    for fold in range(folds):
        others = [clip for clip, f in zip(train_clips, fold_of, strict=True) if f != fold]
        held_out = [clip for clip, f in zip(train_clips, fold_of, strict=True) if f == fold]
        trained = study.train(others, valid_clips, replace(config, patience=config.epochs), compression)
        logits[fold_of == fold] = study.logits_of(trained.network, held_out)
    return logits


def run(root: Path, folds: int, compression: str, epochs: int, seed: int, workers: int, out: Path) -> None:
    """`nsynth crossvalidate`: accuracy on training instruments that are left out in turn, as a metrics file."""
    notes, valid = (nsynth.clips(root, split) for split in ("train", "valid"))
    config = study.recipe(compression, epochs, seed, workers)
    logits = cross_validate(notes, valid, config, folds, compression)
    command = command_line("nsynth", "crossvalidate", data_root=root, folds=folds, compression=compression,
                           epochs=epochs, seed=seed, out=out)  # fmt: skip
    report = single_label_result(
        "Instrument family by a CNN: training instruments left out in turn", "NSynth, training notes",
        nsynth.CORPUS.label(root, "train", len(notes)), notes,
        {f"{study.MODEL}, {compression} mel, instruments left out": logits}, nsynth.FAMILIES, notes,
        group_kind="instrument", used=(valid,), seed=seed, budget=f"{epochs} epochs", command=command,
        details={"hardest": study.hardest(logits, notes, most=8), "by_kind": by_kind(logits, notes)},
    )  # fmt: skip
    metrics.write(out / "metrics" / "03_crossvalidation.json", report)
    print(sentence(f"{folds}-fold, instruments left out (n={len(notes)})", scores_of(logits, notes)))
