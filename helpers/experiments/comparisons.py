"""What is worth what: parts of classic machine learning (notebook 02), log against linear mel, other timbres, and the
networks that the homework names (03).

One visible difference at a time: notes, folds, seeds and all other settings are the same.
"""

import time
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from helpers.augmentation.waveform import Augmentation, Chorus, Compose, Distort, Equalise, Reverberate
from helpers.config import REPORT, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, groups
from helpers.evaluation import bootstrap
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result
from helpers.evaluation.single import top_k_accuracy, top_k_hits
from helpers.experiments import classic, common
from helpers.experiments import nsynth as study
from helpers.experiments.classic import Table
from helpers.experiments.common import Trained, labels_of
from helpers.experiments.nsynth import Notes
from helpers.features.notes import SEGMENTS
from helpers.features.pooled import BLOCKS, columns_of
from helpers.models.base import parameter_count
from helpers.models.classic import ClassicModel
from helpers.prediction.clips import BATCH_SIZE, batches, infer

COMPARED = ("k-NN", "SVM", "logistic regression")
PANELS: dict[str, dict[str, dict[str, Any]]] = {  # panel -> row -> what is changed; nothing: the model as it is chosen
    "pooling": {
        "one mean while held": {"blocks": ("cepstrum.middle",)},  # beginnings of columns
        "+ five other segments": {"blocks": tuple(f"cepstrum.{name}" for name in SEGMENTS)},
        "+ spread, speed, changes": {"blocks": ("cepstrum",)},
        "+ all other blocks": {},
    },
    "scale of columns": {
        "none": {"without": ("standardscaler", "withingroupwhitening")},
        "standardised": {"without": ("withingroupwhitening",)},
        "whitened within families": {"within": "family"},
        "whitened within instruments": {},
    },
    "weights, priors": {
        "neither": {"weighted": False, "official": False},
        "weighted kinds": {"official": False},
        "+ official priors": {},
    },
}
REPEATS = 5  # of shuffling a block of features
# Stronger than anything in training: what amplifiers, effects and other recordings do to an instrument.
CHANGES: dict[str, Augmentation] = {
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
CHANGED = 200  # validation notes at most: changing them takes longer than naming them
Ablations = dict[str, dict[str, dict[str, float]]]  # panel -> row -> classifier -> top-1


def ablations(models: Mapping[str, ClassicModel], train: Table, valid: Table, folds: int, seed: int) -> Ablations:
    """Weighted top-1 on the pool under each change of PANELS, with the hyper-parameters of `models`."""

    def row(blocks: Sequence[str] = tuple(BLOCKS), without: Sequence[str] = (), **options: Any) -> dict[str, float]:
        columns, found = columns_of(*blocks), {}
        parts = [Table(part.matrix[:, columns], part.clips) for part in (train, valid)]
        for name in COMPARED:
            parameters = models[name].details["parameters"] | dict.fromkeys(without, "passthrough")
            make = partial(classic.fit, name, parameters, seed=seed, **options)
            found[name] = classic.judge(*classic.pooled_scores(make, *parts, folds, seed))["top1"]["value"]
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without scale a regression does not converge
        whole = row()
        return {panel: {name: row(**change) if change else whole for name, change in rows.items()}
                for panel, rows in PANELS.items()}  # fmt: skip


def importance(model: ClassicModel, valid: Table, seed: int) -> dict[str, float]:
    """Loss of weighted top-1 when a block is shuffled among validation notes (Breiman 2001), mean of REPEATS."""

    def top1(matrix: np.ndarray) -> float:
        return study.weighted_scores(model.scores(matrix), valid.clips)["top1"]["value"]

    generator, whole, losses = np.random.default_rng(seed), top1(valid.matrix), {}
    for block in BLOCKS:
        columns, values, shuffled = columns_of(f"{block}."), [], valid.matrix.copy()
        for _ in range(REPEATS):
            shuffled[:, columns] = valid.matrix[generator.permutation(len(shuffled))][:, columns]
            values.append(whole - top1(shuffled))
        losses[block] = float(np.mean(values))
    return losses


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
    data = study.dataset(clips)

    def logits(change: Augmentation) -> np.ndarray:
        rng = np.random.default_rng(seed)

        def load(batch: list[int]) -> np.ndarray:
            return np.stack([change(data.waveform(index), rng) for index in batch]).astype(np.float32)

        return np.concatenate(list(infer(network, batches(range(len(data)), BATCH_SIZE), load, workers=1)))

    return {name: top_k_accuracy(logits(change), labels_of(clips)) for name, change in CHANGES.items()}


def report_networks(
    root: Path, epochs: int | None, channels: int, seed: int, workers: int, run_dir: Path, out: Path
) -> None:
    """`nsynth networks`: trains all of them alike and writes their test scores to metrics/03_networks.json."""
    notes = study.load_notes(root)
    config = study.recipe(epochs, seed, len(notes.train), workers)
    command = common.command_line("nsynth", "networks", data_root=root, epochs=epochs, channels=channels, seed=seed,
                                  out=out)  # fmt: skip
    result = compare_networks(notes, config, channels, run_dir / "networks", command)
    metrics.write(out / NETWORKS_FILE, result)
    for name, row in result.scores.items():
        print(common.sentence(name, {key: score.model_dump() for key, score in row.items()}))


def stored_networks(notes: Notes) -> Result | None:
    """What `nsynth networks` found, if it stands in the report and was trained on exactly these notes."""
    path = REPORT / NETWORKS_FILE
    found = metrics.read(path) if path.is_file() else None
    return found if found and found.fingerprint == common.data_fingerprint(*notes.splits().values()) else None


def compare_networks(notes: Notes, config: TrainConfig, channels: int, run_dir: Path, command: str) -> Result:
    """Test scores of each network; `details["networks"]` holds size, ms a note and weighted top-1 on validation."""
    rows, logits = {}, {}
    for name in NETWORKS:
        arguments = {"channels": channels} if name.startswith("short_chunk") else {}
        network = study.train(notes.train, notes.valid, config, model=name, run_dir=run_dir / name, **arguments).network
        begin = time.perf_counter()
        valid = study.logits_of(network, notes.valid)
        rows[name] = {
            "parameters": parameter_count(network), "epochs": config.epochs, "arguments": arguments,
            "milliseconds": 1e3 * (time.perf_counter() - begin) / len(notes.valid),
            "valid": study.weighted_scores(valid, notes.valid)["top1"],
        }  # fmt: skip
        logits[name] = study.logits_of(network, notes.test)
    return common.single_label_result(
        "The networks of the homework", "NSynth", notes.label("test"), notes.test, logits, nsynth.FAMILIES, notes.train,
        group_kind="instrument", used=(notes.train, notes.valid), seed=config.seed, budget=f"{config.epochs} epochs",
        command=command, details=study.about(notes) | {"networks": rows},
    )  # fmt: skip
