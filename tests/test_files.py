"""Files are whole or absent, JSON says where it is broken, and paths stay where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import files
from helpers.config import InputError


def test_atomic_write_appears_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "scores.csv"
    with files.atomic(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
        assert temporary.suffix == ".csv" and temporary.parent == target.parent
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_atomic_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "scores.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), files.atomic(target) as temporary:
        temporary.write_text("half of the n")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_keeps_order_letters_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"b": 1, "a": "琵琶"})
    assert path.read_bytes() == '{\n "b": 1,\n "a": "琵琶"\n}\n'.encode()
    assert list(files.read_json(path)) == ["b", "a"]


def test_json_without_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, [1])
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, [float("nan")])
    assert files.read_json(path) == [1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b'{"a": 1,\n "b" 2}', r"is not JSON \(line 2, column 6"),
        (b"", "is not JSON"),
        (b"\xff\xfe{", "not UTF-8"),
    ],
)
def test_unusable_json_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "examples.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        files.read_json(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_inside_resolves_below_the_root(tmp_path: Path) -> None:
    assert files.inside(tmp_path, "audio/../a.wav") == tmp_path.resolve() / "a.wav"


@pytest.mark.parametrize("path", ["../a.wav", "audio/../../a.wav", str(Path.cwd().anchor) + "etc/passwd"])
def test_inside_refuses_to_leave_the_root(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="points outside"):
        files.inside(tmp_path, path)


def test_inside_refuses_links_that_leave_the_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    try:
        (tmp_path / "root" / "link").symlink_to(tmp_path)
    except OSError:
        pytest.skip("this system does not let us make links")
    with pytest.raises(InputError, match="points outside"):
        files.inside(tmp_path / "root", "link/a.wav")


def test_fingerprint_knows_content_order_and_borders() -> None:
    assert files.fingerprint(["ab", "c"]) == files.fingerprint(iter(["ab", "c"]))
    others = [["a", "bc"], ["c", "ab"], ["ab", "c", ""], ["ab"], []]
    assert len({files.fingerprint(items) for items in [["ab", "c"], *others]}) == 6
    assert files.fingerprint([]) == "e3b0c44298fc1c14"  # sha256 of nothing: the same on every machine and day


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file/a.json", "."):
        with pytest.raises(InputError, match="cannot be written") as caught:
            files.write_json(tmp_path / place, [1])
        assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_fingerprint_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    prints = [files.file_fingerprint(tmp_path / name) for name in "abc"]
    assert prints[0] == prints[1] == "6b86b273ff34fce1" != prints[2]  # sha256 of "1"
