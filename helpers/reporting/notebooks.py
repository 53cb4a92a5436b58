"""Execute notebooks with papermill: the executed copy, what it wrote is checked, and what is up to date is left out.

A run of a notebook is up to date as long as its source, its parameters, the code in `helpers/`, the checkpoints and
the files of its corpora are what they were; a digest of all of them stands in the metadata of the executed copy.
"""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from helpers.config import CHECKPOINTS, ROOT, InputError
from helpers.evaluation import results as metrics
from helpers.experiments import common
from helpers.files import atomic, file_fingerprint, fingerprint, inside, write_text

NOTEBOOKS = ROOT / "notebooks"
CORPORA = {  # number of a notebook -> corpora that it reads
    "01": ("nsynth",),
    "02": ("nsynth",),
    "03": ("nsynth",),
    "04": ("irmas", "films", "chmusic"),
    "05": ("irmas", "nsynth"),
    "06": ("gtzan",),
}

SECONDS = {  # of each budget on two idle cores; smoke and quick on generated data, full on the real clips at hand
    "smoke": {"01": 15, "02": 20, "03": 35, "04": 45, "05": 35, "06": 40},
    "quick": {"01": 15, "02": 35, "03": 55, "04": 90, "05": 70, "06": 60},
    "full": {"01": 30, "02": 3600, "03": 4800, "04": 5400, "05": 4200, "06": 2100},
}


class NotebookError(Exception):
    """A notebook failed; the message is one line with notebook, cell and reason."""


@dataclass(frozen=True)
class Run:
    """How notebooks are executed: `out` receives executed/, figures/ and metrics/; empty `data_root` means `data/`."""

    out: Path
    data_root: str = ""
    budget: str = "quick"
    html: bool = False

    def executed(self, notebook: Path) -> Path:
        """Where the executed copy goes."""
        return self.out / "executed" / notebook.name

    def metrics(self, notebook: Path) -> list[Path]:
        """The metrics files that the notebook has written."""
        return sorted((self.out / "metrics").glob(f"{number(notebook)}_*.json"))


def number(notebook: Path) -> str:
    """'03' of `03_cnn.ipynb`."""
    return notebook.name[:2]


def find(only: Sequence[str] = ()) -> list[Path]:
    """Notebooks in order, all or those with the given numbers.

    Raises:
        InputError: there is no notebook of a number.
    """
    notebooks = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    known = {number(path) for path in notebooks}
    if unknown := set(only) - known:
        raise InputError(f"--only {','.join(sorted(unknown))}: no such notebook; there are {', '.join(sorted(known))}")
    return [path for path in notebooks if not only or number(path) in only]


def run_all(only: Sequence[str], run: Run) -> int:
    """Execute what is not up to date and print what happens, with a guess at the beginning of how long it will take.

    Returns:
        1 if a notebook failed, after all the others were tried; otherwise 0.
    """
    chosen = find(only)
    for corpus, root in corpus_roots(chosen, run).items():
        print(f"{corpus}: {common.kind(root)}, {root}")
    fresh = [notebook for notebook in chosen if up_to_date(notebook, run)]
    if len(fresh) < len(chosen):
        print(f"{len(chosen) - len(fresh)} notebooks to run, {estimate(set(chosen) - set(fresh), run.budget)}")
    failures = []
    for notebook in chosen:
        if notebook in fresh:
            print(f"{notebook.stem}: up to date")
            continue
        begin = time.monotonic()
        print(f"{notebook.stem}: running", flush=True)
        try:
            written = execute(notebook, run)
        except NotebookError as error:
            failures.append(str(error))
            continue
        print(f"{notebook.stem}: {time.monotonic() - begin:.0f} s, wrote {', '.join(path.name for path in written)}")
    for line in failures:
        print(f"error: {line}", file=sys.stderr)
    return 1 if failures else 0


def estimate(notebooks: Iterable[Path], budget: str) -> str:
    """About how long notebooks will take, in words."""
    seconds = sum(SECONDS[budget].get(number(notebook), 60) for notebook in notebooks)
    if seconds > 5400:
        return f"about {seconds / 3600:.0f} hours on two idle cores"
    return f"about {max(1, round(seconds / 60))} minutes on two idle cores"


def up_to_date(notebook: Path, run: Run) -> bool:
    """Whether an executed copy, metrics and figures of exactly this run are there."""
    import nbformat

    copy = run.executed(notebook)
    if not copy.is_file() or (run.html and not copy.with_suffix(".html").is_file()):
        return False
    try:
        stored = nbformat.read(copy, as_version=4).metadata.get("digest")
        return stored == _digest(notebook, run) and bool(check_metrics(notebook, run))
    except (NotebookError, nbformat.reader.NotJSONError):
        return False


