"""What notebook 06 asks for: recipes for a budget, the table with votes of its best model, and the metrics file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from helpers.config import ROOT, Budget
from helpers.datasets import gtzan
from helpers.datasets.base import clips_fingerprint
from helpers.evaluation.results import Result
from helpers.experiments import genres as study
from helpers.experiments.genre_leak import Leak
from helpers.experiments.genre_recipe import ZOO, GenreConfig
from helpers.experiments.genre_table import COLUMNS, Job, Row, scores_of
from helpers.models.base import KINDS
from helpers.training.recipes import OPTIMIZERS

FEW = ("cnn_2d_4l", "scattering_svm", "pooled_lda")
MODELS = {"smoke": FEW, "quick": FEW, "full": tuple(ZOO)}
COMPARED = ("scattering_svm", "pooled_lda")  # their confusion matrices stand side by side
VARIANTS = {
    "smoke": {"optimizer": ("sgd", "adamw")},
    "quick": {"optimizer": ("sgd", "adamw"), "normalisation": ("batch", "group")},
    "full": {"optimizer": tuple(OPTIMIZERS), "normalisation": KINDS},
}
VARIED = "cnn_2d_4l"
PROCESSOR_EPOCHS = 12  # at most, of every network of the whole zoo where there is no GPU: an hour for sixty tracks


def job(root: Path, budget: Budget, seed: int) -> Job:
    """The table's job: the document's recipe, as many epochs and windows as the budget allows.

    The fault-filtered lists are for the whole corpus; of a part of it they may leave a genre without training tracks.
    There tracks are dealt out at random, as long as there are enough for all three parts.
    """
    config = GenreConfig(epochs=budget.epochs, max_windows=budget.max_clips, seed=seed)
    if budget.name == "smoke":
        config = replace(config, window_s=1.5, max_windows=20, workers=0)
    if budget.name == "quick":
        config = replace(config, max_windows=60)
    if budget.name == "full" and not torch.cuda.is_available():
        config = replace(config, epochs=PROCESSOR_EPOCHS)
    chosen = Job(root, "track", ROOT / "runs" / "genre" / budget.name, config, gtzan.GENRES)
    by_track = gtzan.split(chosen.clips, "track", seed)
    if chosen.label == "official" or not all(by_track.values()):
        return replace(chosen, protocol="filtered")
    return chosen


def variants(job: Job, budget: Budget) -> dict[str, dict[str, float]]:
    """Validation accuracy of one network by optimiser and by normalisation, all else equal."""
    scores = {}
    for argument, values in VARIANTS[budget.name].items():
        for value in values:
            changed = replace(job, config=replace(job.config, **{argument: value}))
            scores[f"{argument}: {value}"] = scores_of(changed, VARIED, "plain")["valid"]
    return scores


def best(rows: Sequence[Row]) -> Row:
    """The row that is best on validation tracks without augmentation; of equals the first."""
    return max(rows, key=lambda row: row["plain"]["valid"]["value"])


def compared(rows: Sequence[Row]) -> dict[str, Row]:
    """The rows whose confusion matrices are shown, by their name in the table."""
    return {row["name"]: row for row in rows if row["model"] in COMPARED}


def result(job: Job, rows: Sequence[Row], leak: Leak, varied: dict, **about) -> Result:
    """The metrics file; `about`: budget, seed, command and figures."""
    tracks = rows[0]["plain"]["n"]["test"]
    scores = {f"{row['name']}{', augmented' if column == 'augmented' else ''}": {"accuracy": row[column]["test"]}
              for row in rows for column in COLUMNS}
    parts = study.dealt(job.clips, "pooled_lda", job.protocol, job.config)
    return Result(
        title=f"GTZAN genres, {job.protocol} split", corpus="GTZAN", data=job.label, n=tracks, groups=tracks,
        group_kind="track", fingerprint=clips_fingerprint(job.clips), scores=scores,
        baselines={"majority class": {"accuracy": study.baseline(parts)}}, classes=list(job.genres),
        confusion={name: row["plain"]["confusion"] for name, row in compared(rows).items()},
        details={"rows": list(rows), "protocols": leak.scores, "protocol_windows": leak.n,
                 "protocol_tracks": leak.tracks, "variants": varied, "best_on_validation": best(rows)["name"]},
        **about,
    )  # fmt: skip
