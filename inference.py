"""Top-1 and top-3 accuracy of a trained checkpoint on an NSynth test folder.

    python inference.py --test_dir path/to/nsynth-test

The folder may be the official one (examples.json and audio/), its parent, a bare folder of .wav or .flac files with
NSynth names, or the official .tar.gz. Everything about the model is in the checkpoint.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="example: python inference.py --test_dir nsynth-test --confusion_matrix confusion.png",
    )
    parser.add_argument("--test_dir", type=Path, required=True, metavar="DIR", help="NSynth test folder (or .tar.gz)")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "checkpoints" / "nsynth.pt", metavar="FILE")
    parser.add_argument("--batch_size", type=positive, default=16, metavar="N", help="notes at a time (default 16)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--workers", type=positive, default=os.cpu_count(), metavar="N", help="threads (default: all)")
    parser.add_argument("--confusion_matrix", type=picture, metavar="FILE.png", help="draw the confusion matrix")
    parser.add_argument(
        "--predictions", type=Path, metavar="FILE.csv", help="file, true family, top three, probabilities"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="all scores, per family, with fingerprints")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def picture(text: str) -> Path:
    """A file name of a kind that figures are drawn to."""
    if not text.lower().endswith((".png", ".svg", ".pdf")):
        raise argparse.ArgumentTypeError(f"must end in .png, .svg or .pdf: {text}")
    return Path(text)


def main(options: argparse.Namespace) -> None:
    """Read, predict, score, report; accuracies go to stdout, everything else to stderr."""
    from helpers.config import InputError
    from helpers.datasets import nsynth

    clips = nsynth.read_folder(options.test_dir)  # before the slow imports: a wrong path is told at once

    import numpy as np

    from helpers.evaluation.single import top_k_accuracy
    from helpers.models.checkpoint import load_checkpoint
    from helpers.prediction.clips import best_device, predict

    checkpoint = load_checkpoint(options.checkpoint, nsynth.TASK)
    if set(checkpoint.classes) != set(nsynth.FAMILIES):
        raise InputError(f"{options.checkpoint}: knows other families than NSynth's; train it again")
    logits, unreadable = predict(
        checkpoint.network(), clips, checkpoint.sample_rate, checkpoint.seconds,
        batch_size=options.batch_size, device=best_device(options.device), workers=options.workers,
    )  # fmt: skip
    labels = np.array([checkpoint.classes.index(nsynth.FAMILIES[clip.labels[0]]) for clip in clips])
    for message in unreadable.values():
        print(f"unreadable, counted as wrong: {message}", file=sys.stderr)
    absent = [name for number, name in enumerate(checkpoint.classes) if number not in labels]
    if absent:
        print(f"families without a note in this test set: {', '.join(absent)}", file=sys.stderr)
    if options.json or options.predictions or options.confusion_matrix:
        write_reports(options, checkpoint, clips, labels, logits, unreadable)
    print(f"notes: {len(clips)}")
    if unreadable:
        print(f"unreadable: {len(unreadable)}")
    print(f"top-1 accuracy: {top_k_accuracy(logits, labels, 1):.2%}")
    print(f"top-3 accuracy: {top_k_accuracy(logits, labels, 3):.2%}")


def write_reports(options, checkpoint, clips, labels, logits, unreadable) -> None:
    """The files that were asked for."""
    from helpers.evaluation.single import confusion_matrix, predictions

    matrix = confusion_matrix(labels, predictions(logits), len(checkpoint.classes))
    if options.json:
        write_scores(options, checkpoint, clips, labels, logits, unreadable, matrix)
    if options.predictions:
        write_predictions(options.predictions, checkpoint.classes, clips, labels, logits)
    if options.confusion_matrix:
        from helpers.plotting.scores import confusion_figure
        from helpers.plotting.style import save_figure

        save_figure(confusion_figure({f"{len(clips)} notes": matrix}, checkpoint.classes), options.confusion_matrix)


def write_scores(options, checkpoint, clips, labels, logits, unreadable, matrix) -> None:
    """All scores as JSON."""
    import numpy as np

    from helpers.datasets.base import clips_fingerprint
    from helpers.evaluation.single import accuracy_by, top_k_accuracy, top_k_hits
    from helpers.files import file_fingerprint, write_json

    scores = {
        "n": len(clips),
        "top1": top_k_accuracy(logits, labels, 1),
        "top3": top_k_accuracy(logits, labels, 3),
        "top1_by_family": accuracy_by(np.array(checkpoint.classes)[labels], top_k_hits(logits, labels, 1)),
        "classes": checkpoint.classes,
        "confusion_matrix": matrix.tolist(),
        "unreadable": [clips[index].name for index in unreadable],
        "data_fingerprint": clips_fingerprint(clips),
        "checkpoint": {
            "fingerprint": file_fingerprint(options.checkpoint),
            "model": checkpoint.model,
            "seed": checkpoint.seed,
            "data": checkpoint.data,
        },
    }
    write_json(options.json, scores)


def write_predictions(path, classes, clips, labels, logits) -> None:
    """One line a note as CSV: file, true family, three likeliest families with probabilities (empty: unreadable)."""
    import csv

    import numpy as np

    from helpers.evaluation.single import softmax
    from helpers.files import atomic

    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        ranks = [f"{column}_{rank}" for rank in (1, 2, 3) for column in ("family", "probability")]
        writer.writerow(["file", "true_family", *ranks])
        for clip, label, row in zip(clips, labels, softmax(logits), strict=True):
            best = [] if np.isnan(row).any() else np.argsort(-row)[:3]
            guesses = [cell for index in best for cell in (classes[index], f"{row[index]:.4f}")]
            writer.writerow([clip.member or clip.path.name, classes[label], *guesses])


def run() -> int:
    """Exit code: 0, or 2 with one line on stderr if something handed in cannot be used."""
    options = parse_arguments()
    from helpers.config import InputError

    try:
        main(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(run())
