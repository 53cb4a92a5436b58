"""`python -m helpers report`: set the slide report from the metrics and figures of the last run."""

from __future__ import annotations

import argparse
from pathlib import Path

from helpers.config import REPORT, InputError

EXAMPLES = """examples:
  python -m helpers report                                              report/report.pdf
  python -m helpers report --student-id r12345678 --name "A. Student" --link https://example.org/code
"""


def add_parser(subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "report",
        help="set the slide report as a 16:9 PDF",
        description="Typeset the metrics and figures of the last `run` as slides: <student id>_report.pdf.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_cover(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, default=REPORT,
                        help="folder with metrics/ and figures/, where the PDF goes; default: report/")  # fmt: skip
    parser.set_defaults(run=run)


def add_cover(parser: argparse.ArgumentParser) -> None:
    """Options for what stands on the title slide."""
    parser.add_argument("--student-id", metavar="ID", type=student_id, default="", help="names the PDF too")
    parser.add_argument("--name", default="", help="of the student")
    parser.add_argument("--link", metavar="URL", default="", help="to code and checkpoint")


def student_id(text: str) -> str:
    """A student id, or nothing: letters and digits, because it becomes a file name."""
    if text and not (text.isalnum() and text.isascii()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a student id (letters and digits only, e.g. r12345678)")
    return text


def run(options: argparse.Namespace) -> None:
    """Set the report and say what is in it."""
    from helpers.reporting import slides

    if not options.out.is_dir():
        raise InputError(f"{options.out}: no such folder; `python -m helpers run --out DIR` fills one")
    cover = slides.Cover(options.student_id, options.name, options.link)
    path, missing = slides.build(options.out, cover)
    print(f"{path}: {len(slides.titles(options.out, cover))} slides, {path.stat().st_size / 1e6:.1f} MB")
    for page in slides.overfull(options.out, cover):
        print(f"page {page}: a text runs into the footer; shorten it in report/slides/")
    if missing:
        print(f"left out, no metrics yet: {', '.join(missing)}")
