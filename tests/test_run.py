"""Running notebooks: parameters arrive, results are checked, failures name the cell, finished work is left out."""

import json
from pathlib import Path

import nbformat
import pytest

from helpers.__main__ import main
from helpers.config import InputError
from helpers.reporting import notebooks

WRITES = """
from pathlib import Path
from helpers.config import ROOT, from_root
print(ROOT / "data")
from helpers.evaluation import results as metrics
result = metrics.Result(
    title="t", corpus="NSynth", data="demo", n=1, groups=1, group_kind="instrument", fingerprint="f", seed=0,
    budget=budget, command="c", scores={}, baselines={}, figures=FIGURES)
metrics.write(Path(from_root(out)) / "metrics" / "01_x.json", result)
"""


@pytest.fixture(autouse=True)
def no_corpora(monkeypatch):
    monkeypatch.setattr(notebooks, "CORPORA", {})


def write_notebook(folder: Path, body: str, name: str = "01_x.ipynb") -> Path:
    parameters = nbformat.v4.new_code_cell('data_root = ""\nbudget = "quick"\nout = "data/runs/report"\nseed = 0')
    parameters.metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(body)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / name)
    return folder / name


@pytest.fixture
def run(tmp_path) -> notebooks.Run:
    return notebooks.Run(tmp_path / "report", budget="smoke")


def test_executed_copy_and_metrics_then_up_to_date(tmp_path, run):
    notebook = write_notebook(tmp_path / "notebooks", WRITES.replace("FIGURES", "[]"))
    assert not notebooks.up_to_date(notebook, run)
    assert [path.name for path in notebooks.execute(notebook, run)] == ["01_x.json"]
    assert json.loads((run.out / "metrics" / "01_x.json").read_text())["budget"] == "smoke"
    copy = run.executed(notebook).read_text()
    assert str(notebooks.ROOT) not in copy and "papermill" not in copy.split('"cells"')[1].split("tags")[0]
    assert notebooks.up_to_date(notebook, run)
    assert not notebooks.up_to_date(notebook, notebooks.Run(run.out, budget="quick"))

    notebook.write_text(notebook.read_text().replace('title=\\"t\\"', 'title=\\"u\\"'))
    assert not notebooks.up_to_date(notebook, run)


def test_missing_or_malformed_results_are_not_up_to_date(tmp_path, run):
    notebook = write_notebook(tmp_path / "notebooks", WRITES.replace("FIGURES", "[]"))
    notebooks.execute(notebook, run)
    (run.out / "metrics" / "01_x.json").write_text("{}")
    assert not notebooks.up_to_date(notebook, run)


def test_failing_cell_is_named_and_leaves_no_copy(tmp_path, run):
    notebook = write_notebook(tmp_path / "notebooks", "raise ValueError('too loud\\nsecond line')")
    with pytest.raises(InputError, match=r"^01_x\.ipynb, code cell 2: ValueError: too loud$"):
        notebooks.execute(notebook, run)
    assert not list((run.out / "executed").iterdir())


def test_notebook_that_names_a_missing_figure_fails(tmp_path, run):
    notebook = write_notebook(tmp_path / "notebooks", WRITES.replace("FIGURES", "['01_gone.svg']"))
    with pytest.raises(InputError, match=r"01_x\.json names a figure that is not there: 01_gone\.svg"):
        notebooks.execute(notebook, run)


def test_html_copy(tmp_path):
    run = notebooks.Run(tmp_path / "report", budget="smoke", html=True)
    notebook = write_notebook(tmp_path / "notebooks", WRITES.replace("FIGURES", "[]"))
    notebooks.execute(notebook, run)
    assert "<html" in (run.out / "executed" / "01_x.html").read_text()


def test_command_goes_on_after_a_failure_and_returns_1(tmp_path, monkeypatch, capsys):
    write_notebook(tmp_path / "notebooks", "raise ValueError('broken')", "01_bad.ipynb")
    write_notebook(tmp_path / "notebooks", WRITES.replace("FIGURES", "[]").replace("01_x", "02_x"), "02_good.ipynb")
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    arguments = ["run", "--budget", "smoke", "--out", str(tmp_path / "report")]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-1] == "error: 01_bad.ipynb, code cell 2: ValueError: broken"
    assert "02_good: " in printed.out and "02_x.json" in printed.out
    assert main([*arguments, "--only", "02"]) == 0
    assert "02_good: up to date" in capsys.readouterr().out


def test_unknown_number_is_an_input_error(capsys):
    assert main(["run", "--only", "99"]) == 2
    assert "--only 99: no such notebook" in capsys.readouterr().err


def test_executed_copy_drops_sound_and_folds_cells_that_only_fill_in_a_sentence():
    cells = [nbformat.v4.new_code_cell("play()"), nbformat.v4.new_code_cell("sentence"), nbformat.v4.new_code_cell("x")]
    for cell, tags in zip(cells, (["audio"], ["hide-input"], []), strict=True):
        cell.metadata["tags"] = tags
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/plain": "out"})]
    copy = notebooks._without_machine(nbformat.v4.new_notebook(cells=cells))
    assert [len(cell.outputs) for cell in copy.cells] == [0, 1, 1]
    assert [cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in copy.cells] == [False, True, False]
