"""What notebook 03 compares: log and linear mel, notes in other timbres, and the networks that the homework names."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from helpers.augmentation.waveform import Augmentation, Chorus, Compose, Distort, Equalise, Reverberate
from helpers.config import REPORT, TrainConfig
from helpers.datasets.base import Clip, groups
from helpers.evaluation import bootstrap
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result
from helpers.evaluation.single import top_k_accuracy, top_k_hits
from helpers.experiments import nsynth as study
from helpers.experiments.common import Trained, data_fingerprint, labels_of
from helpers.experiments.nsynth import Notes
from helpers.models.base import parameter_count
from helpers.prediction.clips import BATCH_SIZE, batches, infer

CHANGED = 200  # validation notes at most: changing them takes longer than naming them
CHANGES: dict[str, Augmentation] = {  # stronger than in training: what amplifiers, effects and other recordings do
    "as recorded": Compose(()),
    "distorted": Distort((2.0, 10.0)),
    "equalised": Equalise(12.0),
    "chorus": Chorus(),
    "room": Reverberate(),
    "all of them": Compose((Distort((2.0, 10.0)), Equalise(12.0), Chorus(), Reverberate())),
}
NETWORKS_FILE = Path("metrics") / "03_networks.json"
# Short-chunk CNNs: Won et al., SMC 2020; spectrogram transformer: after Gong et al., AST, Interspeech 2021.
NETWORKS = ("compact_cnn", "short_chunk_cnn", "spectrogram_transformer", "short_chunk_cnn_res")
NARROW = 32  # channels of the short-chunk CNNs where time is short; a sixteenth of the work of those as published


def difference(
    inputs: Mapping[str, Sequence[Trained]], clips: Sequence[Clip]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Top-1 of each network by input, with mean and deviation over the seeds; and log minus linear.

    The difference is that of the shares of seeds that are right about a note, with an interval over instruments.
    """
    rows, shares = {}, {}
    for name, networks in inputs.items():
        logits = (study.logits_of(trained.network, clips) for trained in networks)
        hits = np.array([top_k_hits(values, labels_of(clips), 1) for values in logits])  # [seeds, clips]
        values, shares[name] = hits.mean(axis=1), hits.mean(axis=0)
        rows[name] = {"top1": values.tolist(), "mean": float(values.mean()), "std": float(values.std())}
    return rows, bootstrap(np.mean, groups(clips), shares["log"] - shares["linear"], lowest=-1)


def robustness(network: nn.Module, clips: Sequence[Clip], seed: int = 0) -> dict[str, float]:
    """Top-1 accuracy on notes under each of `CHANGES`; a stand-in for kinds of sound that training does not have."""
    data, found = study.dataset(clips), {}
    for name, change in CHANGES.items():
        rng = np.random.default_rng(seed)
        waves = (change(data.waveform(index), rng).astype(np.float32) for index in range(len(data)))
        logits = np.concatenate(list(infer(network, batches(waves, BATCH_SIZE), np.stack)))
        found[name] = top_k_accuracy(logits, labels_of(clips))
    return found


def compare_networks(notes: Notes, config: TrainConfig, channels: int, run_dir: Path, command: str) -> Result:
    """Test scores of each network; `details["networks"]` holds size, ms a note and weighted top-1 on validation."""
    rows, logits = {}, {}
    for name in NETWORKS:
        arguments = {"channels": channels} if name.startswith("short_chunk") else {}
        network = study.train(notes.train, notes.valid, config, model=name, run_dir=run_dir / name, **arguments).network
        begin = time.perf_counter()
        valid, took = study.logits_of(network, notes.valid), time.perf_counter() - begin
        rows[name] = {
            "parameters": parameter_count(network), "epochs": config.epochs, "arguments": arguments,
            "milliseconds": 1e3 * took / len(notes.valid), "valid": study.weighted_scores(valid, notes.valid)["top1"],
        }  # fmt: skip
        logits[name] = study.logits_of(network, notes.test)
    return study.result("The networks of the homework", notes, logits, {"networks": rows}, seed=config.seed,
                        budget=f"{config.epochs} epochs", command=command)  # fmt: skip


def networks(
    root: Path, epochs: int | None, channels: int, seed: int, workers: int, run_dir: Path, command: str
) -> Result:
    """`nsynth networks`: all of them trained alike."""
    notes = study.load_notes(root)
    return compare_networks(notes, study.recipe(epochs, seed, len(notes.train), workers), channels, run_dir, command)


def stored_networks(notes: Notes) -> Result | None:
    """What `nsynth networks` found, if it stands in the report and was trained on exactly these notes."""
    path = REPORT / NETWORKS_FILE
    found = metrics.read(path) if path.is_file() else None
    return found if found and found.fingerprint == data_fingerprint(*notes.splits().values()) else None
