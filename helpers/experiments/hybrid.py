"""The shipped NSynth classifier: a CNN and logistic regression on note statistics, their log-probabilities averaged.

`nsynth train` makes the checkpoint, `nsynth crossvalidate` says what it is worth on instruments that were left out,
`nsynth networks` compares the networks that the homework names. Notebook 03.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax
from torch import nn

from helpers.config import CHECKPOINTS, REPORT, Compression, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, clips_fingerprint, groups, subset
from helpers.evaluation import results as metrics
from helpers.experiments import classic, common
from helpers.experiments import nsynth as study
from helpers.experiments.common import Trained, labels_of, scores_of, sentence, single_label_result
from helpers.experiments.nsynth import Notes
from helpers.models.base import parameter_count
from helpers.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, stored_network

SHIPPED = {"log": CHECKPOINTS / "nsynth.pt", "linear": CHECKPOINTS / "nsynth_linear.pt"}
REGRESSION = "logistic regression", {"logisticregression__C": 3e-3}  # chosen by `classic`
SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)  # of the CNN in the average, as `nsynth crossvalidate` compares them
CNN_SHARE = 0.4  # 0.3 and 0.4 have the least log loss on the pool, nearly the same (report/metrics/03_crossvalidation)
BULK = 18  # notes of an instrument, all at velocity 100, from which on it is there in bulk
NETWORKS_FILE = Path("metrics") / "03_networks.json"
# Short-chunk CNNs: Won et al., SMC 2020; spectrogram transformer: after Gong et al., AST, Interspeech 2021.
NETWORKS = ("compact_cnn", "short_chunk_cnn", "spectrogram_transformer", "short_chunk_cnn_res")
NARROW = 32  # channels of the short-chunk CNNs where time is short; a sixteenth of the work of those as published


def statistics(clips: Sequence[Clip], config: TrainConfig) -> Trained:
    """Logistic regression on whitened statistics of notes, under official priors, as a network of waveforms."""
    some = subset(clips, classic.MOST_NOTES["full"], config.seed)
    model = classic.fit(*REGRESSION, classic.table(some), config.seed)
    return Trained(classic.network(model), "note_statistics", {}, [], config, list(clips))


def combine(cnns: Sequence[Trained], other: Trained) -> Trained:
    """CNNs of several seeds and the statistics as one network, `CNN_SHARE` of the weight for all CNNs."""
    return study.ensemble([*cnns, other], [CNN_SHARE / len(cnns)] * len(cnns) + [1 - CNN_SHARE])


def average(cnn: np.ndarray, other: np.ndarray, share: float = CNN_SHARE) -> np.ndarray:
    """What the shipped network gives [n, 11], from the log-probabilities [n, 11] of CNN and statistics."""
    return log_softmax(share * cnn + (1 - share) * other, axis=1)


def shipped(path: Path, notes: Notes, compression: Compression) -> Checkpoint | None:
    """The checkpoint, if it is there and was trained on exactly these notes with this input."""
    stored = load_checkpoint(path, nsynth.TASK) if path.is_file() else None
    if stored is None or stored.data["fingerprint"] != clips_fingerprint(notes.train):
        return None
    first = stored.arguments.get("members", [stored.arguments])[0]
    return stored if first["mel"]["compression"] == compression else None


def run(
    root: Path, out: Path, run_dir: Path, model: str, members: int, mixup: bool, compression: Compression,
    epochs: int | None, seed: int, workers: int, command: str,
) -> None:  # fmt: skip
    """`nsynth train`: train, average (a network on linear mel stays alone), score the weights as stored, write them."""
    notes = study.load_notes(root)
    config = study.recipe(epochs, seed, len(notes.train), workers)
    how = {"compression": compression, "model": model, "mixup": mixup}
    trained = study.train_seeds(notes, config, members, run_dir / f"{model}_{compression}", **how)
    if os.environ.get("RANK", "0") != "0":  # of several processes the first reports
        return
    whole = study.ensemble(trained) if compression == "linear" else combine(trained, statistics(notes.train, config))
    stored = common.checkpoint(nsynth.TASK, whole, nsynth.FAMILIES, nsynth.SAMPLE_RATE, nsynth.SECONDS, corpus="NSynth",
                               label=notes.label("train"), scores={}, command=command)  # fmt: skip
    network = stored_network(stored, half=True)  # what is scored is what is written
    for split, clips in (("valid", notes.valid), ("test", notes.test)):
        logits = study.logits_of(network, clips)
        stored.scores[split] = scores_of(logits, clips)
        if split == "valid":
            stored.scores["valid, kinds weighted as in all of NSynth"] = study.weighted_scores(logits, clips)
        print(sentence(f"{split} ({notes.label(split)}, n={len(clips)})", stored.scores[split]))
    save_checkpoint(out, stored, half=True)
    print(f"{out} written; next: python inference.py --test_dir DIR --checkpoint {out}")


def on_pool(
    notes: Notes, folds: int, seed: int, fit: Callable[[Sequence[Clip], str], Sequence[nn.Module]]
) -> np.ndarray:
    """Log-probabilities [networks, training and validation notes, 11] by networks that were not given the instrument.

    `fit(clips, name)` trains networks on notes: on those of each fold, which answer for the others, and on all, which
    answer for the validation notes.
    """

    def judged(networks: Sequence[nn.Module], clips: Sequence[Clip]) -> np.ndarray:
        logits = [study.logits_of(network, clips).astype(float) for network in networks]
        return log_softmax(np.stack(logits, axis=1), axis=2)  # [clips, networks, 11]

    def predict(fold: int, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        learned, left_out = ([notes.train[n] for n in np.flatnonzero(part)] for part in (inside, outside))
        return judged(fit(learned, f"fold{fold}"), left_out)

    train = study.out_of_fold(notes.train, folds, seed, predict)
    return np.concatenate([train, judged(fit(notes.train, "all"), notes.valid)]).swapaxes(0, 1)


def ablation(notes: Notes, config: TrainConfig, folds: int, run_dir: Path) -> dict[str, np.ndarray]:
    """Log-probabilities [training and validation notes, 11] of the recipe, and of it with one part changed."""

    def cnn(name: str, config: TrainConfig, augmented: bool = True) -> np.ndarray:
        return on_pool(notes, folds, config.seed, lambda clips, part: [study.train(
            clips, notes.valid, config, run_dir=run_dir / name / part, augmented=augmented).network])[0]  # fmt: skip

    whole, shares = cnn("whole", config), study.family_shares(notes.train)
    other = on_pool(notes, folds, config.seed, lambda clips, _: [statistics(clips, config).network])[0]
    return {
        "CNN, as in the recipe": whole,
        "without official priors": log_softmax(whole - np.log(shares), axis=1),
        "without spectral augmentation": cnn("not_augmented", config, augmented=False),
        "families as often as they come": cnn("not_balanced", replace(config, balanced=False)),
        "CNN and note statistics": average(whole, other),
    }


def pool(
    notes: Notes, config: TrainConfig, compression: Compression, folds: int, run_dir: Path, path: Path
) -> dict[str, np.ndarray]:
    """Log-probabilities [training and validation notes, 11] of average, CNN and statistics (on linear mel of the CNN).

    Validation notes by the members of the checkpoint `path` if that was trained on exactly the training notes.
    """

    def fit(clips: Sequence[Clip], name: str) -> list[nn.Module]:
        if name == "all" and (stored := shipped(path, notes, compression)):
            members = study.members_of(stored.network())
            return members[:1] if compression == "linear" else [members[0], members[-1]]
        cnn = study.train(clips, notes.valid, config, compression, run_dir=run_dir / name).network
        return [cnn] if compression == "linear" else [cnn, statistics(clips, config).network]

    cnn, *other = on_pool(notes, folds, config.seed, fit)
    return {"CNN and statistics": average(cnn, *other), "CNN": cnn, "statistics": other[0]} if other else {"CNN": cnn}


def crossvalidate(
    root: Path, compression: Compression, folds: int, epochs: int | None, seed: int, workers: int, run_dir: Path,
    path: Path, out: Path, command: str,
) -> None:  # fmt: skip
    """`nsynth crossvalidate`: what is to be expected on other instruments, and which average, as a metrics file."""
    notes = study.load_notes(root)
    config = study.recipe(epochs, seed, len(notes.train), workers)
    found = pool(notes, config, compression, folds, run_dir / "crossvalidation" / compression, path)
    clips, first = [*notes.train, *notes.valid], next(iter(found.values()))
    kind_of = dict(zip(groups(notes.valid), study.kinds_of(notes.valid)[0], strict=True))  # of each instrument
    details = {
        "weighted": {name: classic.judge(logits, clips) for name, logits in found.items()},
        "expected": study.weighted_scores(first, clips, future=Counter(kind_of.values())),
        "bulk": {name: bulk_accuracy(logits[: len(notes.train)], notes.train) for name, logits in found.items()},
        "by_kind": study.accuracies(first, clips),
        "hardest": study.hardest(first, clips, most=8),
    }
    if "statistics" in found:
        averages = {share: average(found["CNN"], found["statistics"], share) for share in SHARES}
        details["shares"] = {str(share): classic.judge(logits, clips) for share, logits in averages.items()}
        details["cnn_share"] = CNN_SHARE
    report = single_label_result(
        "Instrument family: instruments left out in turn", "NSynth, training and validation notes",
        notes.label("train"), clips, found, nsynth.FAMILIES, notes.train, group_kind="instrument", seed=seed,
        budget=f"{config.epochs} epochs", command=command, details=details,
    )  # fmt: skip
    name = "03_crossvalidation.json" if compression == "log" else f"03_crossvalidation_{compression}.json"
    metrics.write(out / "metrics" / name, report)
    print(sentence(f"instruments left out, weighted by kind (n={len(clips)})", details["expected"]))


def bulk_accuracy(logits: np.ndarray, clips: Sequence[Clip]) -> dict[str, Any]:
    """Top-1 on notes of instruments that are there in bulk at velocity 100 alone, every family counting alike."""
    loud, amount = Counter(clip.group for clip in clips if clip.name.endswith("-100")), Counter(groups(clips).tolist())
    inside = [n for n, clip in enumerate(clips) if loud[clip.group] == amount[clip.group] >= BULK]
    some = [clips[n] for n in inside]
    rows = study.accuracies(logits[inside], some, np.array(nsynth.FAMILIES)[labels_of(some)]) if some else {}
    families = {family: row["top1"] for family, row in rows.items()}
    return {"top1": float(np.mean(list(families.values()))) if rows else 0.0, "n": len(some), "families": families}


def compare_networks(notes: Notes, config: TrainConfig, channels: int, run_dir: Path, command: str) -> metrics.Result:
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


def stored_networks(notes: Notes) -> metrics.Result | None:
    """What `nsynth networks` found, if it stands in the report and was trained on exactly these notes."""
    path = REPORT / NETWORKS_FILE
    found = metrics.read(path) if path.is_file() else None
    return found if found and found.fingerprint == common.data_fingerprint(*notes.splits().values()) else None
