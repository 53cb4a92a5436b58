"""`python -m helpers chmusic`: check the corpus; the paper's baseline beside a CNN."""

from __future__ import annotations

import argparse
from pathlib import Path

from helpers.config import BUDGETS, DATA, REPORT

EXAMPLES = """examples:
  python -m helpers chmusic validate --data-root data
  python -m helpers chmusic compare --data-root data --budget full"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `chmusic` and its two actions."""
    parser = subparsers.add_parser(
        "chmusic", help="ChMusic: eleven Chinese instruments (validate, compare)", epilog=EXAMPLES,
        description="ChMusic: eleven Chinese instruments in solo recordings; pieces 1 to 4 train, piece 5 tests.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("validate", _validate, "count pieces and clips, find what is missing or unreadable"),
        ("compare", _compare, "score k-NN on MFCCs with majority vote, and a CNN, on piece 5"),
    ):
        action = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EXAMPLES,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        action.add_argument("--data-root", type=Path, default=DATA, help="folder that holds chmusic/ (default: data)")
        action.set_defaults(run=run)
    action.add_argument("--budget", choices=BUDGETS, default="quick", help="how much work to do (default: quick)")
    action.add_argument("--seed", type=int, default=0, help="of weights and batches (default: 0)")
    action.add_argument("--out", type=Path, default=REPORT, help="folder for metrics/04_chmusic.json (default: report)")


def _validate(options: argparse.Namespace) -> int:
    from helpers.datasets import chmusic

    report = chmusic.validate(options.data_root)
    print(report)
    return 1 if report.problems else 0


def _compare(options: argparse.Namespace) -> None:
    from helpers.evaluation import results as metrics
    from helpers.experiments import chmusic

    command = f"python -m helpers chmusic compare --data-root {options.data_root} --budget {options.budget}"
    result = chmusic.compare(options.data_root, options.budget, options.seed, command)
    path = options.out / "metrics" / "04_chmusic.json"
    metrics.write(path, result)
    for name, row in result.scores.items():
        top1 = row["top1"]
        print(f"{name}: top-1 {top1.value:.1%} [{top1.low:.1%}, {top1.high:.1%}] ({result.data}, n={result.n})")
    print(f"majority class: {result.baselines['majority class']['top1']:.1%}; wrote {path}")
