"""GTZAN: `genre download`, `validate`, `train`, `table`, `predict`, `similar`, and `augment` of its training tracks."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from helpers import commands as cli
from helpers.commands import DataRoot, Seed
from helpers.config import CHECKPOINTS, DATA, RUNS, InputError

EXAMPLES = cli.epilog(
    "genre download",
    "genre validate --data-root data",
    "genre train --model cnn_2d_4l --split filtered --augment",
    "genre train --split lists --data-root DIR   # by DIR/train_list.txt and DIR/test_list.txt",
    "genre train --model pooled_lda_svm --split all --out checkpoints/gtzan.pt",
    "genre table --split filtered --models cnn_2d_4l,vgg11",
    "genre predict song.mp3 concert.flac",
    "genre similar song.mp3 --in ~/Music",
)
app = cli.group("Music genres on GTZAN: data, training by honest and leaky protocols, prediction, search.", EXAMPLES)

Checkpoint = Annotated[Path, cli.file("checkpoint", "checkpoints/gtzan.pt")]


Genres = Annotated[cli.Names, cli.names(text="`eight`: without blues and rock")]
Optimizer = Annotated[Literal["sgd", "adam", "adamw", "rmsprop"] | None, typer.Option(show_default="sgd, Nesterov")]
Rate = Annotated[float | None, typer.Option(min=1e-7, max=10, metavar="X", show_default="0.01")]
Normalisation = Annotated[Literal["batch", "layer", "instance", "group"] | None, typer.Option(show_default="batch")]


def _job(data_root: Path, split: str, out: Path, genres: list[str] | None, **changes: Any) -> Any:
    """What `train` and `table` share: corpus, split, genres, the document's recipe with what is wanted otherwise."""
    from helpers.datasets import gtzan
    from helpers.experiments.genre_table import GenreConfig, Job

    config = GenreConfig(**{name: value for name, value in changes.items() if value is not None})
    names = tuple(genres or gtzan.GENRES)
    return Job(data_root, split, out, config, gtzan.EIGHT_GENRES if names == ("eight",) else names)


def add_to(program: typer.Typer) -> None:
    """Add `genre` and `augment`."""
    app.command("validate", epilog=EXAMPLES)(cli.validation("gtzan"))
    program.add_typer(app, name="genre", short_help="genres of music: download, validate, train, table, predict, …")
    program.command(epilog=cli.epilog(
        "augment                                  # data/gtzan -> data/gtzan_augmented",
        "augment --split track --seed 1 --out data/gtzan_augmented_track",
        "genre train --model cnn_2d_4l --augmented data/gtzan_augmented",
    ), short_help="GTZAN: ten versions of every training track on disk")(augment)  # fmt: skip


@app.command(epilog=EXAMPLES)
def download(data_root: DataRoot = DATA) -> None:
    """Fetch the archive from the first server that has it, checked, going on where it was cut off."""
    from helpers.datasets import gtzan
    from helpers.datasets.archives import fetch

    first, *others = gtzan.DOWNLOADS.values()
    try:
        path = fetch(first, data_root / "gtzan")
    except InputError as error:
        print(f"{error}; trying {others[0].url}", file=sys.stderr)
        path = fetch(others[0], data_root / "gtzan")
    print(f"{path}: complete; unpack it with `tar -xzf {path} -C {path.parent}`")


@app.command(epilog=EXAMPLES)
def train(
    model: Annotated[str, typer.Option(help="a name of `genre table`")] = "cnn_2d_4l",
    split: Annotated[
        Literal["filtered", "track", "leaky", "lists", "all"],
        typer.Option(help="lists: train_list.txt and test_list.txt in the data root, of tracks or fMRI stimuli; all: "
                     "every track, cross-validated, pooled_* and scattering_svm only"),
    ] = "filtered",
    out: Annotated[Path | None, cli.file("checkpoint", "data/runs/genre/MODEL.pt")] = None,
    augment: Annotated[bool, cli.flag("--augment", "change training windows on the fly")] = False,
    augmented: Annotated[Path | None, cli.folder("train on the copies of `augment` too")] = None,
    data_root: DataRoot = DATA,
    genres: Genres = None,
    epochs: cli.RecipeEpochs = None,
    optimizer: Optimizer = None,
    learning_rate: Rate = None,
    normalisation: Normalisation = None,
    seed: Seed = 0,
) -> None:  # fmt: skip
    """Train a model, score it once on test tracks, write a checkpoint."""
    from helpers.experiments import genre_files

    job = _job(data_root, split, out or RUNS / "genre" / f"{model}.pt", genres, epochs=epochs, optimizer=optimizer,
               learning_rate=learning_rate, normalisation=normalisation, seed=seed)  # fmt: skip
    print(genre_files.train_checkpoint(model, job, augment, augmented, cli.recorded()))


