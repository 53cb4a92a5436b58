"""What an NSynth network gains by what: log against linear mel, parts of the recipe, other networks, other timbres.

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
from helpers.datasets.base import Clip, clips_fingerprint, groups, subset
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import Result
from helpers.evaluation.single import top_k_hits
from helpers.experiments import hybrid
from helpers.experiments import nsynth as study
from helpers.experiments.common import PUBLISHED, Trained, labels_of, scores_of, single_label_result
from helpers.experiments.hybrid import by_kind
from helpers.experiments.nsynth import Notes
from helpers.models.base import parameter_count, stages
from helpers.models.checkpoint import load_checkpoint

INPUTS = ("log", "linear")
SHIPPED = {"log": CHECKPOINTS / "nsynth.pt", "linear": CHECKPOINTS / "nsynth_linear.pt"}
NETWORKS: dict[str, dict[str, Any]] = {  # the short-chunk CNNs have 128 channels as published, and 16 times the work
    "compact_cnn": {},
    "short_chunk_cnn": {"channels": 32},
    "short_chunk_cnn_res": {"channels": 32},
    "spectrogram_transformer": {},
}
EXACT = ("short_chunk_cnn_res",)  # in bfloat16 on processors its losses are not finite now and then
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
CHANGED = 200  # validation notes at most: changing them takes longer than naming them


@dataclass(frozen=True)
class System:
    """A network that is scored on the test notes."""

    network: nn.Module
    recipe: dict[str, Any]  # that ran
    origin: str  # where the weights come from, for the reader


def compare_rates(notes: Notes, config: TrainConfig, run_dir: Path) -> dict[str, dict[float, float]]:
    """Last validation loss of either input at every learning rate of `nsynth.RATES`, everything else equal."""
    return {
        compression: {
            rate: study.train(notes.train, notes.valid, replace(config, learning_rate=rate), compression,
                              run_dir=run_dir / f"{compression}_{rate:g}").histories[0]["valid_loss"][-1]
            for rate in study.RATES
        }
        for compression in INPUTS
    }  # fmt: skip


def compare_inputs(
    notes: Notes, config: TrainConfig, rates: Mapping[str, float], seeds: int, run_dir: Path
) -> dict[str, list[Trained]]:
    """Networks on log and on linear mel from the same seeds, each input at its own learning rate."""
    return {
        compression: study.train_seeds(notes.train, notes.valid, replace(config, learning_rate=rates[compression]),
                                       seeds, compression, run_dir=run_dir / compression)
        for compression in INPUTS
    }  # fmt: skip


def difference(inputs: Mapping[str, Sequence[Trained]], notes: Notes) -> tuple[dict[str, Any], dict[str, float]]:
    """Test top-1 of each network by input, with mean and deviation over the seeds; and log minus linear.

    The difference is that of the shares of seeds that are right about a note, with an interval over instruments.
    """
    labels, rows, shares = labels_of(notes.test), {}, {}
    for name, networks in inputs.items():
        hits = np.array([top_k_hits(study.logits_of(one.network, notes.test), labels, 1) for one in networks])
        values = hits.mean(axis=1)
        rows[name] = {"top1": values.tolist(), "mean": float(values.mean()), "std": float(values.std())}
        shares[name] = hits.mean(axis=0)
    return rows, bootstrap(np.mean, groups(notes.test), shares["log"] - shares["linear"], lowest=-1)


def systems(notes: Notes, inputs: Mapping[str, Sequence[Trained]], retrain: bool) -> dict[str, System]:
    """The shipped classifier, its two parts, and the CNN on linear mel.

    Those of the checkpoints if they were trained on exactly these notes; otherwise the first networks of `inputs`.
    """
    found = {}
    for compression, path in SHIPPED.items():
        stored = load_checkpoint(path, nsynth.TASK) if path.is_file() and not retrain else None
        if stored and stored.data["fingerprint"] == clips_fingerprint(notes.train):
            network, recipe = stored.network(), stored.data["recipe"]
            origin = f"loaded from checkpoints/{path.name}, made by `{stored.command}`"
        else:
            first = inputs[compression][0]
            network, recipe = first.network, asdict(first.config)
            if compression == "log":
                network = hybrid.combine([first], hybrid.statistics(notes.train, first.config)).network
            origin = f"trained now, {first.config.epochs} epochs, learning rate {first.config.learning_rate:g}"
        members = study.members_of(network)
        found[compression] = System(members[0], recipe, origin)
        if compression == "log":
            found["statistics"] = System(members[-1], recipe, origin)
            found["average"] = System(network, recipe, origin)
    return found


def ablation(
    notes: Notes, config: TrainConfig, whole: Trained, average: nn.Module, run_dir: Path
) -> dict[str, dict[str, dict[str, float]]]:
    """What parts of the recipe are worth on validation notes: top-1 and top-3 weighted by kind, and top-1 unweighted.

    `whole` is a CNN by the recipe `config`, and `average` that CNN with the note statistics; others are trained here.
    """
    shares = study.family_shares(notes.train)
    valid = {"CNN, as in the recipe": study.logits_of(whole.network, notes.valid)}
    valid["without official priors"] = valid["CNN, as in the recipe"] - np.log(shares * len(shares))
    for name, change, augmented in (
        ("without spectral augmentation", {}, False),
        ("families as often as they come", {"balanced": False}, True),
    ):
        folder = run_dir / name.replace(" ", "_")
        trained = study.train(notes.train, notes.valid, replace(config, **change), run_dir=folder, augmented=augmented)
        valid[name] = study.logits_of(trained.network, notes.valid)
    valid["CNN and note statistics"] = study.logits_of(average, notes.valid)
    return {name: study.weighted_scores(logits, notes.valid) | {"unweighted": scores_of(logits, notes.valid)["top1"]}
            for name, logits in valid.items()}


def compare_networks(
    notes: Notes, config: TrainConfig, networks: Mapping[str, dict[str, Any]], run_dir: Path
) -> dict[str, dict[str, Any]]:
    """The homework's networks on log mel, same notes, recipe and epochs: size, time a note, validation, test scores."""
    rows = {}
    for name, arguments in networks.items():
        recipe = replace(config, precision="32") if name in EXACT else config
        network = study.train(notes.train, notes.valid, recipe, model=name, run_dir=run_dir / name, **arguments).network
        begin = time.perf_counter()
        valid = study.logits_of(network, notes.valid)
        rows[name] = {
            "parameters": parameter_count(network), "epochs": config.epochs, "arguments": arguments,
            "milliseconds": 1e3 * (time.perf_counter() - begin) / len(notes.valid),
            "valid": study.weighted_scores(valid, notes.valid)["top1"],
            **scores_of(study.logits_of(network, notes.test), notes.test),
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
    """The metrics file of notebook 03, with the recipes that ran."""
    labels, cnn = labels_of(notes.test), compared["log"].network
    noise = np.array([nsynth.is_noise_only(clip) for clip in notes.test])
    hits = {name: top_k_hits(values, labels, 1).astype(float) for name, values in logits.items()}
    names = {"log": f"{study.MODEL}, log mel", "linear": f"{study.MODEL}, linear mel", "statistics": "note statistics",
             "average": f"{study.MODEL} and note statistics, averaged"}  # fmt: skip
    details = study.about(notes) | {
        "chosen": names["average"],
        "origin": {name: system.origin for name, system in compared.items()},
        "noise_only": {
            name: {"with": float(row.mean()), "without": float(row[~noise].mean()), "notes": int(noise.sum())}
            for name, row in hits.items()
        },
        "by_kind": {name: by_kind(values, notes.test) for name, values in logits.items()},
        "robustness": {name: robustness(compared[name].network, subset(notes.valid, CHANGED, seed), seed)
                       for name in ("log", "linear", "average")},
        "mel": {key: value for key, value in asdict(study.MEL).items() if key != "compression"},
        "model": {"name": study.MODEL, "parameters": parameter_count(cnn)},
        "recipe": compared["log"].recipe,
        "cnn_share": hybrid.CNN_SHARE,
        "augmentation": list(study.augmentation().steps),
        "architecture": stages(cnn, round(nsynth.SECONDS * nsynth.SAMPLE_RATE)),
        "published": {name: {"value": value, "source": source} for name, (value, source) in PUBLISHED.items()
                      if name.startswith("NSynth")},
    }  # fmt: skip
    return single_label_result(
        "Instrument family by a CNN and note statistics", "NSynth", notes.data, notes.test,
        {names[name]: logits[name] for name in names}, nsynth.FAMILIES, notes.train,
        group_kind="instrument", used=(notes.train, notes.valid), seed=seed, details=details, **more,
    )  # fmt: skip
