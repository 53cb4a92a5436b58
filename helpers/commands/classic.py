"""`python -m helpers classic`: pooled features, five classic models, the choice among them, metrics and models."""

from __future__ import annotations

import argparse
from pathlib import Path

from helpers.config import BUDGETS, REPORT, ROOT

EXAMPLES = """examples:
  python -m helpers classic --data-root ../shared/data
  python -m helpers classic --jobs 1 --budget quick
  python -m helpers classic --dask tcp://127.0.0.1:8786     # a cluster that sees the same files
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "classic",
        help="classic machine learning on NSynth",
        description="Extract features (cached, goes on after a kill), fit k-NN, SVM, forests and boosting with "
        "hyper-parameters from instrument-grouped cross-validation, choose on validation notes, report on test notes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data-root", metavar="DIR", default="", help="folder that holds NSynth; default: data/")
    parser.add_argument("--budget", choices=BUDGETS, default="full", help="how much work is done; default: full")
    parser.add_argument("--jobs", metavar="N", type=int, default=-1, help="processes; default: one for each core")
    parser.add_argument("--dask", metavar="ADDRESS", default="", help="work on the Dask cluster of this scheduler")
    parser.add_argument("--models", metavar="DIR", type=Path, default=ROOT / "runs" / "classic",
                        help="where the models go; default: runs/classic/")
    parser.add_argument("--out", metavar="DIR", type=Path, default=REPORT, help="metrics go there; default: report/")
    parser.add_argument("--seed", type=int, default=0, help="of folds and models; default: 0")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Extract, fit, choose, report."""
    from helpers.evaluation import results as metrics
    from helpers.experiments import classic, common
    from helpers.experiments.nsynth import sentence
    from helpers.features.cache import workers

    budget = BUDGETS[options.budget]
    root = common.data_root("nsynth", options.data_root, options.budget)
    notes = classic.load_notes(root, budget, options.seed)
    with workers(options.jobs, options.dask):
        train, valid, test = (classic.table(notes, split) for split in ("train", "valid", "test"))
        models = classic.fit_all(train, notes, classic.FOLDS[budget.name], options.seed)
    validated = classic.validate(models, valid)
    classic.save_all(models, options.models)
    scores = classic.evaluate(models, test)
    command = f"python -m helpers classic --budget {budget.name}" + (
        f" --data-root {options.data_root}" if options.data_root else ""
    )
    result = classic.result(models, validated, scores, notes, budget, options.seed, [], command)
    metrics.write(options.out / "metrics" / "02_classic.json", result)
    for name, row in result.scores.items():
        mark = " (chosen on validation notes)" if name == result.details["chosen"] else ""
        print(sentence(f"{name}{mark}", {k: score.model_dump() for k, score in row.items()}))
    print(f"NSynth, {result.data}: {result.n} test notes of {result.groups} instruments")
