"""Result tables as text, from metrics and checkpoints: README.txt, report/RESULTS.txt and checkpoints/README.txt."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.config import InputError
from helpers.evaluation import results as metrics
from helpers.evaluation import score_text
from helpers.evaluation.results import Result
from helpers.files import write_text

BEGIN, END = "[table written by `python -m helpers results`]", "[end of the table]"
CROSSVALIDATED = "03_crossvalidation.json"
COMPARED = "03_networks.json"  # networks beside the one that is told of: not in the README
MAIN_METRICS = ("top1", "accuracy", "segment_micro_f1", "micro_f1", "hit_at_1")  # the first that is there tells


def write_tables(root: Path) -> list[Path]:
    """Write the three tables of a project; returns their files.

    Raises:
        InputError: README.txt has lost the two lines between which its table stands, or a metrics file is malformed.
    """
    readme, long, checkpoints = root / "README.txt", root / "report" / "RESULTS.txt", root / "checkpoints"
    results = read_all(root / "report" / "metrics")
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{readme}: the lines {BEGIN!r} and {END!r} are missing; put them where the table belongs")
    main = {name: result for name, result in results.items() if name != COMPARED}
    write_text(readme, f"{before}{begin}\n\n{short_table(main)}\n{end}{after}")
    write_text(long, results_page(results))
    write_text(checkpoints / "README.txt", checkpoints_page(checkpoints, results))
    return [readme, long, checkpoints / "README.txt"]


def read_all(folder: Path) -> dict[str, Result]:
    """The results in a folder of metrics files that have scores, by file name."""
    found = {path.name: metrics.read(path) for path in sorted(folder.glob("*.json"))}
    return {name: result for name, result in found.items() if result.scores}


def main_score(result: Result) -> tuple[str, str]:
    """System and measure that a result is told by: the one chosen before the test, otherwise the first."""
    chosen = result.details.get("chosen") or result.details.get("best_on_validation")
    system = chosen if chosen in result.scores else next(iter(result.scores))
    measures = result.scores[system]
    return system, next((name for name in MAIN_METRICS if name in measures), next(iter(measures)))


def short_table(results: Mapping[str, Result]) -> str:
    """A row for each result: task, data, n, the main score with its interval, and the best trivial answer."""
    rows = [("task", "data", "n", "score [95 % interval]", "baseline")]
    for result in results.values():
        system, measure = main_score(result)
        baseline = max((row[measure] for row in result.baselines.values() if measure in row), default=None)
        score = score_text(result.scores[system][measure].model_dump())
        rows.append((result.title, f"{result.corpus}, {result.data}", str(result.n), f"{measure} {score}",
                     "none" if baseline is None else f"{baseline:.3f}"))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def results_page(results: Mapping[str, Result]) -> str:
    """Every system of every result."""
    head = "Results\n=======\n\nWritten by `python -m helpers results` from report/metrics/.\n"
    blocks = (f"\n{table(result)}\n    ({name}; {result.command})\n" for name, result in results.items())
    return head + "".join(blocks)


def table(result: Result) -> str:
    """Task, data, n, groups, budget, every system with its intervals, and the baselines.

    Of the measures those are shown that a baseline has too; the rest stands in the metrics file.
    """
    scores = {name: {k: s.model_dump() for k, s in row.items()} for name, row in result.scores.items()}
    groups = f"{result.groups} {result.group_kind}{'s' * (result.groups > 1)}"
    lines = [f"{result.corpus}, {result.data}, n={result.n}, {groups}, budget {result.budget}"]
    lines += [f"{name}: {_line(row)}" for name, row in _compared(scores, result.baselines).items()]
    lines += [f"baseline, {name}: {_line(row)}" for name, row in result.baselines.items()]
    return "\n    ".join([result.title, *lines])


def checkpoints_page(folder: Path, results: Mapping[str, Result]) -> str:
    """What each shipped checkpoint is, from the recipe that it carries; and what nsynth.pt may be expected to score."""
    from helpers.models.checkpoint import describe, load_checkpoint

    lines = ["Checkpoints\n===========\n\nWritten by `python -m helpers results` from the recipes in the files.\n"]
    for path in sorted(folder.glob("*.pt")):
        recipe = describe(load_checkpoint(path))
        baselines = recipe["scores"].get("baselines", {})
        data = ", ".join(f"{key} {value}" for key, value in _leaves(recipe["data"]) if not key.startswith("recipe "))
        members = " + ".join(member["name"] for member in recipe["arguments"].get("members", []))
        lines += [
            f"{path.name}  ({path.stat().st_size / 1e6:.1f} MB)",
            f"    task     {recipe['task']}: {', '.join(recipe['classes'])}",
            f"    model    {recipe['model']}{members and f' of {members}'}, seed {recipe['seed']}",
            f"    data     {data}",
            f"    command  {recipe['command']}",
        ]
        lines += [f"    {name}: {value}" for name, value in _leaves(_compared(recipe["scores"], baselines))]
        if path.name == "nsynth.pt" and CROSSVALIDATED in results and "expected" in results[CROSSVALIDATED].details:
            expected = _line(results[CROSSVALIDATED].details["expected"])
            lines.append(f"    to be expected on all official test notes: {expected}")
            lines.append(f"        (instruments left out in turn, kinds as frequent as in NSynth; {CROSSVALIDATED})")
        lines.append("")
    return "\n".join(lines)


def _compared(scores: Mapping[str, Any], baselines: Mapping[str, Mapping[str, float]]) -> Mapping[str, Any]:
    """Scores by system without the measures that no baseline has; all of them where there are no baselines."""
    measures = {measure for row in baselines.values() for measure in row}
    if not measures or not all(isinstance(row, Mapping) for row in scores.values()):
        return scores
    return {name: {k: v for k, v in row.items() if k in measures} or row for name, row in scores.items()}


def _line(scores: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in _leaves(scores))


def _leaves(scores: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Scores of a recipe, however deep, as (name, text)."""
    for name, value in scores.items():
        if not isinstance(value, Mapping):
            yield f"{prefix}{name}", f"{value:.3f}" if isinstance(value, float) else str(value)
        elif {"value", "low", "high"} <= value.keys():
            yield f"{prefix}{name}", score_text(value)
        else:
            yield from _leaves(value, f"{prefix}{name} ")
