"""Chinese instruments in films: from film sources to a polyphonic data set, a classifier in time, and tags."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from helpers import commands as cli
from helpers.config import CHECKPOINTS, DATA, InputError

EXAMPLES = cli.epilog(
    "films check data/sources/my_films.json --root /media/films",
    "films build data/sources/my_films.json --root /media/films --out data/films",
    "films preview butterfly --data data/films --out butterfly.png",
    "films train --data data/films --init checkpoints/nsynth.pt --out checkpoints/films.pt",
    "films train --init checkpoints/nsynth.pt --solos ../chinese --solos ../chinese-more --data-root ../data",
    "films tag film.mp4 --checkpoint checkpoints/films.pt --out tags",
    "films import-labels labels.txt --file film.mp4 --id film --title 'Film, 1999' \\\n"
    "      --licence 'own recording' --split train --into data/sources/my_films.json",
    "films schema --out data/sources/schema.json",
)
app = cli.group(
    "Chinese instruments in films: from a list of films and what is played in them (data/sources/FORMAT.md) to a "
    "polyphonic data set, a classifier of instruments in time, and tags for any audio or video file.",
    EXAMPLES,
)
Built = Annotated[Path, cli.folder("built data set", "data/films")]
Root = Annotated[Path | None, cli.folder("that the films lie in", "that of the file")]
Sources = Annotated[Path, typer.Argument(metavar="SOURCES", help="sources file (JSON)")]


def add_to(program: typer.Typer) -> None:
    """Add `films`."""
    program.add_typer(app, name="films", short_help="Chinese instruments in films: check, build, preview, train, tag")


@app.command(epilog=EXAMPLES)
def check(sources: Sources, root: Root = None) -> None:
    """List every fault of a sources file."""
    from helpers.datasets.film_checks import read

    listed, films = read(sources, root or sources.parent)
    hours = sum(film.seconds for film in films) / 3600
    print(f"{sources}: no faults; {len(listed.sources)} films, {len(films)} of them here ({hours:.2f} h)")


@app.command(epilog=EXAMPLES)
def build(sources: Sources, root: Root = None, out: Built = DATA / "films") -> None:
    """Decode the films of a sources file and write the labelled data set."""
    from helpers.datasets import film_builder, films

    manifest = film_builder.build(sources, root or sources.parent, out)
    print(films.table(films.load(out)))
    print(f"wrote {manifest}")


@app.command(epilog=EXAMPLES)
def preview(
    film: Annotated[str, typer.Argument(metavar="FILM", help="id of the film")],
    out: Annotated[Path, cli.file("figure to write (png, svg or pdf)")],
    data: Built = DATA / "films",
) -> None:
    """Draw the labels of a built film over its mel spectrogram."""
    from helpers.datasets import films
    from helpers.experiments.films import picture, stretches
    from helpers.plotting import save_figure

    built = films.load(data)
    chosen = built.film(film)
    tracks = {"labels": stretches(chosen.labels == 1, built.instruments)}
    print(f"wrote {save_figure(picture(chosen.path, tracks, chosen.title), out)}")


@app.command(epilog=EXAMPLES)
def schema(out: Annotated[Path | None, cli.file("to write", "print it")] = None) -> None:
    """Write the JSON Schema of sources files, for editors."""
    import json

    from helpers.datasets.film_sources import schema
    from helpers.files import write_json

    if out is None:
        print(json.dumps(schema(), indent=1))
    else:
        write_json(out, schema())


@app.command("import-labels", epilog=EXAMPLES)
def import_labels(
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="label track (.txt), .TextGrid or .eaf")],
    into: Annotated[Path, cli.file("sources file; it is made if it does not exist")],
    file: Annotated[str, typer.Option(help="film, relative to the root")],
    id: Annotated[str, typer.Option(help="short name of the film")],
    title: Annotated[str, typer.Option(help="title, year")],
    licence: Annotated[str, typer.Option(help="on what ground it may be used")],
    split: Annotated[Literal["train", "valid", "test"], typer.Option(help="side of the film")],
    exhaustive: Annotated[bool, cli.flag("--exhaustive", "nothing plays outside of the labels")] = False,
) -> None:
    """Take labels of Audacity, Praat or ELAN into a sources file."""
    from helpers.datasets.film_sources import take_in

    about = {"id": id, "file": file, "title": title, "licence": licence, "split": split, "exhaustive": exhaustive}
    count = take_in(labels, into, about)
    print(f"{into}: source {id!r} now has {count} segments; look it over with `films check`")


@app.command(epilog=EXAMPLES)
def train(
    data: Built = DATA / "films",
    init: Annotated[Path | None, cli.file("NSynth checkpoint to start from", "random weights")] = None,
    out: Annotated[Path, cli.file("checkpoint", "checkpoints/films.pt")] = CHECKPOINTS / "films.pt",
    solos: Annotated[list[Path], cli.folder("of recordings such as erhu_1.wav, or of chmusic/")] = [],  # noqa: B006
    data_root: Annotated[Path | None, cli.folder("of NSynth, IRMAS, GTZAN: what else sounds", "none")] = None,
    context: Annotated[float, typer.Option(min=0.03, max=60, help="seconds given to the network")] = 3.84,
    epochs: cli.Epochs = 16,
    seed: cli.Seed = 0,
    run_dir: Annotated[Path | None, cli.folder("where a killed run finds its state to go on from")] = None,
) -> None:
    """Train a classifier on a built data set and solos, score it on test films and on players left out in turn."""
    from helpers.experiments.left_out import run
    from helpers.models.checkpoint import save_checkpoint

    save_checkpoint(out, run(data, init, solos, data_root, context, epochs, seed, run_dir, cli.recorded()))
    print(f"wrote {out}")


@app.command(epilog=EXAMPLES)
def tag(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="audio or video file")],
    checkpoint: Annotated[Path, cli.file("of `films train`")],
    out: Annotated[Path, cli.folder("folder of JSON, labels, figure")] = Path("tags"),
    track: Annotated[int, typer.Option(min=0, help="which audio stream of the file, from 0")] = 0,
) -> None:
    """Write what plays when in an audio or video file of any length."""
    from helpers.experiments.films import TASK, tag
    from helpers.models.checkpoint import load_checkpoint

    if not file.is_file():
        raise InputError(f"{file}: no such file; name an audio or video file")
    for name, stretches in tag(file, load_checkpoint(checkpoint, TASK), out, track).items():
        print(f"{name}: {sum(end - start for start, end in stretches):.1f} s in {len(stretches)} stretches")
    print(f"wrote {file.stem}.json, .txt and .png into {out}")
