"""The networks that the homework names, side by side on log mel: `nsynth networks`, notebook 03.

Compact CNN; short-chunk CNN, plain and residual (Won et al., SMC 2020); spectrogram transformer (after Gong et al.,
AST, Interspeech 2021). Same notes, recipe, epochs and seed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from helpers.config import REPORT, TrainConfig
from helpers.datasets import nsynth
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result
from helpers.experiments import nsynth as study
from helpers.experiments.common import command_line, data_fingerprint, sentence, single_label_result
from helpers.experiments.nsynth import Notes
from helpers.models.base import parameter_count

FILE = Path("metrics") / "03_networks.json"
NETWORKS = ("compact_cnn", "short_chunk_cnn", "spectrogram_transformer", "short_chunk_cnn_res")
NARROW = 32  # channels of the short-chunk CNNs where time is short; a sixteenth of the work of those as published


def report(root: Path, epochs: int | None, channels: int, seed: int, workers: int, run_dir: Path, out: Path) -> None:
    """`nsynth networks`: trains all of them alike and writes their test scores to metrics/03_networks.json."""
    notes = study.load_notes(root)
    config = study.recipe(epochs, seed, len(notes.train), workers)
    command = command_line("nsynth", "networks", data_root=root, epochs=epochs, channels=channels, seed=seed, out=out)
    result = compare(notes, config, channels, run_dir / "networks", command)
    metrics.write(out / FILE, result)
    for name, row in result.scores.items():
        print(sentence(name, {key: score.model_dump() for key, score in row.items()}))


def stored(notes: Notes) -> Result | None:
    """What `nsynth networks` found, if it stands in the report and was trained on exactly these notes."""
    path = REPORT / FILE
    found = metrics.read(path) if path.is_file() else None
    return found if found and found.fingerprint == data_fingerprint(*notes.splits().values()) else None


def compare(notes: Notes, config: TrainConfig, channels: int, run_dir: Path, command: str) -> Result:
    """Test scores of each network; `details["networks"]` holds size, ms a note and weighted top-1 on validation."""
    rows: dict[str, dict[str, Any]] = {}
    logits = {}
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
    return single_label_result(
        "The networks of the homework", "NSynth", notes.label("test"), notes.test, logits, nsynth.FAMILIES, notes.train,
        group_kind="instrument", used=(notes.train, notes.valid), seed=config.seed, budget=f"{config.epochs} epochs",
        command=command, details=study.about(notes) | {"networks": rows},
    )  # fmt: skip
