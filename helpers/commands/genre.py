"""`python -m helpers genre …`: GTZAN download and validation, training, the table of models, prediction, search."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from helpers.config import CHECKPOINTS, DATA, ROOT, InputError

EXAMPLES = """examples:
  python -m helpers genre download
  python -m helpers genre validate --data-root data
  python -m helpers genre train --model cnn_2d_4l --split filtered --augment
  python -m helpers genre train --split lists --data-root DIR   by DIR/train_list.txt and DIR/test_list.txt
  python -m helpers genre train --model pooled_committee --split all --out checkpoints/gtzan.pt
  python -m helpers genre table --split filtered             all models, a row as soon as it is done
  python -m helpers genre predict song.mp3 concert.flac
  python -m helpers genre similar song.mp3 --in ~/Music
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `genre` and its actions."""
    parser = subparsers.add_parser(
        "genre", help="GTZAN: genres of music", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Music genres on GTZAN: data, training by honest and by leaky protocols, prediction, search.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (("download", download, "fetch GTZAN, checked, going on where it was cut off"),
                            ("validate", validate, "what is missing, damaged or surplus")):
        _add_root(_add(actions, name, run, text))
    _add_training(actions)
    _add_files(actions)


def _add(actions: argparse._SubParsersAction, name: str, run, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(run=run)
    return parser


def _add_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-root", type=Path, default=DATA, metavar="DIR", help="folder that holds gtzan/genres")


def _add_training(actions: argparse._SubParsersAction) -> None:
    train_parser = _add(actions, "train", train, "train a model, score it once on test tracks, write a checkpoint")
    train_parser.add_argument("--model", default="cnn_2d_4l", help="a name of `genre table` (default: cnn_2d_4l)")
    train_parser.add_argument("--split", choices=("filtered", "track", "leaky", "lists", "all"),
                              default="filtered",
                              help="lists: train_list.txt and test_list.txt in the data root, of tracks or fMRI "
                              "stimuli; all: every track, cross-validated, pooled_* and scattering_svm only")
    train_parser.add_argument("--out", type=Path, metavar="FILE", help="checkpoint (default: runs/genre/MODEL.pt)")
    train_parser.add_argument("--augment", action="store_true", help="change training windows on the fly")
    train_parser.add_argument("--augmented", type=Path, metavar="DIR", help="train on the copies of `augment` too")
    table_parser = _add(actions, "table", table, "train all models without and with augmentation; the document's table")
    table_parser.add_argument("--models", nargs="+", metavar="NAME", help="only these (default: all)")
    table_parser.add_argument("--split", choices=("filtered", "track"), default="filtered")
    table_parser.add_argument("--out", type=Path, default=ROOT / "runs" / "genre" / "table", metavar="DIR")
    for parser in (train_parser, table_parser):
        _add_root(parser)
        parser.add_argument("--genres", nargs="+", metavar="GENRE", help="only these; `eight`: without blues and rock")
        parser.add_argument("--epochs", type=int, help="at most so many (default: 100, stopping early)")
        parser.add_argument("--optimizer", choices=("sgd", "adam", "adamw", "rmsprop"), help="default: sgd, Nesterov")
        parser.add_argument("--learning-rate", type=float, help="default: 0.01")
        parser.add_argument("--normalisation", choices=("batch", "layer", "instance", "group"), help="default: batch")
        parser.add_argument("--seed", type=int, help="default: 0")


def _add_files(actions: argparse._SubParsersAction) -> None:
    predict_parser = _add(actions, "predict", predict, "the three likeliest genres of audio files of any length")
    predict_parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    similar_parser = _add(actions, "similar", similar, "the files of a folder that sound most like one")
    similar_parser.add_argument("file", type=Path)
    similar_parser.add_argument("--in", type=Path, required=True, dest="folder", metavar="DIR")
    similar_parser.add_argument("--count", type=int, default=5, help="how many (default: 5)")
    for parser in (predict_parser, similar_parser):
        parser.add_argument("--checkpoint", type=Path, default=CHECKPOINTS / "gtzan.pt", metavar="FILE")


def download(options: argparse.Namespace) -> None:
    """Fetch the archive from the first server that has it."""
    from helpers.datasets import gtzan
    from helpers.datasets.download import fetch

    first, *others = gtzan.DOWNLOADS
    try:
        path = fetch(first, options.data_root / "gtzan")
    except InputError as error:
        print(f"{error}; trying {others[0].url}", file=sys.stderr)
        path = fetch(others[0], options.data_root / "gtzan")
    print(f"{path}: complete; unpack it with `tar -xzf {path} -C {path.parent}`")


def validate(options: argparse.Namespace) -> int:
    """Print what is wrong with the corpus; exit code 1 if anything is."""
    from helpers.datasets import gtzan

    report = gtzan.validate(options.data_root)
    print(report)
    return int(bool(report.problems))


def train(options: argparse.Namespace) -> None:
    """Train one model and say what it scores."""
    from helpers.experiments import genre_train

    out = options.out or ROOT / "runs" / "genre" / f"{options.model}.pt"
    print(genre_train.run(options.model, options.data_root, options.split, out, _config(options), _genres(options),
                          options.augment, options.augmented))


def table(options: argparse.Namespace) -> None:
    """Train what has no row yet and print the table after each row."""
    from helpers.experiments import genre_table

    job = genre_table.Job(options.data_root, options.split, options.out, _config(options), _genres(options))
    for text in genre_table.run(job, options.models):
        print(text, flush=True)


def predict(options: argparse.Namespace) -> int:
    """One line a file; 2 if some could not be used."""
    from helpers.experiments.genre_files import hear
    from helpers.models.checkpoint import load_checkpoint

    checkpoint, failures = load_checkpoint(options.checkpoint, "gtzan"), 0
    for heard in hear(checkpoint, options.files):
        if isinstance(heard, InputError):
            failures += 1
            print(f"error: {heard}", file=sys.stderr)
            continue
        likeliest = ", ".join(f"{genre} {p:.0%}" for genre, p in heard.top(checkpoint.classes))
        print(f"{heard.path}: {likeliest}", flush=True)
    return 2 if failures else 0


def similar(options: argparse.Namespace) -> None:
    """One line for each of the nearest files; files that cannot be used are named on stderr."""
    from helpers.experiments import genre_files
    from helpers.models.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(options.checkpoint, "gtzan")
    query = next(genre_files.hear(checkpoint, [options.file]))
    if isinstance(query, InputError):
        raise query
    others = []
    for heard in genre_files.hear(checkpoint, genre_files.audio_files(options.folder)):
        if isinstance(heard, InputError):
            print(f"left out: {heard}", file=sys.stderr)
        else:
            others.append(heard)
    for path, cosine in genre_files.similar(query, others, options.count):
        print(f"{cosine:+.3f}  {path}")


def _config(options: argparse.Namespace):
    """The document's recipe with what was asked for otherwise."""
    from dataclasses import replace

    from helpers.experiments.genre_recipe import GenreConfig

    names = ("epochs", "optimizer", "learning_rate", "normalisation", "seed")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return replace(GenreConfig(), **given)


def _genres(options: argparse.Namespace) -> tuple[str, ...]:
    from helpers.datasets import gtzan

    if options.genres is None:
        return gtzan.GENRES
    return gtzan.EIGHT_GENRES if options.genres == ["eight"] else tuple(options.genres)
