"""From data to paper: `demo`, `run` the notebooks, `results`, `report`, `pack`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from helpers import commands as cli
from helpers.config import DATA, DEMO, REPORT, ROOT, RUNS, InputError
from helpers.datasets import CORPORA


def add_to(program: typer.Typer) -> None:
    """Add the five commands."""
    for command, examples in (
        (demo, ("demo                                     all corpora in data/demo, size small",
                "demo --size large --force                replace what data/demo holds",
                "demo --size scale --notes 50000          NSynth only, notes repeated under new names, data/scale")),
        (run, ("run                                      official corpora in data/, generated ones for the rest",
               "run --only 01,03 --data-root ../shared/data --budget full --out report",
               "run --budget smoke --out /tmp/report --html")),
        (results, ("results",)),
        (report, ("report                                report/report.pdf, all parts",
                  "report --part homework --student-id r12345678 --name 'A. Student' --link https://example.org/code",
                  "report --out data/runs/report         of what `run` has left there")),
        (pack, ("pack --student-id r12345678 --name 'A. Student' --link https://example.org/code",)),
    ):  # fmt: skip
        program.command(epilog=cli.epilog(*examples))(command)


def _student_id(text: str) -> str:
    """A student id, or nothing: letters and digits, because it becomes a file name."""
    if text and not (text.isalnum() and text.isascii()):
        raise typer.BadParameter(f"{text!r} is not a student id (letters and digits only, e.g. r12345678)")
    return text


Link = Annotated[str, typer.Option(metavar="URL", help="to code and checkpoint, on the title slide")]
Name = Annotated[str, typer.Option(help="of the student, on the title slide")]
Part = Annotated[Literal["all", "homework"], typer.Option(help="homework: NSynth only")]
StudentId = Annotated[str, typer.Option(metavar="ID", callback=_student_id, help="names the files too")]


def demo(
    size: Literal["tiny", "small", "large", "scale"] = "small",
    out: Annotated[Path | None, cli.folder(shown="data/demo; data/scale for size scale")] = None,
    corpora: Annotated[cli.Names, cli.names(*CORPORA)] = None,
    seed: cli.Seed = 0,
    notes: Annotated[int | None, typer.Option(min=1, show_default="50000", help="training notes of size scale")] = None,
    force: Annotated[bool, cli.flag("--force", "replace corpora of another size or seed")] = False,
) -> None:
    """Generate small corpora in the official layouts of NSynth, IRMAS, ChMusic, GTZAN, and short films.

    Nothing is downloaded. They are made by physical and signal models and are the same for a seed. Every number that
    stands on them is a demo number. An interrupted run goes on where it stopped.
    """
    from helpers.demo import build

    if notes is not None and size != "scale":
        raise InputError("--notes: goes with --size scale only")
    if size == "scale":
        print(build.write_scale(notes or 50_000, out or DATA / "scale"))
    else:
        print(build.write(size, out or DEMO, seed, corpora or (), force))


def run(
    only: Annotated[cli.Names, cli.names(text="numbers of notebooks: 01,03")] = None,
    data_root: Annotated[str, cli.folder("folder of the official corpora", "data/")] = "",
    budget: cli.BudgetName = "quick",
    out: Annotated[Path, cli.folder("`report`: the one that ships", "data/runs/report")] = RUNS / "report",
    html: Annotated[bool, cli.flag("--html", "write the executed copies as HTML too")] = False,
) -> int:
    """Execute the notebooks; those that are up to date are left out; exit code 1 if one failed."""
    from helpers.reporting import notebooks

    return notebooks.run_all(only or [], notebooks.Run(out, data_root, budget, html))


def results() -> None:
    """Write the tables of README.txt, report/RESULTS.txt and checkpoints/README.txt from metrics and checkpoints."""
    from helpers.reporting import results

    for path in results.write_tables(ROOT):
        print(f"{path.relative_to(ROOT)} written")


def report(
    part: Part = "all",
    student_id: StudentId = "",
    name: Name = "",
    link: Link = "",
    out: Annotated[Path, cli.folder("with metrics/ and figures/; the PDF goes there", "report/")] = REPORT,
) -> None:
    """Set the slide report from the metrics and figures of the last run, as a 16:9 PDF."""
    from helpers.reporting import slides

    print(slides.build(out, slides.Cover(student_id, name, link, part)))


def pack(
    student_id: StudentId = "",
    name: Name = "",
    link: Link = "",
    part: Part = "homework",
    no_verify: Annotated[bool, cli.flag("--no-verify", "leave out the run in a fresh environment")] = False,
) -> None:
    """Check the rules of the course, then write the archive and the report to dist/."""
    from helpers.reporting import handin, slides

    handin.pack(ROOT, slides.Cover(student_id, name, link, part), verify=not no_verify)