@app.command(epilog=EXAMPLES)
def table(
    models: Annotated[cli.Names, cli.names(text="only these")] = None,
    split: Literal["filtered", "track"] = "filtered",
    out: Annotated[Path, cli.folder("rows and table", "data/runs/genre/table")] = RUNS / "genre" / "table",
    data_root: DataRoot = DATA,
    genres: Genres = None,
    epochs: cli.RecipeEpochs = None,
    optimizer: Optimizer = None,
    learning_rate: Rate = None,
    normalisation: Normalisation = None,
    seed: Seed = 0,
) -> None:
    """Train all models without and with augmentation; the table, again after each row, as soon as it is done."""
    from helpers.experiments import genre_table

    job = _job(data_root, split, out, genres, epochs=epochs, optimizer=optimizer, learning_rate=learning_rate,
               normalisation=normalisation, seed=seed)  # fmt: skip
    for text in genre_table.run(job, models):
        print(text, flush=True)


@app.command(epilog=EXAMPLES)
def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    checkpoint: Checkpoint = CHECKPOINTS / "gtzan.pt",
) -> int:
    """The three likeliest genres of audio files of any length; exit code 2 if some could not be used."""
    from helpers.experiments import genre_files
    from helpers.models.checkpoint import load_checkpoint

    loaded, failures = load_checkpoint(checkpoint, "gtzan"), 0
    for found in genre_files.predict_files(loaded, files):
        if isinstance(found, InputError):
            failures += 1
            print(f"error: {found}", file=sys.stderr)
            continue
        print(f"{found.path}: {', '.join(f'{genre} {p:.0%}' for genre, p in [*found.genres.items()][:3])}", flush=True)
    return 2 if failures else 0


@app.command(epilog=EXAMPLES)
def similar(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="folder that is searched")],
    count: Annotated[int, typer.Option(min=1, help="how many")] = 5,
    checkpoint: Checkpoint = CHECKPOINTS / "gtzan.pt",
) -> None:
    """The files of a folder that sound most like one; what cannot be used is named on stderr."""
    from helpers.experiments import genre_files
    from helpers.models.checkpoint import load_checkpoint

    near, failures = genre_files.similar(load_checkpoint(checkpoint, "gtzan"), file, folder)
    for failure in failures:
        print(f"left out: {failure}", file=sys.stderr)
    for cosine, path in near[:count]:
        print(f"{cosine:+.3f}  {path}")


def augment(
    data_root: DataRoot = DATA,
    split: Annotated[Literal["filtered", "track"], typer.Option(help="whose training tracks")] = "filtered",
    out: Annotated[Path, cli.folder("is written", "data/gtzan_augmented")] = DATA / "gtzan_augmented",
    seed: Seed = 0,
) -> None:
    """Write ten versions of each training track or fMRI stimulus (noise, shift, pitch, …), the lists and a figure.

    GTZAN is split first. What is there already is left as it is, so that the same command goes on after a kill.
    """
    from helpers.experiments import genre_files
    from helpers.plotting import save_figure
    from helpers.plotting.spectrograms import augmentation_figure

    count, first = genre_files.write_augmented(data_root, split, out, seed)
    figure = augmentation_figure(*genre_files.examples(first, seed), genre_files.SHOWN_S)
    save_figure(figure, out / "augmentation.png")
    print(f"{out}: {count} files, train_list.txt, augmentation.png; next: python -m helpers genre train "
          f"--augmented {out}")  # fmt: skip
