"""Corpora on disk are whole or absent, the same for any number of processes, and never written over other files."""

import errno
import functools
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import joblib
import pytest

from helpers.__main__ import main
from helpers.config import InputError
from helpers.datasets.base import data_label
from helpers.demo import build, chmusic, gtzan, nsynth
from helpers.demo.build import Job


def write_number(folder: Path, rng, name: str) -> float:
    number = float(rng.random())
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(str(number))
    return number


def in_one_process(parallel, n_jobs, **options):
    return parallel(n_jobs=1, **options)


@pytest.fixture
def toy(monkeypatch):
    """One corpus of three jobs in the place of the real ones; `calls` is what was really run."""
    calls = []

    def finish(folder, results):
        calls.append(results)
        (folder / "index.txt").write_text(" ".join(map(str, results)))

    module = SimpleNamespace(jobs=lambda size: [Job(n, write_number, (n,)) for n in "abc"], finish=finish, calls=calls)
    monkeypatch.setitem(sys.modules, "toy_corpus", module)
    monkeypatch.setattr(build, "CORPORA", {"toy": "toy_corpus"})
    monkeypatch.setattr(joblib, "Parallel", functools.partial(in_one_process, joblib.Parallel))
    return module


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_marks_what_it_wrote_and_leaves_nothing_behind(toy, tmp_path):
    build.write("tiny", tmp_path, seed=3, corpora=["toy"])
    assert sorted(tree(tmp_path)) == [".lock", "DEMO.txt", "toy/a.txt", "toy/b.txt", "toy/c.txt", "toy/index.txt"]
    assert build.read_mark(tmp_path)[:2] == ("tiny", 3)
    assert data_label(tmp_path / "toy", 5, 5) == "demo"


def test_what_is_there_is_not_written_again(toy, tmp_path):
    for _ in range(2):
        build.write("tiny", tmp_path, corpora=["toy"])
    assert len(toy.calls) == 1


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(toy, tmp_path, monkeypatch):
    build.write("tiny", tmp_path / "whole", corpora=["toy"])
    good = toy.finish

    def killed(folder, results):
        raise KeyboardInterrupt

    toy.finish = killed
    with pytest.raises(KeyboardInterrupt):
        build.write("tiny", tmp_path / "again", corpora=["toy"])
    assert not (tmp_path / "again" / "toy").exists()
    toy.finish = good
    (tmp_path / "again" / ".toy.partial" / "b.txt").write_text("was done before the kill")
    build.write("tiny", tmp_path / "again", corpora=["toy"])
    again = tree(tmp_path / "again")
    assert again.pop("toy/b.txt") == b"was done before the kill"  # finished jobs are not run again
    assert again.items() <= tree(tmp_path / "whole").items()


def test_another_size_replaces_only_when_forced(toy, tmp_path):
    build.write("tiny", tmp_path, corpora=["toy"])
    with pytest.raises(InputError, match=r"size tiny, seed 0\), not size small, seed 0; replace them with --force"):
        build.write("small", tmp_path, corpora=["toy"])
    build.write("small", tmp_path, corpora=["toy"], force=True)
    assert build.read_mark(tmp_path).size == "small"
    assert len(toy.calls) == 2


def test_foreign_files_are_never_touched(toy, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="holds files that were not generated"):
        build.write("tiny", tmp_path, corpora=["toy"], force=True)
    (tmp_path / "DEMO.txt").write_text("also mine")
    with pytest.raises(InputError, match="was not written by this program"):
        build.ensure("tiny", tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_ensure_keeps_larger_and_replaces_smaller_or_outdated(tmp_path, monkeypatch, capsys):
    wanted = []
    monkeypatch.setattr(build, "_write_corpus", lambda out, corpus, size, seed: (out / corpus).mkdir())
    monkeypatch.setattr(build, "version", lambda: "abc")
    for size in ("tiny", "small", "tiny"):
        build.ensure(size, tmp_path)
        wanted.append(build.read_mark(tmp_path).size)
    assert wanted == ["tiny", "small", "small"]
    assert "replacing generated corpora (size tiny, seed 0) by size small" in capsys.readouterr().err
    monkeypatch.setattr(build, "version", lambda: "def")
    build.ensure("tiny", tmp_path)
    assert build.read_mark(tmp_path) == ("tiny", 0, "def")


def test_bytes_do_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    chosen = [*nsynth.jobs("tiny")[::9], *chmusic.jobs("tiny")[:22:7]]
    build.run_all(chosen, tmp_path / "many", 0, "many")
    monkeypatch.setattr(joblib, "Parallel", functools.partial(in_one_process, joblib.Parallel))
    build.run_all(chosen[::-1], tmp_path / "one", 0, "one")
    assert tree(tmp_path / "many") == tree(tmp_path / "one")


def test_a_corpus_without_index_needs_no_finish(toy, tmp_path):
    del toy.finish
    build.write("tiny", tmp_path, corpora=["toy"])
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == ["a.txt", "b.txt", "c.txt"]


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(toy, tmp_path):
    def full(folder, results):
        raise OSError(errno.ENOSPC, "No space left on device")

    good, toy.finish = toy.finish, full
    with pytest.raises(InputError, match=r"No space left on device\); make room") as error:
        build.write("tiny", tmp_path, corpora=["toy"])
    assert "\n" not in str(error.value) and not (tmp_path / "toy").exists()
    toy.finish = good
    build.write("tiny", tmp_path, corpora=["toy"])
    assert (tmp_path / "toy" / "index.txt").is_file()


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/below"):
        assert main(["demo", "--size", "tiny", "--out", str(tmp_path / place)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_every_job_has_its_own_random_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(joblib, "Parallel", functools.partial(in_one_process, joblib.Parallel))
    numbers = build.run_all([Job(name, write_number, (name,)) for name in "ab"], tmp_path, 0, "two")
    assert numbers[0] != numbers[1]


def test_another_seed_gives_another_corpus(tmp_path):
    job = gtzan.jobs("tiny")[0]
    for seed in (0, 1):
        job.function(tmp_path / str(seed), build.generator(seed, job.name), *job.arguments)
    first, second = tree(tmp_path / "0"), tree(tmp_path / "1")
    assert first.keys() == second.keys()
    assert first != second


def test_scale_repeats_notes_under_new_names(tmp_path, monkeypatch):
    import shutil

    from helpers.datasets import nsynth as corpus
    from helpers.demo import build as scale

    monkeypatch.setitem(nsynth.SIZES, "small", {"train": (1, 1)})
    out = scale.write_scale(30, tmp_path / "scale")
    clips = corpus.clips(out, "train")
    assert len(clips) == 30
    assert len({clip.group for clip in clips}) == 30
    monkeypatch.setattr(os, "link", lambda source, target: (_ for _ in ()).throw(OSError))
    assert len(corpus.clips(scale.write_scale(35, out), "train")) == 35
    shutil.rmtree(out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--notes", "5"], "--notes: goes with --size scale"),
        (["--size", "scale", "--notes", "0"], "--notes"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_bad_options_are_one_line(arguments, message, capsys, tmp_path):
    assert main(["demo", "--out", str(tmp_path / "x"), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_command_writes_the_chosen_corpora(tmp_path, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(build, "write", lambda *given: seen.append(given) or given[1])
    assert main(["demo", "--size", "tiny", "--out", str(tmp_path), "--corpora", "gtzan", "--seed", "4"]) == 0
    assert seen == [("tiny", tmp_path, 4, ["gtzan"], False)]
