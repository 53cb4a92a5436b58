"""Execute notebooks with papermill: the executed copy, what it wrote is checked, and what is up to date is left out.

A run of a notebook is up to date as long as its source, its parameters, the code in `helpers/`, the checkpoints and
the files of its corpora are what they were; a digest of all of them stands in the metadata of the executed copy.
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from helpers.config import CHECKPOINTS, ROOT, InputError
from helpers.evaluation import results as metrics
from helpers.experiments import common
from helpers.files import atomic, check_writable, file_fingerprint, fingerprint, inside, write_text

NOTEBOOKS = ROOT / "notebooks"
CORPORA = {  # number of a notebook -> corpora that it reads
    "01": ("nsynth",), "02": ("nsynth",), "03": ("nsynth",),
    "04": ("irmas", "films", "chmusic"), "05": ("irmas", "nsynth"), "06": ("gtzan",),
}  # fmt: skip
SECONDS = {  # of each budget on two idle cores; smoke and quick on generated data, full on the real clips at hand
    "smoke": {"01": 15, "02": 20, "03": 35, "04": 45, "05": 35, "06": 40},
    "quick": {"01": 15, "02": 35, "03": 55, "04": 90, "05": 70, "06": 60},
    "full": {"01": 30, "02": 150, "03": 1200, "04": 900, "05": 1100, "06": 2100},
}


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

    def roots(self, notebooks: Sequence[Path]) -> dict[str, Path]:
        """Corpus -> data root that holds it, for all corpora of the notebooks; generates what is missing."""
        names = dict.fromkeys(name for notebook in notebooks for name in CORPORA.get(number(notebook), ()))
        return {name: common.data_root(name, self.data_root, self.budget) for name in names}

    def parameters(self) -> dict[str, str]:
        """Those of every notebook; paths as they are seen from the project's root."""
        data_root = common.seen_from_root(self.data_root) if self.data_root else ""
        return {"data_root": data_root, "budget": self.budget, "out": common.seen_from_root(self.out)}


def number(notebook: Path) -> str:
    """'03' of `03_cnn.ipynb`."""
    return notebook.name[:2]


def find(only: Sequence[str] = ()) -> list[Path]:
    """Notebooks in order, all or those with the given numbers.

    Raises:
        InputError: there is no notebook of a number.
    """
    notebooks = {number(path): path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
    if unknown := set(only) - set(notebooks):
        raise InputError(f"--only {','.join(sorted(unknown))}: no such notebook; there are {', '.join(notebooks)}")
    return [path for name, path in notebooks.items() if not only or name in only]


def run_all(only: Sequence[str], run: Run) -> int:
    """Execute what is not up to date and print what happens, with a guess at the beginning of how long it will take.

    Returns:
        1 if a notebook failed, after all the others were tried; otherwise 0.
    """
    notebooks, failures = find(only), []
    check_writable(run.executed(notebooks[0]))
    for corpus, root in run.roots(notebooks).items():
        print(f"{corpus}: {common.kind(root)}, {root}")
    due = [notebook for notebook in notebooks if not up_to_date(notebook, run)]
    if due:
        minutes = sum(SECONDS[run.budget].get(number(notebook), 60) for notebook in due) / 60
        about = f"{minutes / 60:.0f} hours" if minutes > 90 else f"{max(1, round(minutes))} minutes"
        print(f"{len(due)} notebooks to run, about {about} on two idle cores")
    for notebook in notebooks:
        if notebook not in due:
            print(f"{notebook.stem}: up to date")
            continue
        print(f"{notebook.stem}: running", flush=True)
        begin = time.monotonic()
        try:
            names = ", ".join(path.name for path in execute(notebook, run))
            print(f"{notebook.stem}: {time.monotonic() - begin:.0f} s, wrote {names}")
        except InputError as error:
            failures.append(error)
    for error in failures:
        print(f"error: {error}", file=sys.stderr)
    return int(bool(failures))


def up_to_date(notebook: Path, run: Run) -> bool:
    """Whether an executed copy, metrics and figures of exactly this run are there."""
    import nbformat

    copy = run.executed(notebook)
    if not copy.is_file() or (run.html and not copy.with_suffix(".html").is_file()):
        return False
    try:
        stored = nbformat.read(copy, as_version=4).metadata.get("digest")
        return stored == _digest(notebook, run) and bool(check_metrics(notebook, run))
    except (InputError, nbformat.reader.NotJSONError):
        return False


def execute(notebook: Path, run: Run) -> list[Path]:
    """Execute a notebook and leave the executed copy only if it went through; returns its metrics files.

    Raises:
        InputError: a cell failed, the kernel died, or what was written does not follow the schema; one line.
    """
    import nbclient
    import nbformat
    import papermill

    # kernels import `helpers` from here, also where the project was not installed
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with mock.patch.dict(os.environ, PYTHONPATH=path), atomic(run.executed(notebook)) as copy:
        try:
            papermill.execute_notebook(
                str(notebook), str(copy), run.parameters(), kernel_name="python3", cwd=str(notebook.parent)
            )
        except papermill.PapermillExecutionError as error:
            cell = error.exec_count - 1  # of the code cells, without the one that papermill puts in
            reason = (error.evalue or "no message").splitlines()[0]
            raise InputError(f"{notebook.name}, code cell {cell}: {error.ename}: {reason}") from None
        except nbclient.exceptions.DeadKernelError:
            raise InputError(f"{notebook.name}: the kernel died, most often for want of memory") from None
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
        InputError: there are none, one is malformed, or a figure is missing.
    """
    files = run.metrics(notebook)
    if not files:
        raise InputError(f"{notebook.name}: wrote no {run.out / 'metrics' / number(notebook)}_*.json")
    for path in files:
        for name in metrics.read(path).figures:
            if not inside(run.out / "figures", name).is_file():
                raise InputError(f"{notebook.name}: {path} names a figure that is not there: {name}")
    return files


def _digest(notebook: Path, run: Run) -> str:
    """Changes whenever something changes that the results of a notebook depend on."""
    code = sorted((ROOT / "helpers").rglob("*.py"))
    contents = [(path.name, file_fingerprint(path)) for path in [notebook, *code, *sorted(CHECKPOINTS.glob("*.pt"))]]
    data = [common.listing(root, corpus) for corpus, root in run.roots([notebook]).items()]
    return fingerprint([contents, run.parameters(), data])


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
            for output in cell.outputs:
                if "text" in output:
                    output["text"] = output["text"].replace(f"{ROOT}{os.sep}", "")
        if "hide-input" in tags:
            cell.metadata["jupyter"] = {"source_hidden": True}
    return notebook
