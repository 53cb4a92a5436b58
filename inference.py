"""Top-1 and top-3 accuracy of a trained checkpoint on an NSynth test folder.

    python inference.py --test_dir path/to/nsynth-test

The folder may be the official one (examples.json and audio/), its parent, a bare folder of .wav or .flac files with
NSynth names, or the official .tar.gz. Everything about the model is in the checkpoint.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def parse_arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="example: python inference.py --test_dir nsynth-test --confusion_matrix confusion.png",
    )
    option = parser.add_argument
    option("--test_dir", type=Path, required=True, metavar="DIR", help="NSynth test folder (or .tar.gz)")
    option("--checkpoint", type=Path, default=ROOT / "checkpoints" / "nsynth.pt", metavar="FILE")
    option("--batch_size", type=positive, default=16, metavar="N", help="notes at a time (default 16)")
    option("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    option("--workers", type=positive, default=os.cpu_count(), metavar="N", help="threads (default: all)")
    option("--confusion_matrix", type=picture, metavar="FILE.png", help="draw the confusion matrix")
    option("--predictions", type=Path, metavar="FILE.csv",
           help="file, true family, top three, probabilities; the notes may be without labels")  # fmt: skip
    option("--json", type=Path, metavar="FILE", help="all scores, per family, with fingerprints")
    return parser.parse_args()


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if not 1 <= number <= 100_000:
        raise argparse.ArgumentTypeError(f"must be between 1 and 100000, not {number}")
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
    from helpers.files import check_writable

    try:
        clips = nsynth.read_folder(options.test_dir)  # before the slow imports: a wrong path is told at once
    except nsynth.NoLabels:
        if not options.predictions or options.json or options.confusion_matrix:
            raise
        clips = nsynth.read_folder(options.test_dir, labelled=False)
    for path in filter(None, (options.json, options.predictions, options.confusion_matrix)):
        check_writable(path)

    from helpers.models.checkpoint import load_checkpoint
    from helpers.prediction import outputs
    from helpers.prediction.clips import best_device, predict

    if options.confusion_matrix:
        outputs.check_drawing("--confusion_matrix")
    checkpoint = load_checkpoint(options.checkpoint, nsynth.TASK)
    classes = checkpoint.classes
    if set(classes) != set(nsynth.FAMILIES):
        raise InputError(f"{options.checkpoint}: knows other families than NSynth's; train it again")
    logits, unreadable = predict(
        checkpoint.network(), clips, checkpoint.sample_rate, checkpoint.seconds,
        batch_size=options.batch_size, device=best_device(options.device), workers=options.workers,
    )  # fmt: skip
    for message in unreadable.values():
        print(f"unreadable, counted as wrong: {message}", file=sys.stderr)
    families = [nsynth.FAMILIES[clip.labels[0]] if clip.labels else "" for clip in clips]
    if options.predictions:
        outputs.write_predictions(options.predictions, clips, classes, families, logits)
    lines = [f"notes: {len(clips)}"] + [f"unreadable: {len(unreadable)}"] * bool(unreadable)
    if any(families):
        if absent := [name for name in classes if name not in families]:
            print(f"families without a note in this test set: {', '.join(absent)}", file=sys.stderr)
        found = outputs.scores(logits, families, clips, classes)
        if options.json:
            outputs.write_scores(options.json, found, checkpoint, options.checkpoint)
        if options.confusion_matrix:
            outputs.write_confusion_matrix(options.confusion_matrix, found)
        lines += [f"top-1 accuracy: {found['top1']:.2%}", f"top-3 accuracy: {found['top3']:.2%}"]
    else:
        lines.append("no accuracies: neither names nor examples.json tell the families")
    print(*lines, sep="\n")


def run() -> int:
    """Exit code: 0; 130 after Ctrl-C; 2 with one line on stderr if something handed in cannot be used."""
    try:
        options = parse_arguments()
        from helpers.config import InputError

        sys.stderr = sys.stderr or io.StringIO()  # None where the shell closed it
        try:
            if sys.stdout is None:
                raise InputError("stdout: is closed; send it to a file")
            main(options)
            sys.stdout.flush()
            return 0
        except (InputError, MemoryError) as error:
            message = str(error) or "not enough memory; use a smaller --batch_size"
        except OSError as error:  # files are told by name as InputError, so this is stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what waits to be written would fail again at the end
            message = f"stdout: cannot be written ({error.strerror or error})"
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(run())
