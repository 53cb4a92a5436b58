"""NSynth: `nsynth download`, `validate`, `train`, `crossvalidate`, and `classic` machine learning on its notes."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from helpers import commands as cli
from helpers.commands import DataRoot, Metrics, Seed, Workers
from helpers.config import CHECKPOINTS, DATA, REPORT, RUNS

EXAMPLES = cli.epilog(
    "nsynth download --split test",
    "nsynth validate --data-root data",
    "nsynth train                        # data/nsynth-train -> checkpoints/nsynth.pt",
    "nsynth train --compression linear --out checkpoints/nsynth_linear.pt",
    "nsynth crossvalidate --folds 3",
    "nsynth networks --data-root ../shared/data",
    "classic --data-root ../shared/data",
    "classic --jobs 1 --budget quick",
    "classic --dask tcp://127.0.0.1:8786     # a cluster that sees the same files",
)
app = cli.group(
    "NSynth: the families of single notes. `torchrun --nproc-per-node 2 -m helpers nsynth train` trains data-parallel.",
    cli.epilog("nsynth train --help"),
)
SHIPPED = CHECKPOINTS / "nsynth.pt"
Compression = Annotated[Literal["log", "linear"], typer.Option(help="of the mel spectrogram")]


def add_to(program: typer.Typer) -> None:
    """Add `nsynth` and `classic`."""
    app.command("validate", epilog=EXAMPLES)(cli.validation("nsynth"))
    program.add_typer(app, name="nsynth", short_help="families of notes: download, validate, train, cross-validate")
    program.command(epilog=EXAMPLES, short_help="families of notes by classic machine learning")(classic)


@app.command(epilog=EXAMPLES)
def download(
    data_root: DataRoot = DATA, split: Annotated[cli.Names, cli.names("train", "valid", "test")] = None
) -> None:
    """Fetch the official archives, checked, going on where it was cut off."""
    from helpers.datasets import nsynth
    from helpers.datasets.archives import fetch

    for name in split or nsynth.DOWNLOADS:
        path = fetch(nsynth.DOWNLOADS[name], data_root)
        print(f"{path}: complete; for training unpack it with `tar -xzf {path} -C {data_root}`")


@app.command(epilog=EXAMPLES)
def train(
    data_root: DataRoot = DATA,
    out: Annotated[Path, cli.file("checkpoint", "checkpoints/nsynth.pt")] = SHIPPED,
    run_dir: cli.RunDir = RUNS / "nsynth",
    model: Annotated[str, typer.Option(help="see helpers/models/notes.py")] = "compact_cnn",
    members: Annotated[int, typer.Option(min=1, max=20, help="networks of different seeds that are averaged")] = 1,
    mixup: Annotated[bool, cli.flag("--mixup", "mix pairs of notes; with few notes it costs accuracy")] = False,
    compression: Compression = "log",
    epochs: cli.NotesEpochs = None,
    seed: Seed = 0,
    workers: Workers = 2,
) -> None:
    """Train on nsynth-train, score nsynth-valid and, once, nsynth-test, write a checkpoint.

    On log mel a CNN is averaged with logistic regression on statistics of notes; on linear mel it stays alone.
    """
    from helpers.experiments import hybrid

    hybrid.run(data_root, out, run_dir, model, members, mixup, compression, epochs, seed, workers, cli.recorded())


@app.command(epilog=EXAMPLES)
def crossvalidate(
    data_root: DataRoot = DATA,
    folds: Annotated[int, typer.Option(min=2, max=20, help="parts that are left out in turn")] = 3,
    epochs: cli.NotesEpochs = None,
    compression: Compression = "log",
    seed: Seed = 0,
    workers: Workers = 2,
    checkpoint: Annotated[Path | None, cli.file("judged on nsynth-valid", "the shipped one")] = None,
    run_dir: cli.RunDir = RUNS / "nsynth",
    out: Metrics = REPORT,
) -> None:
    """What is to be expected on other instruments, weighted by kind; writes metrics/03_crossvalidation.json.

    With --compression linear the CNN alone, to metrics/03_crossvalidation_linear.json.
    """
    from helpers.experiments import hybrid

    path = checkpoint or hybrid.SHIPPED[compression]
    command = cli.recorded(checkpoint=path)
    hybrid.crossvalidate(data_root, compression, folds, epochs, seed, workers, run_dir, path, out, command)


@app.command(epilog=EXAMPLES)
def networks(
    data_root: DataRoot = DATA,
    epochs: cli.NotesEpochs = None,
    channels: Annotated[int, typer.Option(min=1, metavar="N", help="of the short-chunk CNNs; published: 128")] = 128,
    seed: Seed = 0,
    workers: Workers = 2,
    run_dir: cli.RunDir = RUNS / "nsynth",
    out: Metrics = REPORT,
) -> None:
    """The homework's networks trained alike: short-chunk CNNs, transformer; writes metrics/03_networks.json."""
    from helpers.experiments import hybrid, nsynth

    notes = nsynth.load_notes(data_root)
    config = nsynth.recipe(epochs, seed, len(notes.train), workers)
    result = hybrid.compare_networks(notes, config, channels, run_dir / "networks", cli.recorded())
    cli.write(result, out / hybrid.NETWORKS_FILE)


def _not_zero(jobs: int) -> int:
    if jobs == 0:
        raise typer.BadParameter("0 processes do nothing; -1: one for each core")
    return jobs


def classic(
    data_root: Annotated[Path | None, cli.folder("folder that holds NSynth", "data/")] = None,
    budget: cli.BudgetName = "full",
    jobs: Annotated[int, typer.Option(min=-1, callback=_not_zero, help="processes; -1: one for each core")] = -1,
    dask: Annotated[str, typer.Option(metavar="ADDRESS", help="work on the Dask cluster of this scheduler")] = "",
    models: Annotated[Path, cli.folder("where the models go", "data/runs/classic/")] = RUNS / "classic",
    out: Metrics = REPORT,
    seed: Seed = 0,
) -> None:
    """Pooled features (cached), six classic models, the choice among them without test notes, and test scores."""
    from helpers.experiments import classic as study

    study.run(data_root, budget, jobs, dask, models, out, seed, cli.recorded())
