"""`python -m helpers predominant`: the most prominent instrument of each recording in a folder; training for it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from helpers.config import CHECKPOINTS, DATA, ROOT, InputError

EXAMPLES = """examples:
  python -m helpers predominant --audio ../shared/data/irmas --checkpoint checkpoints/irmas.pt
  python -m helpers predominant train --data-root ../shared/data --out checkpoints/irmas.pt
  python -m helpers predominant train --model three_band --panns Cnn10_mAP=0.380.pth --out three_band.pt

A prediction is correct if it is among the labels: those in the .txt beside the file, or else its folder's name.
"""
MODELS = ("cnn_var_time", "three_band", "nine_branch", "panns_cnn6", "panns_cnn10", "panns_cnn14")
CONSTANT_VOICE = 1044 / 2874  # share of the official test excerpts that have voice among their labels


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `predominant`, and `predominant train`."""
    parser = subparsers.add_parser(
        "predominant", help="the predominant instrument of each recording (IRMAS)",
        description="Print the most prominent instrument of every recording in a folder, and how many are correct.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--audio", type=Path, metavar="DIR", help="folder of recordings, or one file")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINTS / "irmas.pt", metavar="FILE")
    parser.set_defaults(run=predict)
    _add_train(parser.add_subparsers(metavar="train"))


def _add_train(actions: argparse._SubParsersAction) -> None:
    parser = actions.add_parser(
        "train", help="train a network for the predominant instrument",
        description="Train on the single-label clips of IRMAS. cnn_var_time learns from phrases of NSynth notes first "
        "and then takes over; the others train on IRMAS alone, from PANNs weights if these are given.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--data-root", type=Path, default=DATA, metavar="DIR", help="holds irmas/ and nsynth-train")
    parser.add_argument("--model", default="cnn_var_time", choices=MODELS)
    parser.add_argument("--panns", type=Path, metavar="FILE",
                        help="published PANNs weights to start from; the backbone is frozen for three epochs")
    parser.add_argument("--epochs", type=int, default=0, help="default: that of the recipe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=CHECKPOINTS / "irmas.pt", metavar="FILE")
    parser.add_argument("--run-dir", type=Path, default=ROOT / "runs" / "predominant", metavar="DIR",
                        help="keeps the state after each epoch; the same command goes on from there")
    parser.set_defaults(run=train)


def train(options: argparse.Namespace) -> None:
    """Train and write the checkpoint."""
    from helpers.experiments import predominant, stft_models
    from helpers.models.checkpoint import save_checkpoint

    command = f"python -m helpers predominant train --model {options.model} --seed {options.seed}"
    if options.model == "cnn_var_time":
        checkpoint = predominant.train(options.data_root, options.epochs, options.seed, options.run_dir, command)
    else:
        checkpoint = stft_models.train(options.data_root, options.model, options.panns, options.epochs, options.seed,
                                       options.run_dir, command)
    save_checkpoint(options.out, checkpoint, half=options.model != "cnn_var_time")  # a solved layer is exact or wrong
    print("; ".join(f"{name}: {value}" for name, value in checkpoint.scores.items()))
    print(f"wrote {options.out}")


def predict(options: argparse.Namespace) -> None:
    """Print ground truth and top prediction of each file, the running accuracy, and the summary."""
    from helpers.datasets import irmas
    from helpers.experiments.irmas import TASK, excerpt_scores
    from helpers.models.checkpoint import load_checkpoint

    paths = _recordings(options.audio, irmas)
    checkpoint = load_checkpoint(options.checkpoint, TASK)
    network, truths, correct = checkpoint.network(), [], 0
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # consoles that cannot print the symbols
    for number, path in enumerate(paths, start=1):
        scores = excerpt_scores(checkpoint, network, path)
        top = irmas.CODES.index(checkpoint.classes[int(scores.argmax())])
        print(f"🎵 {number}/{len(paths)} {path.name}")
        if (truth := irmas.ground_truth(path)) is not None:
            truths.append(truth)
            correct += top in truth
        _print_file(irmas.NAMES, truth, top, float(scores.max()), correct, len(truths))
    _print_summary(irmas.NAMES, len(paths), truths, correct)


def _recordings(audio: Path | None, irmas) -> list[Path]:
    """The audio files below a folder, or the one file.

    Raises:
        InputError: nothing was given, or nothing is there.
    """
    if audio is None:
        raise InputError("--audio: missing; give a folder of recordings")
    paths = list(irmas.audio_files(audio)) if audio.is_dir() else [audio]
    if not paths:
        raise InputError(f"{audio}: holds no .wav or .flac file")
    return paths


def _print_file(names, truth: tuple[int, ...] | None, top: int, score: float, correct: int, known: int) -> None:
    print(f"🎯 Ground truth: {', '.join(names[label] for label in truth) if truth else 'unknown'}")
    print(f"🏆 Top prediction: {names[top]} ({score:.4f})")
    if truth is not None:
        print(f"📊 Evaluation: {'✅ CORRECT' if top in truth else '❌ INCORRECT'}")
        print(f"📈 Running accuracy: {correct}/{known} = {correct / known:.1%}")
    print()


def _print_summary(names, files: int, truths: list[tuple[int, ...]], correct: int) -> None:
    print("✅ Inference completed!\n")
    print("🎯 FINAL SUMMARY")
    print(f"Total files processed: {files}")
    print(f"Files with ground truth: {len(truths)}")
    if not truths:
        return
    print(f"Correct predictions: {correct} (the prediction is among the labels)")
    print(f"Overall accuracy: {correct / len(truths):.1%}")
    count, label = max((sum(label in truth for truth in truths), label) for label in range(len(names)))
    print(f"Best constant answer on these files: {names[label]}, {count / len(truths):.1%}")
    print(f"Constant answer voice on the official test excerpts: {CONSTANT_VOICE:.1%}")
