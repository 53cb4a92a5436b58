"""The shipped NSynth classifier: a CNN and logistic regression on note statistics, their log-probabilities averaged.

The CNN wins on electronic keyboards and organs, the statistics on flutes, guitars and mallets. `nsynth train` makes the
checkpoint, `nsynth crossvalidate` says what it is worth on instruments that were left out. Notebook 03.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.config import TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, clips_fingerprint, grouped_folds, groups, subset
from helpers.evaluation import results as metrics
from helpers.evaluation.single import accuracy_by, kind_weighted_accuracy, softmax, top_k_hits
from helpers.experiments import classic
from helpers.experiments import nsynth as study
from helpers.experiments.classic import Table
from helpers.experiments.common import Trained, command_line, labels_of, scores_of, sentence, single_label_result
from helpers.experiments.nsynth import Notes
from helpers.features.cache import extract
from helpers.models import build
from helpers.models.checkpoint import load_checkpoint, save_checkpoint, stored_network
from helpers.models.classic import ClassicModel, fold

STATISTICS = "note_statistics"
REGRESSION = "logistic regression", {"logisticregression__C": 3e-3}  # chosen by `classic`
MOST_NOTES = 40_000  # that the regression is fitted to: its features are held in memory
CNN_SHARE = 0.4  # of the average; its log loss on the pool is, of SHARES, the least or as good as that
SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def fit_statistics(clips: Sequence[Clip], seed: int) -> ClassicModel:
    """Logistic regression on whitened statistics of notes, under official priors."""
    clips = subset(clips, MOST_NOTES, seed)
    return classic.fit(*REGRESSION, Table(extract([clip.path for clip in clips]), clips), seed)


def statistics(clips: Sequence[Clip], config: TrainConfig) -> Trained:
    """The same as a network, which needs but waveforms."""
    network = build(STATISTICS, len(nsynth.FAMILIES))
    network.head.fill(**fold(fit_statistics(clips, config.seed)))
    return Trained(network.eval(), STATISTICS, {}, [], config, list(clips))


def combine(cnns: Sequence[Trained], other: Trained) -> Trained:
    """CNNs of several seeds and the statistics as one network, `CNN_SHARE` of the weight for all CNNs."""
    return study.ensemble([*cnns, other], [CNN_SHARE / len(cnns)] * len(cnns) + [1 - CNN_SHARE])


def run(
    root: Path, out: Path, run_dir: Path, model: str, members: int, mixup: bool, compression: str, epochs: int | None,
    seed: int, workers: int,
) -> None:  # fmt: skip
    """`nsynth train`: train, average (a network on linear mel stays alone), score the weights as stored, write them."""
    notes = study.all_notes(root)
    config = study.recipe(compression, epochs, seed, len(notes.train), workers)
    trained = study.train_seeds(notes.train, notes.valid, config, members, compression, model,
                                run_dir / f"{model}_{compression}", mixup)  # fmt: skip
    if os.environ.get("RANK", "0") != "0":  # of several processes the first reports
        return
    alone = compression == "linear"
    whole = study.ensemble(trained) if alone else combine(trained, statistics(notes.train, config))
    command = command_line("nsynth", "train", data_root=root, model=model, members=members, mixup=mixup,
                           compression=compression, epochs=epochs, seed=seed, out=out)  # fmt: skip
    stored = study.checkpoint_of(whole, root, command)
    network = stored_network(stored, half=True)  # what is scored is what is written
    for split, clips in (("valid", notes.valid), ("test", notes.test)):
        logits, label = study.logits_of(network, clips), nsynth.CORPUS.label(root, split, len(clips))
        stored.scores[split] = scores_of(logits, clips)
        if split == "valid":
            stored.scores["valid, kinds weighted as in all of NSynth"] = study.weighted_scores(logits, clips)
        print(sentence(f"{split} ({label}, n={len(clips)})", stored.scores[split]))
    save_checkpoint(out, stored, half=True)
    print(f"{out} written; next: python inference.py --test_dir DIR --checkpoint {out}")


def pool(notes: Notes, config: TrainConfig, folds: int, run_dir: Path, path: Path) -> dict[str, np.ndarray]:
    """Log-probabilities of CNN and statistics [training and validation notes, 11], none trained on the instrument.

    Training notes by cross-validation, validation notes by the members of the checkpoint `path` if that was trained on
    these notes, else by networks that are trained now. Folds keep instruments whole and spread the kinds.
    """
    fold_of = grouped_folds(study.kinds_of(notes.train)[0], groups(notes.train), folds, config.seed)
    found = {part: np.zeros((len(notes.train), len(nsynth.FAMILIES))) for part in ("cnn", "statistics")}
    for number in range(folds):
        parts = fold_of != number, fold_of == number
        inside, outside = ([notes.train[n] for n in np.flatnonzero(part)] for part in parts)
        for part, logits in _parts(inside, notes.valid, outside, config, run_dir / f"fold{number}").items():
            found[part][fold_of == number] = logits
    shipped = load_checkpoint(path, nsynth.TASK) if path.is_file() else None
    if shipped and shipped.data["fingerprint"] == clips_fingerprint(notes.train):
        cnn, *_, other = study.members_of(shipped.network())
        judged = {"cnn": cnn, "statistics": other}
        valid = {part: _log(study.logits_of(network, notes.valid)) for part, network in judged.items()}
    else:
        valid = _parts(notes.train, notes.valid, notes.valid, config, run_dir / "all")
    return {part: np.concatenate([found[part], valid[part]]) for part in found}


def average(parts: Mapping[str, np.ndarray], share: float = CNN_SHARE) -> np.ndarray:
    """What the shipped network gives, from the log-probabilities [n, 11] of its parts."""
    return _log(share * parts["cnn"] + (1 - share) * parts["statistics"])


def crossvalidate(
    root: Path, folds: int, epochs: int | None, seed: int, workers: int, run_dir: Path, path: Path, out: Path
) -> None:
    """`nsynth crossvalidate`: what is to be expected on other instruments, and which average, as a metrics file."""
    notes = study.all_notes(root)
    config = study.recipe("log", epochs, seed, len(notes.train), workers)
    parts = pool(notes, config, folds, run_dir / "crossvalidation", path)
    clips = [*notes.train, *notes.valid]
    systems = {"CNN and statistics": average(parts), "CNN": parts["cnn"], "statistics": parts["statistics"]}
    command = command_line("nsynth", "crossvalidate", data_root=root, folds=folds, epochs=epochs, seed=seed,
                           checkpoint=path, out=out)  # fmt: skip
    report = single_label_result(
        "Instrument family: instruments left out in turn", "NSynth, training and validation notes",
        nsynth.CORPUS.label(root, "train", len(notes.train)), clips, systems, nsynth.FAMILIES, notes.train,
        group_kind="instrument", seed=seed, budget=f"{config.epochs} epochs", command=command,
        details={
            "weighted": {name: classic.judge(logits, clips) for name, logits in systems.items()},
            "shares": {str(share): classic.judge(average(parts, share), clips) for share in SHARES},
            "cnn_share": CNN_SHARE,
            "expected": expected(average(parts), clips, notes.valid),
            "bulk": {name: bulk_accuracy(logits[: len(notes.train)], notes.train) for name, logits in systems.items()},
            "by_kind": by_kind(average(parts), clips),
            "hardest": study.hardest(average(parts), clips, most=8),
        },
    )  # fmt: skip
    metrics.write(out / "metrics" / "03_crossvalidation.json", report)
    print(sentence(f"instruments left out, weighted by kind (n={len(clips)})", report.details["expected"]))


def expected(logits: np.ndarray, clips: Sequence[Clip], valid: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Weighted top-1 and top-3 with the interval for a test set that has as many instruments as `valid`, drawn anew."""
    (kinds, shares), labels = study.kinds_of(clips), labels_of(clips)
    future = Counter(dict(zip(groups(valid), study.kinds_of(valid)[0], strict=True)).values())
    return {
        f"top{k}": kind_weighted_accuracy(top_k_hits(logits, labels, k), kinds, groups(clips), shares, future=future)
        for k in (1, 3)
    }


