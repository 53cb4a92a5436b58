"""The command line, declared with Typer: a function with annotated parameters is a command, and holds no logic.

Here stand the options that several commands share. Ranges are checked before anything is imported or read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from helpers.config import CHECKPOINTS

LARGEST_SEED = 2**32 - 1  # NumPy takes no larger one

BudgetName = Annotated[Literal["smoke", "quick", "full"], typer.Option("--budget", help="how much work is done")]
DataRoot = Annotated[Path, typer.Option(metavar="DIR", show_default="data/", help="folder that holds the corpora")]
Epochs = Annotated[int, typer.Option(min=1, metavar="N", help="at most so many passes over the training data")]
RecipeEpochs = Annotated[int | None, typer.Option(min=1, metavar="N", show_default="that of the recipe")]
RunDir = Annotated[
    Path, typer.Option(metavar="DIR", show_default="below runs/", help="keeps the state after each epoch; the same "
                       "command goes on from there")
]  # fmt: skip
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, metavar="N", help="of weights, batches and folds")]
Workers = Annotated[int, typer.Option(min=0, metavar="N", help="processes that read and augment; 0: none beside")]


def group(text: str, *examples: str) -> typer.Typer:
    """A group of commands (or the program itself) whose help ends with examples."""
    return typer.Typer(
        help=text, epilog=epilog(*examples), rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )


def epilog(*examples: str) -> str:
    """The end of a help text: one example a line, as it is typed."""
    return "\n".join(["\b\nexamples:", *(f"  python -m helpers {example}" for example in examples)])


def several(*choices: str) -> Callable[[list[str] | None], list[str]]:
    """A check of options that take names, with commas between them or given more than once; no choices: any names."""

    def check(values: list[str] | None) -> list[str]:
        names = [name.strip() for value in values or () for name in value.split(",") if name.strip()]
        if unknown := [name for name in names if choices and name not in choices]:
            raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(choices)}")
        return names

    return check


def checkpoint_at(name: str) -> typer.models.OptionInfo:
    """An option for a checkpoint that lies in checkpoints/ unless it is said where."""
    return typer.Option(metavar="FILE", show_default=f"{CHECKPOINTS.name}/{name}")
