"""`python -m helpers films`: from film sources to a polyphonic data set, a recogniser, and tags."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from helpers.config import CHECKPOINTS, DATA, InputError

EXAMPLES = """examples:
  python -m helpers films check data/sources/my_films.json --root /media/films
  python -m helpers films build data/sources/my_films.json --root /media/films --out data/films
  python -m helpers films preview butterfly --data data/films --out butterfly.png
  python -m helpers films train --data data/films --init checkpoints/nsynth.pt --out checkpoints/films.pt
  python -m helpers films tag film.mp4 --checkpoint checkpoints/films.pt --out tags
  python -m helpers films import-labels labels.txt --file film.mp4 --id film --title "Film, 1999" \\
      --licence "own recording" --split train --into data/sources/my_films.json
  python -m helpers films schema --out data/sources/schema.json

The sources file is described in data/sources/FORMAT.md."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `films` and its actions."""
    parser = subparsers.add_parser(
        "films", help="Chinese instruments in films: check, build, preview, train, tag",
        description="Chinese instruments in films: from a list of films and what is heard in them to a polyphonic data "
        "set, a recogniser of instruments in time, and tags for any audio or video file.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_sources(actions)
    _add_learning(actions)


def _add(actions: argparse._SubParsersAction, name: str, run, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(run=run)
    return parser


def _add_sources(actions: argparse._SubParsersAction) -> None:
    check = _add(actions, "check", _check, "list every fault of a sources file")
    build = _add(actions, "build", _build, "decode the films of a sources file and write the labelled data set")
    for parser in (check, build):
        parser.add_argument("sources", type=Path, help="sources file (JSON)")
        parser.add_argument("--root", type=Path, help="folder that the films lie in (default: that of the file)")
    build.add_argument("--out", type=Path, default=DATA / "films", help="folder of the data set (default: data/films)")
    preview = _add(actions, "preview", _preview, "draw the labels of a built film over its mel spectrogram")
    preview.add_argument("film", help="id of the film")
    preview.add_argument("--data", type=Path, default=DATA / "films", help="built data set (default: data/films)")
    preview.add_argument("--out", type=Path, required=True, help="figure to write (png, svg or pdf)")
    schema = _add(actions, "schema", _schema, "write the JSON Schema of sources files, for editors")
    schema.add_argument("--out", type=Path, help="file to write (default: print it)")
    labels = _add(actions, "import-labels", _import_labels, "take labels of Audacity, Praat, ELAN into a sources file")
    labels.add_argument("labels", type=Path, help="label track (.txt), .TextGrid or .eaf")
    labels.add_argument("--into", type=Path, required=True, help="sources file; it is made if it does not exist")
    for name, text in (("--file", "film, relative to the root"), ("--id", "short name of the film"),
                       ("--title", "title, year"), ("--licence", "on what ground it may be used")):
        labels.add_argument(name, required=True, help=text)
    labels.add_argument("--split", required=True, choices=("train", "valid", "test"), help="side of the film")
    labels.add_argument("--exhaustive", action="store_true", help="nothing is heard outside of the labels")


def _add_learning(actions: argparse._SubParsersAction) -> None:
    train = _add(actions, "train", _train, "train a recogniser on a built data set, score it on test films")
    train.add_argument("--data", type=Path, default=DATA / "films", help="built data set (default: data/films)")
    train.add_argument("--init", type=Path, help="NSynth checkpoint to start from (default: random weights)")
    train.add_argument("--out", type=Path, default=CHECKPOINTS / "films.pt", help="checkpoint to write")
    train.add_argument("--solos", type=Path, help="data root that holds chmusic/, to mix its solos into the films")
    train.add_argument("--context", type=float, default=3.84, help="seconds given to the network (default: 3.84)")
    train.add_argument("--epochs", type=int, default=16, help="at most so many (default: 16)")
    train.add_argument("--seed", type=int, default=0, help="of weights and batches (default: 0)")
    train.add_argument("--run-dir", type=Path, help="where a killed run finds its state to go on from")
    tag = _add(actions, "tag", _tag, "write what is heard when in an audio or video file of any length")
    tag.add_argument("file", type=Path, help="audio or video file")
    tag.add_argument("--checkpoint", type=Path, required=True, help="of `films train`")
    tag.add_argument("--out", type=Path, default=Path("tags"), help="folder of JSON, labels, figure (default: tags)")
    tag.add_argument("--track", type=int, default=0, help="which audio stream of the file, from 0 (default: 0)")


def _check(options: argparse.Namespace) -> None:
    from helpers.datasets import film_checks as films_checks

    sources, films = _faults_listed(films_checks.read, options.sources, options.root or options.sources.parent)
    hours = sum(film.seconds for film in films) / 3600
    print(f"{options.sources}: no faults; {len(sources.sources)} films, {len(films)} of them here ({hours:.2f} h)")


def _build(options: argparse.Namespace) -> None:
    from helpers.datasets import film_builder as films_build
    from helpers.datasets import films

    manifest = _faults_listed(films_build.build, options.sources, options.root or options.sources.parent, options.out)
    print(films.table(films.load(options.out)))
    print(f"wrote {manifest}")


def _faults_listed(work, *arguments):
    """Do something with a sources file; if it has several faults, print all of them first."""
    from helpers.datasets.film_sources import SourcesError

    try:
        return work(*arguments)
    except SourcesError as error:
        if len(error.faults) > 1:
            print(*error.faults, sep="\n", file=sys.stderr)
        raise


def _preview(options: argparse.Namespace) -> None:
    from helpers.datasets import films
    from helpers.experiments import film_tags
    from helpers.plotting.style import save_figure

    built = films.load(options.data)
    film = built.film(options.film)
    figure = film_tags.picture(film.path, {"labels": film_tags.labelled(film, built.instruments)}, film.title)
    print(f"wrote {save_figure(figure, options.out)}")


def _schema(options: argparse.Namespace) -> None:
    import json

    from helpers.datasets.film_sources import schema
    from helpers.files import write_json

    if options.out is None:
        print(json.dumps(schema(), indent=1))
    else:
        write_json(options.out, schema())


def _import_labels(options: argparse.Namespace) -> None:
    from helpers.datasets import film_annotations as label_files

    count = label_files.take_in(options.labels, options.into, {
        "id": options.id, "file": options.file, "title": options.title, "licence": options.licence,
        "split": options.split, "exhaustive": options.exhaustive,
    })
    print(f"{options.into}: source {options.id!r} now has {count} segments; look it over with `films check`")


def _train(options: argparse.Namespace) -> None:
    from helpers.datasets import chmusic, films, nsynth
    from helpers.experiments import films as study
    from helpers.models.checkpoint import load_checkpoint, save_checkpoint

    built = films.load(options.data)
    notes = load_checkpoint(options.init, nsynth.TASK) if options.init else None
    checkpoint = study.train(
        built, study.recipe(notes is not None, options.epochs, options.seed), notes, options.context,
        chmusic.solos(options.solos, built.instruments) if options.solos else (), options.run_dir,
    )
    if any(film.split == "test" for film in built.films):
        checkpoint.scores = study.report(checkpoint, built)
    checkpoint.command = "python -m helpers " + " ".join(sys.argv[1:])
    save_checkpoint(options.out, checkpoint)
    print(f"wrote {options.out}")


def _tag(options: argparse.Namespace) -> None:
    from helpers.experiments.film_tags import TASK, tag
    from helpers.models.checkpoint import load_checkpoint

    if not options.file.is_file():
        raise InputError(f"{options.file}: no such file; name an audio or video file")
    heard = tag(options.file, load_checkpoint(options.checkpoint, TASK), options.out, options.track)
    for name, stretches in heard.items():
        print(f"{name}: {sum(end - start for start, end in stretches):.1f} s in {len(stretches)} stretches")
    print(f"wrote {options.file.stem}.json, .txt and .png into {options.out}")
