"""`python -m helpers pack`: check the rules of the course, then write the archive and the report to dist/."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from helpers.commands.report import student_id
from helpers.config import ROOT, InputError

EXAMPLES = """examples:
  python -m helpers pack --student-id r12345678                 dist/r12345678_hw0.zip and dist/r12345678_report.pdf
  python -m helpers pack --student-id r12345678 --no-verify     without the run in a fresh environment (a minute)
"""


def add_parser(subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "pack",
        help="check the rules and write the hand-in archive",
        description="Check the rules of the course, then write the archive and the report to dist/.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--student-id", metavar="ID", type=student_id, required=True, help="names both files")
    parser.add_argument("--no-verify", action="store_true", help="leave out the run in a fresh environment")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Pack this project."""
    pack(ROOT, options.student_id, verify=not options.no_verify)


def pack(root: Path, student: str, verify: bool) -> tuple[Path, Path]:
    """Check and write archive and report of a project to its dist/; prints a line for each rule.

    Raises:
        InputError: a rule is not met; nothing is written then.
    """
    from helpers.files import atomic
    from helpers.reporting import handin as archive

    report, target = root / "report" / f"{student}_report.pdf", root / "dist" / f"{student}_hw0.zip"
    with tempfile.TemporaryDirectory() as scratch, atomic(target) as packed:
        archive.write(packed, root, archive.members(root), f"{student}_hw0")
        failed = 0
        for rule, reason in _verdicts(root, report, packed, Path(scratch).resolve(), verify):
            failed += reason is not None
            print(f"{_mark(reason is None)} {rule}" + (f": {reason}" if reason else ""), flush=True)
        if failed:
            raise InputError(f"not packed: {failed} rule{'s' if failed > 1 else ''} not met, see the list")
    with atomic(target.with_name(report.name)) as copy:
        shutil.copyfile(report, copy)
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB) and {target.with_name(report.name)}")
    return target, target.with_name(report.name)


def _verdicts(root: Path, report: Path, packed: Path, scratch: Path, verify: bool) -> Iterator[tuple[str, str | None]]:
    """Every rule with None, or with the reason why it is not met."""
    from helpers.reporting import handin as archive
    from helpers.reporting import handin as rules
    from helpers.reporting import handin as trial

    with zipfile.ZipFile(packed) as content:
        content.extractall(scratch)
        project = scratch / content.namelist()[0].split("/")[0]
    yield "report is there and 16:9", rules.report_is_wide(report)
    yield "README.txt names the inference command", rules.readme_names_command(project / "README.txt")
    yield "one checkpoint, no data, no caches", rules.one_checkpoint_no_data(archive.members(root))
    yield f"at most {rules.MOST_MB} MB", rules.small_enough(packed)
    test_folder = trial.write_test_folder(scratch)
    try:
        loaded = trial.loaded_modules(project, test_folder, scratch)
    except InputError as error:
        yield "the unpacked inference.py runs", str(error)
        return
    yield "requirements.txt is what inference imports", rules.requirements_fit(project, loaded)
    if verify:
        try:
            accuracies = trial.fresh_environment(project, test_folder, scratch)
            yield f"runs in a fresh environment ({accuracies} on generated tones)", None
        except InputError as error:
            yield "runs in a fresh environment", str(error)


def _mark(met: bool) -> str:
    """A tick or a cross, or words where the terminal cannot show them."""
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
        return "✓" if met else "✗"
    except UnicodeEncodeError:
        return "ok " if met else "NOT"
