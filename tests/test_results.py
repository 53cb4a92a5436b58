"""The result tables of README.txt and checkpoints/README.txt: what they show, and that they follow the files."""

import pytest
from report_folder import results

from helpers.commands import results as command
from helpers.config import CHECKPOINTS, InputError
from helpers.evaluation import results as metrics


@pytest.fixture
def table(tmp_path):
    """The table of the made-up results."""
    for name, result in results().items():
        metrics.write(tmp_path / f"{name}.json", result)
    return command.results_table(tmp_path)


def test_every_result_says_data_n_groups_budget_and_baseline(table):
    scored = [result for result in results().values() if result.scores]
    blocks = table.strip().split("\n\n")
    assert len(blocks) == len(scored)
    for block in blocks:
        _, about, *rest = block.splitlines()
        assert "demo, n=" in about and "budget " in about
        assert any(line.strip().startswith("baseline, ") for line in rest)


def test_only_measures_that_a_baseline_has_are_shown():
    f1, gong = ({"value": v, "low": v - 0.1, "high": v + 0.1} for v in (0.5, 0.1))
    scores = {"net": {"f1": f1, "f1_gong": gong}}
    shown = command._compared(scores, {"constant": {"f1": 0.3}})
    assert shown == {"net": {"f1": f1}}
    assert command._line(shown["net"]) == "f1 0.500 [0.400, 0.600]"
    assert command._compared(scores, {}) == scores


def test_the_page_of_the_checkpoints_is_that_of_the_shipped_files():
    written = (CHECKPOINTS / "README.txt").read_text(encoding="utf-8")
    assert written == command.checkpoints_page(CHECKPOINTS), "run `python -m helpers results`"


def test_a_readme_without_the_marks_is_refused(tmp_path, monkeypatch):
    (tmp_path / "README.txt").write_text("no table here\n", encoding="utf-8")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    with pytest.raises(InputError, match="where the table belongs"):
        command.run(None)
