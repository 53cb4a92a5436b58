"""The command line, declared with Typer: a function with annotated parameters is a command, and holds no logic.

Here stand the options that several commands share. Ranges are checked before anything is imported or read.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from helpers.config import DATA


def group(text: str, examples: str) -> typer.Typer:
    """A group of commands (or the program itself) whose help ends with an `epilog`."""
    return typer.Typer(
        help=text, epilog=examples, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )


def epilog(*examples: str) -> str:
    """The end of a help text: one example a line, as it is typed."""
    return "\n".join(["\b\nexamples:", *(f"  python -m helpers {example}" for example in examples)])


def folder(text: str = "", shown: str | bool = True, metavar: str = "DIR") -> typer.models.OptionInfo:
    """An option for a folder; `shown` stands for its default in the help."""
    return typer.Option(metavar=metavar, help=text, show_default=shown)


def flag(name: str, text: str) -> typer.models.OptionInfo:
    """An option that is given or not."""
    return typer.Option(name, help=text)


def names(*choices: str, text: str = "") -> typer.models.OptionInfo:
    """An option that takes names, with commas between them or given more than once; no choices: any names."""

    def check(values: list[str] | None) -> list[str]:
        given = [name.strip() for value in values or () for name in value.split(",") if name.strip()]
        if unknown := [name for name in given if choices and name not in choices]:
            raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(choices)}")
        return given

    return typer.Option(metavar="NAME,NAME", callback=check, show_default="all", help=text or ", ".join(choices))


file = partial(folder, metavar="FILE")  # an option for a file
BudgetName = Annotated[Literal["smoke", "quick", "full"], typer.Option("--budget", help="how much work is done")]
DataRoot = Annotated[Path, folder("folder that holds the corpora", "data/")]
Epochs = Annotated[int, typer.Option(min=1, metavar="N", help="at most so many passes over the training data")]
Metrics = Annotated[Path, folder("metrics/ in it is written", "report/")]
Names = list[str] | None
RecipeEpochs = Annotated[int | None, typer.Option(min=1, metavar="N", show_default="that of the recipe")]
NotesEpochs = Annotated[int | None, typer.Option(min=1, metavar="N", show_default="by the number of notes")]
RunDir = Annotated[Path, folder("state after each epoch, from which the same command goes on", "below data/runs/")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, metavar="N", help="of weights, batches and folds")]
Workers = Annotated[int, typer.Option(min=0, metavar="N", help="processes that read and augment; 0: none beside")]


def recorded(**resolved: Any) -> str:
    """The running command, as it is typed in the project's folder, without what changes no result.

    `resolved` are options whose defaults depend on others.
    """
    from helpers.experiments.common import command_line

    context = typer.main.get_current_context()
    options = {name: value for name, value in sorted(context.params.items()) if name not in ("run_dir", "workers")}
    return command_line(*context.command_path.split()[3:], **options | resolved)


def write(result: Any, path: Path) -> None:
    """Write a metrics file and print what it says."""
    from helpers.evaluation import results
    from helpers.reporting.results import table

    results.write(path, result)
    print(f"{table(result)}\nwrote {path}")


def validation(corpus: str) -> Callable[[Path], int]:
    """The command `validate` of a corpus."""

    def validate(data_root: DataRoot = DATA) -> int:
        """Count clips, and find what is missing, surplus, damaged or wrong; exit code 1 if anything is."""
        from helpers import datasets

        report = datasets.corpus(corpus).validate(data_root)
        print(report)
        return int(bool(report.problems))

    return validate
