"""IRMAS and ChMusic: `irmas …` (which instruments play), `predominant` (the most prominent one), `chmusic …`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from helpers import commands as cli
from helpers.commands import DataRoot, Metrics, Seed
from helpers.config import CHECKPOINTS, DATA, REPORT, RUNS, InputError

IRMAS = cli.epilog(
    "irmas download",
    "irmas validate --data-root data",
    "irmas train --out checkpoints/irmas_multilabel.pt",
    "irmas train --loss focal --no-mixing --epochs 20 --out focal.pt",
    "irmas evaluate --checkpoint checkpoints/irmas_multilabel.pt --pool mean",
    "irmas predict --audio song.wav --checkpoint checkpoints/irmas_multilabel.pt",
)
PREDOMINANT = cli.epilog(
    "predominant --audio ../shared/data/irmas --checkpoint checkpoints/irmas.pt",
    "predominant train --data-root ../shared/data --out checkpoints/irmas.pt",
    "predominant train --model three_band --panns Cnn10_mAP=0.380.pth --out three_band.pt",
)
CHMUSIC = cli.epilog("chmusic validate --data-root data", "chmusic compare --data-root data --budget full")
irmas = cli.group("IRMAS, multi-label: any number of eleven instruments in a recording.", IRMAS)
predominant = cli.group("The most prominent instrument of every recording, and training for it.", PREDOMINANT)
chmusic = cli.group("ChMusic: eleven Chinese instruments; pieces 1 to 4 train, piece 5 tests.", CHMUSIC)

MULTILABEL, PREDOMINANT_FILE = CHECKPOINTS / "irmas_multilabel.pt", CHECKPOINTS / "irmas.pt"
Multilabel = Annotated[Path, cli.file("checkpoint", "checkpoints/irmas_multilabel.pt")]
Predominant = Annotated[Path, cli.file("checkpoint", "checkpoints/irmas.pt")]
Model = Literal[
    "instrument_statistics", "cnn_var_time", "three_band", "nine_branch", "panns_cnn6", "panns_cnn10", "panns_cnn14"
]
Pool = Annotated[
    Literal["mean", "max", "sum"],
    typer.Option(help="over the windows of a recording; sum: relative to its most certain instrument"),
]


def add_to(program: typer.Typer) -> None:
    """Add `irmas`, `predominant` and `chmusic`."""
    irmas.command("validate", epilog=IRMAS)(cli.validation("irmas"))
    chmusic.command("validate", epilog=CHMUSIC)(cli.validation("chmusic"))
    program.add_typer(irmas, name="irmas", short_help="which instruments play: download, validate, train, …")
    program.add_typer(predominant, name="predominant", short_help="the predominant instrument of each recording")
    program.add_typer(chmusic, name="chmusic", short_help="eleven Chinese instruments: validate, compare")


@irmas.command(epilog=IRMAS)
def download(data_root: DataRoot = DATA) -> None:
    """Fetch the four archives from Zenodo, checked, and unpack them."""
    from helpers.datasets.irmas import download

    download(data_root)


@irmas.command("train", epilog=IRMAS)
def train_irmas(
    data_root: DataRoot = DATA,
    loss: Literal["bce", "focal", "asymmetric"] = "bce",
    no_mixing: Annotated[bool, cli.flag("--no-mixing", "do not sum clips and unite their labels")] = False,
    epochs: cli.Epochs = 30,
    max_clips: Annotated[int, typer.Option(min=1, show_default="all", help="that are trained on")] = 10**9,
    seed: Seed = 0,
    out: Multilabel = MULTILABEL,
    run_dir: cli.RunDir = RUNS / "irmas",
) -> None:
    """Train on the single-label clips; choose epoch and thresholds on recordings that are kept apart."""
    from helpers.experiments import irmas as study
    from helpers.models.checkpoint import save_checkpoint

    clips, valid = study.recordings(data_root, max_clips, seed)
    trained = study.train(clips, valid, study.recipe(epochs, seed, loss), not no_mixing, run_dir)
    save_checkpoint(out, study.checkpoint_of(trained, data_root, cli.recorded()))
    print(", ".join(f"{name} {value:.3f}" for name, value in trained.validation.items()), "on validation mixtures")
    print(f"wrote {out}")


@irmas.command(epilog=IRMAS)
def evaluate(
    data_root: DataRoot = DATA, checkpoint: Multilabel = MULTILABEL, pool: Pool = "mean", out: Metrics = REPORT
) -> None:
    """Score a checkpoint on the test excerpts; writes metrics/irmas_evaluation.json."""
    from helpers.experiments.irmas import evaluation

    cli.write(evaluation(checkpoint, data_root, pool, cli.recorded()), out / "metrics" / "irmas_evaluation.json")


@irmas.command("predict", epilog=IRMAS)
def predict_irmas(
    audio: Annotated[Path, typer.Option(metavar="PATH", help="a file, or a folder of them")],
    checkpoint: Multilabel = MULTILABEL,
    pool: Pool = "mean",
) -> None:
    """Print the instruments of audio files of any length, most certain first."""
    from helpers.datasets.irmas import audio_files
    from helpers.experiments.irmas import TASK, excerpt_scores
    from helpers.models.checkpoint import load_checkpoint

    loaded = load_checkpoint(checkpoint, TASK)
    if not loaded.thresholds:
        raise InputError(f"{checkpoint}: names one instrument only; use `python -m helpers predominant`")
    network = loaded.network()
    for path in sorted(audio_files(audio)) if audio.is_dir() else [audio]:
        scores = zip(excerpt_scores(loaded, network, path, pool), loaded.classes, loaded.thresholds, strict=True)
        found = sorted((-score, name) for score, name, threshold in scores if score > threshold)
        print(f"{path}: " + (", ".join(f"{name} {-score:.2f}" for score, name in found) or "none"))


@predominant.callback(invoke_without_command=True)
def predict_predominant(
    context: typer.Context,
    audio: Annotated[Path | None, cli.folder("folder of recordings, or one file")] = None,
    checkpoint: Predominant = PREDOMINANT_FILE,
) -> None:
    """Print truth and top prediction of every recording in a folder, the running accuracy, and the summary.

    A prediction is correct if it is among the labels in the .txt beside the file, or else is its folder's name.
    """
    if context.invoked_subcommand:
        return
    if audio is None:
        raise InputError("--audio: missing; give a folder of recordings")
    from helpers.experiments.predominant import spoken_predictions

    for line in spoken_predictions(audio, checkpoint):
        print(line, flush=True)


@predominant.command("train", epilog=PREDOMINANT)
def train_predominant(
    data_root: DataRoot = DATA,
    model: Model = "instrument_statistics",
    panns: Annotated[Path | None, cli.file("published weights to start from; frozen for four epochs")] = None,
    epochs: cli.RecipeEpochs = None,
    seed: Seed = 0,
    out: Predominant = PREDOMINANT_FILE,
    run_dir: cli.RunDir = RUNS / "predominant",
) -> None:
    """Train on IRMAS: a linear classifier with help from NSynth notes, or a network, which may start from PANNs."""
    from helpers.experiments import predominant as study
    from helpers.experiments.irmas import train_network
    from helpers.models.checkpoint import save_checkpoint

    if model == study.MODEL:
        checkpoint = study.train(data_root, seed, cli.recorded())
    else:
        checkpoint = train_network(data_root, model, panns, epochs, seed, run_dir, cli.recorded())
    save_checkpoint(out, checkpoint, half=model != study.MODEL)  # a fitted layer is exact or wrong
    print("; ".join(f"{name}: {value}" for name, value in checkpoint.scores.items()))
    print(f"wrote {out}")


@chmusic.command(epilog=CHMUSIC)
def compare(
    data_root: DataRoot = DATA, budget: cli.BudgetName = "quick", seed: Seed = 0, out: Metrics = REPORT
) -> None:
    """Score k-NN on MFCCs with majority vote, and a CNN, on piece 5; writes metrics/04_chmusic.json."""
    from helpers.experiments import chmusic as study

    cli.write(study.compare(data_root, budget, seed, cli.recorded()), out / "metrics" / "04_chmusic.json")
