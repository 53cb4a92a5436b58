"""`python -m helpers irmas …`: download, validate, train, evaluate and predict which instruments play in IRMAS."""

from __future__ import annotations

import argparse
from pathlib import Path

from helpers.config import CHECKPOINTS, DATA, REPORT, ROOT, InputError

EXAMPLES = """examples:
  python -m helpers irmas download
  python -m helpers irmas validate --data-root data
  python -m helpers irmas train --out checkpoints/irmas_multilabel.pt
  python -m helpers irmas train --loss focal --no-mixing --epochs 20 --out focal.pt
  python -m helpers irmas evaluate --checkpoint checkpoints/irmas_multilabel.pt --pool mean
  python -m helpers irmas predict --audio song.wav --checkpoint checkpoints/irmas_multilabel.pt
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `irmas` and its five actions."""
    parser = subparsers.add_parser(
        "irmas", help="IRMAS: which instruments play (download, validate, train, evaluate, predict)",
        description="Multi-label instrument recognition on IRMAS: any number of eleven instruments in a recording.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("download", download, "fetch the four archives from Zenodo, checked, and unpack them"),
        ("validate", validate, "count clips; check names, labels and audio"),
    ):
        _add(actions, name, run, text)
    _add_train(actions)
    evaluate_parser = _add(actions, "evaluate", evaluate, "score a checkpoint on the test excerpts")
    evaluate_parser.add_argument("--out", type=Path, default=REPORT, metavar="DIR", help="default: report/")
    predict_parser = _add(actions, "predict", predict, "print the instruments of audio files of any length")
    predict_parser.add_argument("--audio", type=Path, required=True, metavar="PATH", help="a file, or a folder of them")
    for action in (evaluate_parser, predict_parser):
        action.add_argument("--checkpoint", type=Path, default=CHECKPOINTS / "irmas_multilabel.pt", metavar="FILE")
        action.add_argument("--pool", choices=("mean", "max", "sum"), default="mean",
                            help="over the windows of a recording; sum: relative to its most certain instrument")


def _add(actions: argparse._SubParsersAction, name: str, run, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    if name != "predict":
        parser.add_argument("--data-root", type=Path, default=DATA, metavar="DIR", help="holds irmas/ (default: data/)")
    parser.set_defaults(run=run)
    return parser


def _add_train(actions: argparse._SubParsersAction) -> None:
    parser = _add(actions, "train", train, "train on the single-label clips; choose epoch and thresholds on recordings "
                  "that are kept apart")
    parser.add_argument("--loss", choices=("bce", "focal", "asymmetric"), default="bce")
    parser.add_argument("--no-mixing", action="store_true", help="do not sum clips and unite their labels")
    parser.add_argument("--epochs", type=int, default=30, help="at most (default 30)")
    parser.add_argument("--max-clips", type=int, default=10**9, metavar="N", help="train on so many clips at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=CHECKPOINTS / "irmas_multilabel.pt", metavar="FILE")
    parser.add_argument("--run-dir", type=Path, default=ROOT / "runs" / "irmas", metavar="DIR",
                        help="keeps the state after each epoch; the same command goes on from there")


def download(options: argparse.Namespace) -> None:
    """Fetch and unpack."""
    from helpers.datasets.irmas import download

    download(options.data_root)


def validate(options: argparse.Namespace) -> int:
    """Print what is wrong with the corpus; exit code 1 if anything is."""
    from helpers.datasets.irmas import validate

    report = validate(options.data_root)
    print(report)
    return int(bool(report.problems))


def train(options: argparse.Namespace) -> None:
    """Train and write the checkpoint."""
    from helpers.experiments import irmas
    from helpers.models.checkpoint import save_checkpoint

    clips, valid = irmas.recordings(options.data_root, options.max_clips, options.seed)
    config = irmas.recipe(options.epochs, options.seed, options.loss)
    mix = not options.no_mixing
    trained = irmas.train(clips, valid, config, mix, options.run_dir)
    command = (f"python -m helpers irmas train --loss {options.loss} --epochs {options.epochs} --seed {options.seed}"
               f"{'' if mix else ' --no-mixing'}")
    save_checkpoint(options.out, irmas.checkpoint_of(trained, options.data_root, command))
    print(", ".join(f"{name} {value:.3f}" for name, value in trained.validation.items()), "on validation mixtures")
    print(f"wrote {options.out}")


def evaluate(options: argparse.Namespace) -> None:
    """Score the test excerpts, write the metrics file and print it."""
    from helpers.evaluation import results as metrics
    from helpers.experiments.irmas_report import evaluation

    result = evaluation(options.checkpoint, options.data_root, options.pool)
    path = options.out / "metrics" / "irmas_evaluation.json"
    metrics.write(path, result)
    print(f"{result.title}: {result.n} excerpts of {result.groups} tracks ({result.data})")
    for system, scores in result.scores.items():
        listed = (f"{name} {score.value:.3f} [{score.low:.3f}, {score.high:.3f}]" for name, score in scores.items())
        print(f"  {system}: {', '.join(listed)}")
    for name, scores in result.baselines.items():
        print(f"  {name}: " + ", ".join(f"{metric} {value:.3f}" for metric, value in scores.items()))
    print(f"wrote {path}")


def predict(options: argparse.Namespace) -> None:
    """Print one line a file: the instruments above their thresholds, most certain first."""
    from helpers.datasets.irmas import audio_files
    from helpers.experiments.irmas import TASK, excerpt_scores
    from helpers.models.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(options.checkpoint, TASK)
    if not checkpoint.thresholds:
        raise InputError(f"{options.checkpoint}: names one instrument only; use `python -m helpers predominant`")
    network = checkpoint.network()
    for path in sorted(audio_files(options.audio)) if options.audio.is_dir() else [options.audio]:
        scores = excerpt_scores(checkpoint, network, path, options.pool)
        heard = sorted((-score, name) for score, name, threshold
                       in zip(scores, checkpoint.classes, checkpoint.thresholds, strict=True) if score > threshold)
        print(f"{path}: " + (", ".join(f"{name} {-score:.2f}" for score, name in heard) or "none"))
