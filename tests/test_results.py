"""The result tables of README.txt and checkpoints/README.txt: what they show, and that they follow the files."""

import pytest
from report_folder import results

from helpers.config import CHECKPOINTS, REPORT, InputError
from helpers.evaluation import results as metrics
from helpers.reporting import results as tables


@pytest.fixture
def table(tmp_path):
    """The table of the made-up results."""
    for name, result in results().items():
        metrics.write(tmp_path / f"{name}.json", result)
    return tables.results_page(tables.read_all(tmp_path))


def test_every_result_says_data_n_groups_budget_and_baseline(table):
    scored = [result for result in results().values() if result.scores]
    blocks = table.strip().split("\n\n")[2:]
    assert len(blocks) == len(scored)
    for block in blocks:
        _, about, *rest = block.splitlines()
        assert "demo, n=" in about and "budget " in about
        assert any(line.strip().startswith("baseline, ") for line in rest)


def test_only_measures_that_a_baseline_has_are_shown():
    f1, gong = ({"value": v, "low": v - 0.1, "high": v + 0.1} for v in (0.5, 0.1))
    scores = {"net": {"f1": f1, "f1_gong": gong}}
    shown = tables._compared(scores, {"constant": {"f1": 0.3}})
    assert shown == {"net": {"f1": f1}}
    assert tables._line(shown["net"]) == "f1 0.500 [0.400, 0.600]"
    assert tables._compared(scores, {}) == scores


def test_the_page_of_the_checkpoints_is_that_of_the_shipped_files():
    written = (CHECKPOINTS / "README.txt").read_text(encoding="utf-8")
    shipped = tables.read_all(REPORT / "metrics")
    assert written == tables.checkpoints_page(CHECKPOINTS, shipped), "run `python -m helpers results`"


def test_what_is_to_be_expected_stands_beside_the_checkpoint_of_nsynth():
    judged = next(iter(results().values()))
    judged.details["expected"] = {"top1": {"value": 0.6, "low": 0.5, "high": 0.7}}
    page = tables.checkpoints_page(CHECKPOINTS, {"03_crossvalidation.json": judged})
    assert page.count("to be expected on all official test notes: top1 0.600 [0.500, 0.700]") == 1


def test_a_readme_without_the_marks_is_refused(tmp_path):
    (tmp_path / "README.txt").write_text("no table here\n", encoding="utf-8")
    with pytest.raises(InputError, match="where the table belongs"):
        tables.write_tables(tmp_path)


def test_the_short_table_has_a_row_a_result_with_its_interval_and_baseline(tmp_path):
    """A row is the system that was chosen before the test, not the best one."""
    rows = tables.short_table({k: r for k, r in results().items() if r.scores}).splitlines()[1:]
    classic = next(row for row in rows if row.startswith("Classic"))
    assert "top1 0.830 [0.770, 0.890]" in classic and classic.endswith("0.100") and "NSynth, demo  100" in classic


def test_all_three_tables_are_written_where_they_belong(tmp_path):
    for name, result in results().items():
        metrics.write(tmp_path / "report" / "metrics" / f"{name}.json", result)
    (tmp_path / "README.txt").write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n", encoding="utf-8")
    written = tables.write_tables(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "README.txt", "report/RESULTS.txt", "checkpoints/README.txt"]
    readme = written[0].read_text(encoding="utf-8")
    assert readme.startswith("before\n") and readme.endswith("after\n") and "old" not in readme
    assert tables.short_table(tables.read_all(tmp_path / "report" / "metrics")) in readme
