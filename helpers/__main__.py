"""The command line: `python -m helpers COMMAND`; each command is a file in `helpers/commands/`."""

from __future__ import annotations

import argparse
import importlib
import sys

from helpers.config import InputError

COMMANDS = (
    "demo", "run", "results", "report", "pack",
    "nsynth", "classic", "irmas", "predominant", "films", "chmusic", "genre", "augment",
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command in it."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers",
        description="Instrument recognition: corpora, training, notebooks, report and hand-in.",
        epilog="`python -m helpers COMMAND --help` shows options and examples of a command.",
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"helpers.commands.{name}").add_parser(subparsers)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code (2 and one line on stderr for bad input, 130 when interrupted)."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
