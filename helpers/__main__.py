"""The command line: `python -m helpers COMMAND`; the commands are functions in `helpers/commands/`."""

import contextlib
import os
import sys

import typer

from helpers.commands import epilog, films, genre, group, irmas, nsynth, report
from helpers.config import InputError


def build_app() -> typer.Typer:
    """The program with every command in it, in the order in which a reader meets them."""
    app = group(
        "Instrument recognition: corpora, training, notebooks, report and hand-in.",
        epilog("run", "nsynth train --help", "report --student-id r12345678"),
    )
    for module in (report, nsynth, irmas, films, genre):
        module.add_to(app)
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: that of the command, 2 and one line on stderr for bad input, files or options that cannot be
        used or a standard output that takes nothing any more, 130 and one line when interrupted.
    """
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        _flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted; the same command goes on where it stopped", 130)
    except InputError as error:
        if len(faults := getattr(error, "faults", ())) > 1:  # of a sources file; the error tells the first
            print(*faults, sep="\n", file=sys.stderr)
        return _fail(f"error: {error}")
    except typer.TyperException as error:
        return _fail(f"error: {error.format_message().rstrip('.')}; `--help` shows what there is")
    except OSError as error:  # a full disk, a folder that may not be written, a pipe that nobody reads
        return _fail(f"error: {error.filename or 'standard output or a file'}: {error.strerror or error}")


def _run(arguments: list[str]) -> int:
    command = typer.main.get_command(build_app())
    try:
        with command.make_context("python -m helpers", arguments) as context:
            return command.invoke(context) or 0
    except typer.Exit as done:
        return done.exit_code


def _fail(line: str, code: int = 2) -> int:
    """Write one line to stderr, after what was printed."""
    with contextlib.suppress(OSError):
        _flush()
    _silence()
    with contextlib.suppress(OSError):
        print(" ".join(line.splitlines()), file=sys.stderr)
    return code


def _flush() -> None:
    if sys.stdout:  # none where it was closed
        sys.stdout.flush()


def _silence() -> None:
    """Point a standard output that takes nothing any more at nothing, for the interpreter writes to it at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
