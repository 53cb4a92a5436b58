"""The schema of metrics files: what goes in comes out, and what is not a result is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from refusals import refused

from helpers.config import InputError
from helpers.evaluation import results as metrics

FIELDS = {
    "title": "Families of notes", "corpus": "NSynth", "data": "subset", "n": 100, "groups": 30,
    "group_kind": "instrument", "fingerprint": "0123", "seed": 0, "budget": "full", "command": "python -m helpers …",
    "scores": {"log": {"top1": {"value": 0.9, "low": 0.8, "high": 0.95}}}, "baselines": {"majority": {"top1": 0.1}},
}  # fmt: skip


def test_round_trip(tmp_path: Path) -> None:
    result = metrics.Result(**FIELDS, confusion={"log": [[1, 2], [0, 3]]})
    metrics.write(tmp_path / "01.json", result)
    assert metrics.read(tmp_path / "01.json") == result


def test_results_know_their_libraries() -> None:
    versions = metrics.Result(**FIELDS).versions
    assert versions["python"].count(".") == 2
    assert versions["numpy"][0].isdigit()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 0),
        ("groups", 0),
        ("data", "real"),
        ("scores", {"log": {"top1": 0.9}}),
        ("scores", {"log": {"top1": {"value": None, "low": 0.1, "high": 0.2}}}),
        ("baselines", {"majority": {"top1": 1e999}}),
        ("accuracy", 0.9),
        ("figures", ["../../x.svg"]),
        ("figures", ["/x.svg"]),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "01.json"
    path.write_text(json.dumps({**FIELDS, field: value}).replace("Infinity", "1e999"), encoding="utf-8")
    with refused(field, path):
        metrics.read(path)


def test_a_score_needs_its_interval_and_its_n(tmp_path: Path) -> None:
    path = tmp_path / "01.json"
    path.write_text(json.dumps({name: value for name, value in FIELDS.items() if name not in ("n", "baselines")}))
    with pytest.raises(InputError, match=r"n: Field required; baselines: Field required; run"):
        metrics.read(path)


def test_a_list_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "01.json"
    path.write_text("[]")
    with pytest.raises(InputError, match="file: "):
        metrics.read(path)
