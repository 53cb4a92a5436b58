"""`python -m helpers results`: the tables of README.txt and checkpoints/README.txt from metrics and checkpoints."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.config import CHECKPOINTS, REPORT, ROOT, InputError

BEGIN, END = "[table written by `python -m helpers results`]", "[end of the table]"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `results`."""
    parser = subparsers.add_parser(
        "results",
        help="write the result tables of README.txt and checkpoints/README.txt",
        description="Write the result tables of README.txt and checkpoints/README.txt from report/metrics/ and the "
        "recipes inside the checkpoints, so that no number is typed by hand.",
        epilog="example: python -m helpers run --budget full && python -m helpers results",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Rewrite both tables.

    Raises:
        InputError: README.txt has lost the two lines between which its table stands.
    """
    from helpers.files import write_text

    readme = ROOT / "README.txt"
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{readme}: the lines {BEGIN!r} and {END!r} are missing; put them where the table belongs")
    write_text(readme, f"{before}{begin}\n\n{results_table(REPORT / 'metrics')}\n{end}{after}")
    write_text(CHECKPOINTS / "README.txt", checkpoints_page(CHECKPOINTS))
    print(f"{readme.name} and checkpoints/README.txt written")


def results_table(folder: Path) -> str:
    """One block for each metrics file: task, data, n, groups, budget, every system, and the baselines.

    Of the measures those are shown that a baseline has too; the rest stands in the file.
    """
    from helpers.evaluation import results as metrics

    blocks = []
    for path in sorted(folder.glob("*.json")):
        result = metrics.read(path)
        if not result.scores:
            continue
        measured = {name: {k: s.model_dump() for k, s in row.items()} for name, row in result.scores.items()}
        groups = f"{result.groups} {result.group_kind}{'s' * (result.groups > 1)}"
        lines = [
            f"{result.title}",
            f"    {result.corpus}, {result.data}, n={result.n}, {groups}, budget {result.budget}  ({path.name})",
        ]
        lines += [f"    {name}: {_line(scores)}" for name, scores in _compared(measured, result.baselines).items()]
        lines += [f"    baseline, {name}: {_line(scores)}" for name, scores in result.baselines.items()]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def checkpoints_page(folder: Path) -> str:
    """What each shipped checkpoint is, from the recipe that it carries."""
    from helpers.models.checkpoint import describe, load_any

    written = "Written by `python -m helpers results` from the recipes in the files."
    lines = ["Checkpoints", "===========", "", written, ""]
    for path in sorted(folder.glob("*.pt")):
        recipe = describe(load_any(path))
        baselines = recipe["scores"].get("baselines", {})
        data = ", ".join(f"{key} {value}" for key, value in recipe["data"].items())
        lines += [
            f"{path.name}  ({path.stat().st_size / 1e6:.1f} MB)",
            f"    task     {recipe['task']}: {', '.join(recipe['classes'])}",
            f"    model    {recipe['model']}, seed {recipe['seed']}",
            f"    data     {data}",
            f"    command  {recipe['command']}",
        ]
        lines += [f"    {name}: {value}" for name, value in _leaves(_compared(recipe["scores"], baselines))]
        lines.append("")
    return "\n".join(lines)


def _compared(scores: Mapping[str, Any], baselines: Mapping[str, Mapping[str, float]]) -> Mapping[str, Any]:
    """Scores by system without the measures that no baseline has; all of them where there are no baselines."""
    measures = {measure for row in baselines.values() for measure in row}
    if not measures or not all(isinstance(row, Mapping) for row in scores.values()):
        return scores
    chosen = {name: {k: v for k, v in row.items() if k in measures} for name, row in scores.items()}
    return {name: chosen[name] or row for name, row in scores.items()}


def _line(scores: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in _leaves(scores))


def _leaves(scores: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Scores of a recipe, however deep, as (name, text)."""
    for name, value in scores.items():
        if isinstance(value, Mapping) and {"value", "low", "high"} <= value.keys():
            yield f"{prefix}{name}", _interval(value)
        elif isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name} ")
        elif isinstance(value, float):
            yield f"{prefix}{name}", f"{value:.3f}"
        else:
            yield f"{prefix}{name}", str(value)


def _interval(score: Mapping[str, float]) -> str:
    """Value and interval; a single group, or groups without a difference, give none."""
    if score["low"] == score["high"] == score["value"]:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
