"""Notebooks: their grammar, and that each runs on generated data and leaves what the report reads."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from helpers.config import InputError, from_root
from helpers.evaluation import results as metrics
from helpers.reporting import notebooks, slides

FOUND = notebooks.find()
EVERY = pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem[:2])
PARAMETERS = {"data_root": "", "budget": "quick", "out": "data/runs/report", "seed": 0}
METHOD = {  # what a reader sees called in the cells of a notebook
    "02": {"fit", "predict_proba", "top_k_accuracy"},
    "03": {"MelFrontend", "build", "summary", "fit", "predict_clips", "top_k_accuracy"},
    "04": {"MelFrontend", "build", "summary", "fit"},
    "05": {"build", "summary", "fit", "predict_clips"},
    "06": {"MelFrontend", "build", "summary", "fit", "predict_clips"},
}
MOST_LINES = 15


def cells(path: Path, kind: str = "") -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if kind in ("", cell.cell_type)]


@EVERY
def test_begins_with_a_question_and_ends_with_what_was_learnt(path: Path) -> None:
    first, *_, last = cells(path)
    assert first.cell_type == last.cell_type == "markdown"
    assert "**Question" in first.source
    assert "learnt" in last.source


@EVERY
def test_first_code_cell_imports_and_second_holds_the_parameters(path: Path) -> None:
    imports, parameters, *_ = cells(path, "code")
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(imports.source).body)
    assert parameters.metadata.tags == ["parameters"]
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(parameters.source).body}
    assert PARAMETERS.items() <= values.items()
    assert all(isinstance(value, str | int | float | bool) for value in values.values())
    others = [cell for cell in cells(path) if cell is not parameters and "parameters" in cell.metadata.get("tags", [])]
    assert [cell.source for cell in others] in ([], [parameters.source])


@EVERY
def test_code_cells_are_short_and_define_nothing(path: Path) -> None:
    for cell in cells(path, "code"):
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        for node in ast.walk(ast.parse(cell.source)):  # a line with ! or % does not parse
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), cell.source
        assert "sys.path" not in cell.source


@pytest.mark.parametrize("number", METHOD)
def test_the_method_is_in_plain_sight(number: str) -> None:
    path = next(path for path in FOUND if path.name.startswith(number))
    calls = (node.func for cell in cells(path, "code") for node in ast.walk(ast.parse(cell.source))
             if isinstance(node, ast.Call))  # fmt: skip
    called = {getattr(function, "attr", getattr(function, "id", "")) for function in calls}
    assert not METHOD[number] - called


@EVERY
def test_relative_paths_begin_at_the_projects_root(path: Path) -> None:
    """`from_root` is the first thing that happens to the parameters."""
    after = cells(path, "code")[2].source
    assert after.startswith("data_root, out = from_root(data_root), from_root(out)\n")


@pytest.mark.parametrize("start", [".", "notebooks", "tests", "/"])
@pytest.mark.parametrize("given", ["data/runs/report", "../elsewhere", "/tmp/report"])
def test_a_parameter_means_the_same_folder_wherever_the_kernel_was_started(
    start: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(notebooks.ROOT / start)
    assert from_root(given) == str(notebooks.ROOT / given)
    assert from_root("") == ""


@EVERY
def test_every_figure_is_read(path: Path) -> None:
    found = cells(path)
    for number, cell in enumerate(found):
        if "save_figure(" in cell.source:
            later = "".join(later.source for later in found[number + 1 : number + 4])
            assert "Reading" in later, cell.source


@EVERY
def test_is_stripped_and_runs_on_any_python_kernel(path: Path) -> None:
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"
    for cell in cells(path, "code"):
        assert not cell.outputs and cell.execution_count is None


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory, demo_root: Path) -> tuple[notebooks.Run, dict[Path, str]]:
    """All notebooks executed on the tiny generated corpora, and the error of each that failed."""
    run, errors = notebooks.Run(tmp_path_factory.mktemp("notebooks"), str(demo_root), "smoke"), {}
    for path in FOUND:
        try:
            notebooks.execute(path, run)
        except InputError as error:
            errors[path] = str(error)
    return run, errors


@EVERY
def test_runs_on_generated_data(path: Path, executed: tuple) -> None:
    run, errors = executed
    assert path not in errors, errors[path]
    assert {metrics.read(file).data for file in run.metrics(path)} == {"demo"}
    assert {metrics.read(file).budget for file in run.metrics(path)} == {"smoke"}


@EVERY
def test_executed_copy_holds_no_audio_and_no_path_of_this_machine(path: Path, executed: tuple) -> None:
    run, errors = executed
    assert path not in errors, errors[path]
    text = run.executed(path).read_text(encoding="utf-8")
    assert "audio/" not in text and "<audio" not in text
    assert str(notebooks.ROOT) not in json.dumps(text)
    outputs = [output for cell in nbformat.reads(text, 4).cells for output in cell.get("outputs", ())]
    named = [one.data for one in outputs if "data" in one and "Axes>" in one.data.get("text/plain", "")]
    assert all("image/png" in data for data in named)  # a figure is seen, not only named


def test_report_can_be_set_from_what_the_notebooks_leave(executed: tuple) -> None:
    run, errors = executed
    assert not errors
    deck = slides.build(run.out, slides.Cover("r12345678"))
    assert deck.path.stat().st_size < 10e6
    assert not deck.missing
    assert all(slide["data"] in ("demo", None) for slide in deck.slides)
