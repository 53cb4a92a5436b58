"""What is reported of multi-label recognition on IRMAS: one checkpoint, and mixing against no mixing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.config import BUDGETS
from helpers.datasets import irmas
from helpers.datasets.base import Clip, clips_fingerprint, groups, multi_hot
from helpers.evaluation import multilabel
from helpers.evaluation.results import Result
from helpers.experiments import irmas as study
from helpers.experiments.common import curves
from helpers.files import fingerprint
from helpers.models.checkpoint import Checkpoint, load_checkpoint

EPOCHS = {"smoke": 1, "quick": 6, "full": 30}
ORACLE = "thresholds chosen on test (oracle)"


def evaluation(path: Path, root: Path, pool: str = study.POOL) -> Result:
    """Scores of a checkpoint on all test excerpts below `root`."""
    checkpoint = load_checkpoint(path, study.TASK)
    clips = irmas.clips(root, "test")
    scores = widened(checkpoint, study.score_excerpts(checkpoint, clips, pool))
    thresholds = np.ones(len(irmas.CODES))
    thresholds[[irmas.CODES.index(code) for code in checkpoint.classes]] = checkpoint.thresholds or 0.5
    return result(
        "IRMAS multi-label", root, clips, {"validation thresholds": study.scores_of(clips, scores, thresholds)},
        command=f"python -m helpers irmas evaluate --checkpoint {path.name} --pool {pool}",
        training=checkpoint.data.get("fingerprint", ""), seed=checkpoint.seed,
        details={"pool": pool, **class_table(clips, scores, thresholds)},
    )  # fmt: skip


def compare_mixing(root: Path, budget: str, seed: int, command: str) -> tuple[Result, dict]:
    """Train with and without polyphonic mixing, same data, epochs and seeds; score both on the test excerpts.

    Returns:
        The result, in which each system's score is that of its median seed and `details` holds all of them; and for
        figures the first mixing run's `scores` [n, 11], `targets` [n, 11] and `thresholds` [11], and `histories`,
        the curves of the first run of both systems.
    """
    plan, test = BUDGETS[budget], irmas.clips(root, "test")
    test = study.thinned(test, 12 if budget == "smoke" else plan.max_clips)
    runs: dict[str, list[dict]] = {"mixing": [], "no mixing": []}
    for number in range(plan.seeds):
        clips, valid = study.recordings(root, plan.max_clips, seed + number)
        for system in runs:
            trained = study.train(clips, valid, study.recipe(EPOCHS[budget], seed + number), mix=system == "mixing")
            scores = study.score_excerpts(study.checkpoint_of(trained, root, ""), test)
            runs[system].append({"history": trained.history, "scores": scores, "thresholds": trained.thresholds,
                                 "table": study.scores_of(test, scores, trained.thresholds)})
    first = runs["mixing"][0]
    oracle = multilabel.choose_thresholds(multi_hot(test, len(irmas.CODES)), first["scores"])
    found = {system: median_run(tables)["table"] for system, tables in runs.items()}
    found[f"mixing, {ORACLE}"] = study.scores_of(test, first["scores"], oracle)
    every = {system: [run["table"]["micro_f1"]["value"] for run in tables] for system, tables in runs.items()}
    report = result("IRMAS multi-label: mixing against no mixing", root, test, found, seed=seed, budget=budget,
                    command=command, training=clips_fingerprint(clips),
                    details={"micro_f1 of every seed": every,
                             **class_table(test, first["scores"], first["thresholds"])})
    histories = {system: curves(tables[0]["history"]) for system, tables in runs.items()}
    return report, {**first, "histories": histories, "targets": multi_hot(test, len(irmas.CODES))}


def mean_labels(root: Path) -> float:
    """Labelled instruments of a test excerpt on average."""
    return float(np.mean([len(clip.labels) for clip in irmas.clips(root, "test")]))


def median_run(runs: Sequence[dict]) -> dict:
    """The run whose micro F1 is the median (the lower one of two)."""
    ordered = sorted(runs, key=lambda run: run["table"]["micro_f1"]["value"])
    return ordered[(len(ordered) - 1) // 2]


def widened(checkpoint: Checkpoint, scores: np.ndarray) -> np.ndarray:
    """Scores [n, 11] over all codes of a checkpoint that may know fewer; what it does not know scores 0."""
    wide = np.zeros((len(scores), len(irmas.CODES)))
    wide[:, [irmas.CODES.index(code) for code in checkpoint.classes]] = scores
    return wide


def substitutions(targets: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Counts [C, C]: how often class j was wrongly said in an excerpt in which class i was missed."""
    missed, invented = (targets > 0.5) & ~decisions, decisions & (targets < 0.5)
    return missed.T.astype(int) @ invented.astype(int)


def class_table(clips: Sequence[Clip], scores: np.ndarray, thresholds: Sequence[float]) -> dict:
    """Precision, recall, F1 and support of each class by its code, and how F1 falls with polyphony."""
    targets, decisions = multi_hot(clips, len(irmas.CODES)), scores > np.asarray(thresholds)
    table = multilabel.per_class(targets, decisions)
    sizes = targets.sum(axis=1).astype(int)
    return {
        "classes": {code: {name: round(float(values[c]), 4) for name, values in table.items()}
                    for c, code in enumerate(irmas.CODES)},
        "micro_f1 by number of instruments": {
            str(size): round(multilabel.micro_f1(targets[sizes == size], decisions[sizes == size]), 4)
            for size in np.unique(sizes).tolist()
        },
    }


def result(title: str, root: Path, clips: Sequence[Clip], scores: dict, *, command: str, training: str, seed: int,
           details: dict, budget: str = "full") -> Result:
    """The metrics file of an experiment on test excerpts."""
    return Result(
        title=title, corpus="IRMAS", data=irmas.label_of(root, "test", list(clips)), n=len(clips),
        groups=len(set(groups(clips))), group_kind="track",
        fingerprint=fingerprint([training, clips_fingerprint(clips)]), seed=seed, budget=budget, command=command,
        scores=scores, baselines=study.baselines(clips),
        classes=list(irmas.CODES), details=details,
    )  # fmt: skip