def bulk_accuracy(logits: np.ndarray, clips: Sequence[Clip], least: int = 18) -> dict[str, Any]:
    """Top-1 on notes of instruments that are there in bulk at velocity 100 alone, every family counting alike."""
    loud = Counter(clip.group for clip in clips if clip.name.endswith("-100"))
    amount = Counter(clip.group for clip in clips)
    inside = np.array([loud[clip.group] == amount[clip.group] >= least for clip in clips])
    families = np.array(nsynth.FAMILIES)[labels_of(clips)][inside]
    rows = accuracy_by(families, top_k_hits(logits, labels_of(clips), 1)[inside])
    return {"top1": float(np.mean(list(rows.values()))) if rows else 0.0, "n": int(inside.sum()), "families": rows}


def by_kind(logits: np.ndarray, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Top-1 accuracy and number of notes of each kind, family and source together."""
    kinds, _ = study.kinds_of(clips)
    accuracy, count = accuracy_by(kinds, top_k_hits(logits, labels_of(clips), 1)), Counter(kinds.tolist())
    return {kind: {"top1": accuracy[kind], "n": count[kind]} for kind in accuracy}


def _parts(
    inside: Sequence[Clip], valid: Sequence[Clip], judged: Sequence[Clip], config: TrainConfig, run_dir: Path
) -> dict[str, np.ndarray]:
    cnn = study.train(inside, valid, config, run_dir=run_dir).network
    table = extract([clip.path for clip in judged])
    return {"cnn": _log(study.logits_of(cnn, judged)), "statistics": fit_statistics(inside, config.seed).scores(table)}


def _log(logits: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(softmax(logits.astype(float)), 1e-30))
