"""Damaged inputs by the hundred: exit code 0 with honest counts, or 2 with one line; never a traceback, never a score
that changed without a file being named."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from inference_call import infer
from note_folders import NAMES, example, write_checkpoint, write_notes

from helpers.files import write_json

ROUNDS = 60  # inputs of each kind
ENDINGS = re.compile(
    r"notes: (?P<notes>\d+)\n(unreadable: (?P<unreadable>\d+)\n)?"
    r"top-1 accuracy: \d+\.\d\d%\ntop-3 accuracy: \d+\.\d\d%\n"
)
JUNK = (b"", b"\0" * 500, b"<!DOCTYPE html><html></html>", b"version https://git-lfs.github.com/spec/v1\n", b"fLaC",
        b"RIFF\xff\xff\xff\xffWAVEfmt ", b"OggS" * 20, b"ID3\x04" + b"\xff" * 90,
        b"\x1f\x8b\x08", b"PK\x03\x04" * 9)  # fmt: skip
STREAMINFO = 42  # bytes at the start of a FLAC that no checksum protects; all frames after it have one
VALUES = (None, True, -1, 11, 10**400, 1e999, "", "drum", "\ud800", "a\0b", "../../x", "x" * 5_000, [], {}, [[]])
TEXTS = ("NaN", "9" * 5_000, "[" * 100_000, '"\\ud800"', "\ufeff{}", "{}", "[]", "null", "{'a': 1}", '{"a": 1,}')


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """An undamaged corpus in every form, a checkpoint, and the predictions to compare with."""
    root = tmp_path_factory.mktemp("whole")
    torch.manual_seed(0)
    model = write_checkpoint(root / "model.pt")
    for suffix in ("wav", "flac"):
        write_notes(root / suffix, NAMES, f".{suffix}")
        with tarfile.open(root / f"{suffix}.tar.gz", "w:gz") as tar:
            tar.add(root / suffix, "audio")
    answers = {}
    for suffix in ("wav", "flac"):  # their encoders round differently
        found = infer("--test_dir", root / suffix, "--checkpoint", model, "--predictions", root / "p.csv")
        answers[suffix] = SimpleNamespace(rows=rows_of(root / "p.csv"), out=found.out)
    return SimpleNamespace(root=root, model=model, wav=answers["wav"], flac=answers["flac"])


def rows_of(path: Path) -> dict[str, list[str]]:
    """Stem of a note -> its predictions."""
    with open(path, newline="", encoding="utf-8") as file:
        return {Path(row[0]).stem: row[1:] for row in list(csv.reader(file))[1:]}


def damaged(content: bytes, generator: np.random.Generator) -> bytes:
    """One of: junk, cut off, a bit flipped, a stretch zeroed, overwritten or doubled."""
    kind, place = generator.integers(7), int(generator.integers(len(content)))
    size = int(generator.integers(1, 200))
    if kind == 0:
        return JUNK[generator.integers(len(JUNK))]
    if kind == 1:
        return content[:place]
    if kind == 2:
        return content[:place] + bytes([content[place] ^ 1 << int(generator.integers(8))]) + content[place + 1 :]
    if kind == 3:
        return content[:place] + bytes(size) + content[place + size :]
    if kind == 4:
        return content[:place] + generator.bytes(size) + content[place + size :]
    if kind == 5:
        return content[:place] + content[place : place + size] * 2 + content[place + size :]
    return content[: min(place, 60)] + generator.bytes(8) + content[min(place, 60) + 8 :]


def check(found: SimpleNamespace, predictions: Path, right: SimpleNamespace, detectable: bool = True) -> None:
    """The promises; `detectable`: the format has checksums, so no other answer may be given without naming the file."""
    assert "Traceback" not in found.err
    if found.code == 2:
        assert found.out == "" and re.fullmatch(r"(families without .+\n)?error: .+\n|usage: (.+\n)+", found.err), found
        assert not predictions.exists()
        return
    ending = ENDINGS.fullmatch(found.out)
    assert found.code == 0 and ending, found
    named = re.findall(r"^unreadable, counted as wrong: (.+)$", found.err, re.MULTILINE)
    assert len(named) == int(ending["unreadable"] or 0)
    rows = rows_of(predictions)
    assert len(rows) == int(ending["notes"])
    for stem, row in rows.items():
        if len(row) == 1:
            assert any(stem in line for line in named), (stem, named)
        elif detectable:
            assert row == right.rows[stem], stem
    assert sum(len(row) == 1 for row in rows.values()) == len(named)
    if detectable and not named:
        assert found.out == right.out


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_damaged_notes(whole: SimpleNamespace, tmp_path: Path, suffix: str) -> None:
    generator, folder = np.random.default_rng(1), tmp_path / "notes"
    shutil.copytree(whole.root / suffix, folder)
    for number in range(ROUNDS):
        detectable = suffix == "flac"
        for name in generator.choice(NAMES, 2, replace=False):
            original = (whole.root / suffix / f"{name}.{suffix}").read_bytes()
            content = damaged(original, generator)
            detectable = detectable and content[:STREAMINFO] == original[:STREAMINFO]
            (folder / f"{name}.{suffix}").write_bytes(content)
        predictions = tmp_path / f"{number}.csv"
        found = infer("--test_dir", folder, "--checkpoint", whole.model, "--predictions", predictions)
        check(found, predictions, getattr(whole, suffix), detectable)
        shutil.copytree(whole.root / suffix, folder, dirs_exist_ok=True)


def test_cut_off_notes(whole: SimpleNamespace, tmp_path: Path) -> None:
    """Of a WAV, which has no checksum, at least the length is known."""
    generator, folder = np.random.default_rng(2), tmp_path / "notes"
    shutil.copytree(whole.root / "wav", folder)
    for number in range(ROUNDS // 2):
        name = generator.choice(NAMES)
        original = (whole.root / "wav" / f"{name}.wav").read_bytes()
        (folder / f"{name}.wav").write_bytes(original[: generator.integers(len(original))])
        predictions = tmp_path / f"{number}.csv"
        found = infer("--test_dir", folder, "--checkpoint", whole.model, "--predictions", predictions)
        check(found, predictions, whole.wav)
        assert "unreadable: 1\n" in found.out and str(name) in found.err
        shutil.copytree(whole.root / "wav", folder, dirs_exist_ok=True)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_damaged_archives(whole: SimpleNamespace, tmp_path: Path, suffix: str) -> None:
    generator = np.random.default_rng(3)
    packed = (whole.root / f"{suffix}.tar.gz").read_bytes()
    for number in range(ROUNDS):
        content = damaged(packed, generator)
        if number % 4 == 3:  # damage inside, under a right checksum
            content = gzip.compress(damaged(gzip.decompress(packed), generator), compresslevel=1)
        path, predictions = tmp_path / "notes.tar.gz", tmp_path / f"{number}.csv"
        path.write_bytes(content)
        found = infer("--test_dir", path, "--checkpoint", whole.model, "--predictions", predictions)
        check(found, predictions, getattr(whole, suffix), detectable=number % 4 != 3)


def test_damaged_checkpoints(whole: SimpleNamespace, tmp_path: Path) -> None:
    generator, model = np.random.default_rng(4), whole.model.read_bytes()
    for number in range(2 * ROUNDS):
        path, predictions = tmp_path / "model.pt", tmp_path / f"{number}.csv"
        path.write_bytes(damaged(model, generator))
        found = infer("--test_dir", whole.root / "wav", "--checkpoint", path, "--predictions", predictions)
        check(found, predictions, whole.wav)
        if found.code == 2:
            assert "model.pt" in found.err


def test_odd_examples(whole: SimpleNamespace, tmp_path: Path) -> None:
    """examples.json as damaged bytes, as odd texts, and with odd values in its entries."""
    generator, folder = np.random.default_rng(5), tmp_path / "nsynth-test"
    shutil.copytree(whole.root / "wav", folder / "audio")
    right = {name: example(name) for name in NAMES}
    write_json(folder / "examples.json", right)
    text = (folder / "examples.json").read_bytes()
    contents = [damaged(text, generator) for _ in range(ROUNDS)] + [odd.encode() for odd in TEXTS]
    for _ in range(ROUNDS // 2):
        entries = {name: dict(fields) for name, fields in right.items()}
        value, name = VALUES[generator.integers(len(VALUES))], generator.choice(NAMES)
        entries[str(name)][generator.choice(list(right[NAMES[0]]))] = value
        if isinstance(value, str):
            entries[value] = entries.pop(str(name))
        contents.append(json.dumps(entries).encode())
    for number, content in enumerate(contents):
        (folder / "examples.json").write_bytes(content)
        predictions = tmp_path / f"{number}.csv"
        found = infer("--test_dir", tmp_path, "--checkpoint", whole.model, "--predictions", predictions)
        check(found, predictions, whole.wav)


def test_odd_options(whole: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(6)
    values = ["", "0", "-1", "1", "2", "9" * 30, "nan", "1e3", "auto", "cpu", "tpu", "a\0b", "a\ud800", "x" * 5_000,
              "/", ".", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/mem", "a\nb", str(tmp_path)]  # fmt: skip
    names = ["--test_dir", "--checkpoint", "--batch_size", "--device", "--workers", "--json"]
    for number in range(ROUNDS):
        predictions = tmp_path / f"{number}.csv"
        options = {"--test_dir": whole.root / "wav", "--checkpoint": whole.model, "--predictions": predictions}
        for name in generator.choice(names, generator.integers(1, 3), replace=False):
            options[str(name)] = values[generator.integers(len(values))]
        found = infer(*(f"{name}={value}" for name, value in options.items()))
        if found.code == 2:
            predictions.unlink(missing_ok=True)  # written before another file could not be
        check(found, predictions, whole.wav)
