"""Files are whole or absent, JSON says where it is broken, and paths stay where they belong."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from refusals import refused

from helpers import files
from helpers.config import ROOT, InputError


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


def test_fingerprint_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    prints = [files.file_fingerprint(tmp_path / name) for name in "abc"]
    assert prints[0] == prints[1] == "6b86b273ff34fce1" != prints[2]  # sha256 of "1"


BAD_JSON = {
    "missing": (lambda path: None, "no such file"),
    "damaged": (lambda path: path.write_text('{"a": 1,\n "b" 2}'), r"is not JSON \(line 2, column 6"),
    "empty": (lambda path: path.touch(), "is not JSON"),
    "binary": (lambda path: path.write_bytes(b"\xff\xfe{"), "not UTF-8"),
    "folder": (lambda path: path.mkdir(), "is not a file"),
    "pipe": (os.mkfifo, "is not a file"),
    "deep": (lambda path: path.write_text("[" * 200_000), "nested too deeply"),
    "long number": (lambda path: path.write_text("9" * 5_000), "is not JSON"),
    "NaN": (lambda path: path.write_text('{"a": NaN}'), "NaN is no number"),
    "infinity": (lambda path: path.write_text('{"a": -Infinity}'), "-Infinity is no number"),
}


@pytest.mark.parametrize("kind", BAD_JSON)
def test_json_of_every_bad_kind_is_one_line(tmp_path: Path, kind: str) -> None:
    spoil, message = BAD_JSON[kind]
    path = tmp_path / "examples.json"
    spoil(path)
    with refused(message, path):
        files.read_json(path)


IMPOSSIBLE = {"NUL": "a\0b", "lone surrogate": "a\ud800", "too long": "a" * 300, "line end": "a\nb/../../../c"}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_impossible_names_are_one_line_everywhere(tmp_path: Path, kind: str) -> None:
    name = IMPOSSIBLE[kind]
    calls = [lambda: files.inside(tmp_path, name), lambda: files.read_json(tmp_path / name)]
    if kind != "line end":
        calls += [lambda: files.write_json(tmp_path / name, 1), lambda: files.check_writable(tmp_path / name)]
    for call in calls:
        with refused(""):
            call()


def test_devices_and_pipes_are_written_in_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        content = pool.submit(pipe.read_text)
        files.write_json(pipe, [1])
        assert content.result(timeout=10) == "[\n 1\n]\n"
    assert pipe.is_fifo() and [path.name for path in tmp_path.iterdir()] == ["pipe.json"]


def test_a_full_device_is_told_and_stays_a_device() -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(InputError, match="/dev/full: cannot be written"):
        files.write_text(Path("/dev/full"), "text")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("into_file", [True, False])
def test_dev_stdout_is_stdout(tmp_path: Path, into_file: bool) -> None:
    code = "from pathlib import Path; from helpers import files; files.write_json(Path('/dev/stdout'), 1); print(2)"
    command = [sys.executable, "-c", code]
    if not into_file:
        assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout == "1\n2\n"
        return
    with open(tmp_path / "out", "w") as out:
        subprocess.run(command, cwd=ROOT, stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "1\n2\n"


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.json").write_text("old")
    (tmp_path / "a.json").symlink_to(tmp_path / "far" / "a.json")
    files.write_json(tmp_path / "a.json", 1)
    assert (tmp_path / "a.json").is_symlink() and files.read_json(tmp_path / "far" / "a.json") == 1


def test_what_killed_processes_left_is_swept_and_what_living_ones_write_is_not(tmp_path: Path) -> None:
    code = ("import sys, time; from pathlib import Path; from helpers import files\n"
            "with files.atomic(Path(sys.argv[1])) as t: t.write_text('half'); print(t.name, flush=1); time.sleep(9)")
    runs = [subprocess.Popen([sys.executable, "-c", code, tmp_path / f"{n}.json"], cwd=ROOT, text=True,
                             stdout=subprocess.PIPE) for n in range(2)]  # fmt: skip
    names = [run.stdout.readline().strip() for run in runs]
    runs[0].kill()
    runs[0].wait()
    (tmp_path / ".hidden.json").touch()
    files.write_json(tmp_path / "new.json", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([names[1], ".hidden.json", "new.json"])
    runs[1].kill()
    runs[1].wait()


def test_places_that_cannot_be_written_are_told_also_before_the_work(tmp_path: Path) -> None:
    files.check_writable(tmp_path / "new" / "a.json")
    (tmp_path / "file").touch()
    for place in ("file/a.json", "."):
        for call in (files.check_writable, lambda path: files.write_json(path, [1])):
            with refused("cannot be written", tmp_path):
                call(tmp_path / place)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "new"]
