"""`python -m helpers nsynth …`: download, validate, train and cross-validate on NSynth."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from helpers.config import CHECKPOINTS, DATA, REPORT, ROOT

SHIPPED = CHECKPOINTS / "nsynth.pt"
EXAMPLES = """examples:
  python -m helpers nsynth download --split test
  python -m helpers nsynth validate --data-root data
  python -m helpers nsynth train                        # data/nsynth-train -> checkpoints/nsynth.pt
  python -m helpers nsynth train --compression linear --out checkpoints/nsynth_linear.pt
  torchrun --nproc-per-node 2 -m helpers nsynth train   # two processes, data-parallel
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `nsynth` and its four actions."""
    parser = subparsers.add_parser(
        "nsynth",
        help="NSynth: download, validate, train, cross-validate",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_download(actions)
    _add(actions, "validate", validate, "missing and surplus files, families, noise-only and identical notes")
    trainer = _add(actions, "train", train, "train on nsynth-train, select on nsynth-valid, write a checkpoint")
    trainer.add_argument("--out", type=Path, default=SHIPPED, metavar="FILE")
    trainer.add_argument(
        "--run-dir",
        type=Path,
        default=ROOT / "runs" / "nsynth",
        metavar="DIR",
        help="keeps the state after each epoch; the same command goes on from there",
    )
    trainer.add_argument("--model", default="compact_cnn", help="see helpers/models/notes.py (default compact_cnn)")
    trainer.add_argument(
        "--members", type=int, default=3, help="networks of different seeds whose probabilities are averaged"
    )
    trainer.add_argument("--mixup", action="store_true", help="mix pairs of notes; with few notes it costs accuracy")
    _add_recipe(trainer)
    crossed = _add(actions, "crossvalidate", crossvalidate, "leave-instruments-out accuracy on nsynth-train")
    crossed.add_argument("--folds", type=int, default=4)
    _add_recipe(crossed)


def _add(actions, name: str, run, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.add_argument("--data-root", type=Path, default=DATA, metavar="DIR", help="holds nsynth-train and so on")
    parser.set_defaults(run=run)
    return parser


def _add_download(actions) -> None:
    parser = _add(actions, "download", download, "fetch official archives, checked, going on where it was cut off")
    parser.add_argument("--split", choices=("train", "valid", "test"), action="append", help="default: all three")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--compression", choices=("log", "linear"), default="log")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes that read and augment")


def download(options: argparse.Namespace) -> None:
    """Fetch the archives."""
    from helpers.datasets import nsynth
    from helpers.datasets.download import fetch

    for split in options.split or nsynth.DOWNLOADS:
        path = fetch(nsynth.DOWNLOADS[split], options.data_root)
        print(f"{path}: complete; for training unpack it with `tar -xzf {path} -C {options.data_root}`")


def validate(options: argparse.Namespace) -> int:
    """Print what is wrong with the corpus; exit code 1 if anything is."""
    from helpers.datasets.nsynth import validate

    report = validate(options.data_root)
    print(report)
    return int(bool(report.problems))


def train(options: argparse.Namespace) -> None:
    """Train `--members` networks, average them, score validation and test notes once, write the checkpoint."""
    from helpers.datasets import nsynth
    from helpers.experiments import nsynth as study

    clips = {split: nsynth.clips(options.data_root, split) for split in nsynth.OFFICIAL}
    config = study.recipe(options.compression, options.epochs, options.seed, options.workers)
    trained = study.ensemble(study.train_seeds(
        clips["train"], clips["valid"], config, options.members, options.compression, options.model,
        options.run_dir / f"{options.model}_{options.compression}", options.mixup,
    ))  # fmt: skip
    if os.environ.get("RANK", "0") != "0":  # of several processes the first reports
        return
    scores = {
        split: study.scores_of(study.logits_of(trained.network, clips[split]), clips[split])
        for split in ("valid", "test")
    }
    command = (
        f"python -m helpers nsynth train --data-root {options.data_root.as_posix()} --model {options.model} "
        f"--compression {options.compression} "
        f"--epochs {options.epochs} --members {options.members} --seed {options.seed}" + " --mixup" * options.mixup
        + f" --out {options.out.as_posix()}" * (options.out != SHIPPED)
    )
    study.save(options.out, trained, options.data_root, scores, command)
    for split, score in scores.items():
        label = nsynth.label_of(options.data_root, split, clips[split])
        print(study.sentence(f"{split} ({label}, n={len(clips[split])})", score))
    print(f"{options.out} written; next: python inference.py --test_dir DIR --checkpoint {options.out}")


def crossvalidate(options: argparse.Namespace) -> None:
    """Accuracy on instruments that were left out of training; writes report/metrics/03_crossvalidation.json."""
    from helpers.datasets import nsynth
    from helpers.evaluation import results as metrics
    from helpers.experiments import generalisation
    from helpers.experiments import nsynth as study

    notes, valid = (nsynth.clips(options.data_root, split) for split in ("train", "valid"))
    config = study.recipe(options.compression, options.epochs, options.seed, options.workers)
    logits = generalisation.cross_validate(notes, valid, config, options.folds, options.compression)
    command = (
        f"python -m helpers nsynth crossvalidate --data-root {options.data_root.as_posix()} "
        f"--compression {options.compression} --folds {options.folds} --epochs {options.epochs} --seed {options.seed}"
    )
    data = nsynth.label_of(options.data_root, "train", notes)
    result = generalisation.result(logits, notes, data, config, options.compression, command)
    metrics.write(REPORT / "metrics" / "03_crossvalidation.json", result)
    what = f"{options.folds}-fold, instruments left out (n={len(notes)})"
    print(study.sentence(what, study.scores_of(logits, notes)))