def execute(notebook: Path, run: Run) -> list[Path]:
    """Execute a notebook and leave the executed copy only if it went through; returns its metrics files.

    Raises:
        NotebookError: a cell failed, the kernel died, or what was written does not follow the schema.
    """
    import nbclient
    import nbformat
    import papermill

    # kernels import `helpers` from here, also where the project was not installed
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with mock.patch.dict(os.environ, PYTHONPATH=path), atomic(run.executed(notebook)) as copy:
        try:
            papermill.execute_notebook(
                str(notebook), str(copy), _parameters(notebook, run), kernel_name="python3", cwd=str(notebook.parent)
            )
        except papermill.PapermillExecutionError as error:
            cell = error.exec_count - 1  # of the code cells, without the one that papermill puts in
            reason = (error.evalue or "no message").splitlines()[0]
            raise NotebookError(f"{notebook.name}, code cell {cell}: {error.ename}: {reason}") from None
        except nbclient.exceptions.DeadKernelError:
            raise NotebookError(f"{notebook.name}: the kernel died, most often for want of memory") from None
        content = _without_machine(nbformat.read(copy, as_version=4))
        written = check_metrics(notebook, run)
        content.metadata["digest"] = _digest(notebook, run)
        nbformat.write(content, copy)
    if run.html:
        from nbconvert import HTMLExporter
        from traitlets.config import Config

        hidden = Config({"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": ["hide-input"]}})
        page, _ = HTMLExporter(config=hidden).from_notebook_node(content)
        write_text(run.executed(notebook).with_suffix(".html"), page)
    return written


def check_metrics(notebook: Path, run: Run) -> list[Path]:
    """The metrics files of a notebook, all of which follow the schema and name figures that exist.

    Raises:
        NotebookError: there are none, one is malformed, or a figure is missing.
    """
    files = run.metrics(notebook)
    if not files:
        raise NotebookError(f"{notebook.name}: wrote no {run.out / 'metrics' / number(notebook)}_*.json")
    for path in files:
        try:
            figures = metrics.read(path).figures
            missing = [name for name in figures if not inside(run.out / "figures", name).is_file()]
        except InputError as error:
            raise NotebookError(f"{notebook.name}: {error}") from None
        if missing:
            raise NotebookError(f"{notebook.name}: {path} names a figure that is not there: {missing[0]}")
    return files


def _parameters(notebook: Path, run: Run) -> dict[str, object]:
    """Values for the parameters that the notebook declares; paths as they are seen from the project's root."""
    import papermill

    values = {
        "data_root": common.seen_from_root(run.data_root) if run.data_root else "",
        "budget": run.budget,
        "out": common.seen_from_root(run.out),
        "interactive": False,  # no players: executed copies hold no audio
    }
    declared = papermill.inspect_notebook(str(notebook))
    return {name: value for name, value in values.items() if name in declared}


def _digest(notebook: Path, run: Run) -> str:
    """Changes whenever something changes that the results of a notebook depend on."""
    code = sorted((ROOT / "helpers").rglob("*.py"))
    contents = [(path.name, file_fingerprint(path)) for path in [notebook, *code, *sorted(CHECKPOINTS.glob("*.pt"))]]
    data = [common.listing(root, corpus) for corpus, root in corpus_roots([notebook], run).items()]
    return fingerprint([contents, _parameters(notebook, run), data])


def corpus_roots(notebooks: Sequence[Path], run: Run) -> dict[str, Path]:
    """Corpus -> data root that holds it, for all corpora of the notebooks; generates what is missing."""
    names = dict.fromkeys(name for notebook in notebooks for name in CORPORA.get(number(notebook), ()))
    return {name: common.data_root(name, run.data_root, run.budget) for name in names}


def _without_machine(notebook):
    """The executed copy without times, paths, progress bars and warnings of this machine: equal runs, equal files.

    Cells tagged `audio` keep no output; code of cells tagged `hide-input`, which only fill in a sentence, is folded.
    """
    for part in (notebook, *notebook.cells):
        part.metadata.pop("papermill", None)
        part.metadata.pop("execution", None)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "outputs" in cell:
            kept = [] if "audio" in tags else cell.outputs
            cell.outputs = [output for output in kept if output.get("name") != "stderr"]
        if "hide-input" in tags:
            cell.metadata["jupyter"] = {"source_hidden": True}
    return notebook
