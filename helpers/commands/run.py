"""`python -m helpers run`: execute the notebooks, which leave figures, metrics and executed copies in the report."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from helpers.config import BUDGETS, REPORT

EXAMPLES = """examples:
  python -m helpers run                                    official corpora in data/, generated ones for the rest
  python -m helpers run --only 01,03 --data-root ../shared/data --budget full
  python -m helpers run --budget smoke --out /tmp/report --html
"""


def add_parser(subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "run",
        help="execute the notebooks",
        description="Execute the notebooks with papermill; those that are up to date are left out.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="01,03", default="", help="numbers of the notebooks; default: all")
    parser.add_argument("--data-root", metavar="DIR", default="", help="folder of the official corpora; default: data/")
    parser.add_argument("--budget", choices=BUDGETS, default="quick", help="how much work is done; default: quick")
    parser.add_argument("--out", metavar="DIR", type=Path, default=REPORT, help="default: report/")
    parser.add_argument("--html", action="store_true", help="write the executed copies as HTML too")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Execute what is not up to date; 1 if a notebook failed, after all the others were tried."""
    from helpers.experiments.common import kind
    from helpers.reporting import notebooks

    job = notebooks.Run(options.out, options.data_root, options.budget, options.html)
    chosen = notebooks.find([number.strip() for number in options.only.split(",") if number.strip()])
    for corpus, root in notebooks.corpus_roots(chosen, job).items():
        print(f"{corpus}: {kind(root)}, {root}")
    failures = []
    for notebook in chosen:
        if notebooks.up_to_date(notebook, job):
            print(f"{notebook.stem}: up to date")
            continue
        begin = time.monotonic()
        print(f"{notebook.stem}: running", flush=True)
        try:
            written = notebooks.execute(notebook, job)
        except notebooks.NotebookError as error:
            failures.append(str(error))
            continue
        print(f"{notebook.stem}: {time.monotonic() - begin:.0f} s, wrote {', '.join(path.name for path in written)}")
    for line in failures:
        print(f"error: {line}", file=sys.stderr)
    return 1 if failures else 0
