"""The hand-in: every rule can fail, the archive is clean and always the same, and a grader can run it."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
import report_folder
import torch

from helpers.config import ROOT, InputError
from helpers.datasets import nsynth
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint
from helpers.reporting import handin, slides

STUDENT = "r12345678"
COVER = slides.Cover(STUDENT, "A. Student", "https://example.org/code", "homework")


@pytest.fixture(scope="session")
def complete_project(tmp_path_factory) -> Path:
    """A copy of this project's code with a random checkpoint, a made-up report, and files that must stay out."""
    root = tmp_path_factory.mktemp("project")
    for name in handin.members(ROOT):
        if name.parts[0] != "report" or name.suffix == ".typ":
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    torch.manual_seed(0)
    arguments = {"mel": {"n_mels": 96, "hop_length": 512}, "channels": (4, 4)}
    state = build("compact_cnn", len(nsynth.FAMILIES), **arguments).state_dict()
    for name in ("nsynth", "nsynth_linear"):
        save_checkpoint(root / "checkpoints" / f"{name}.pt", Checkpoint(
            task=nsynth.TASK, model="compact_cnn", arguments=arguments, classes=list(nsynth.FAMILIES),
            sample_rate=nsynth.SAMPLE_RATE, seconds=nsynth.SECONDS, state=state,
        ))  # fmt: skip
    report_folder.write_report(root / "report")
    for stray in ("data/nsynth-test/audio/a.wav", "helpers/__pycache__/x.pyc", "report/executed/01.ipynb", ".env"):
        (root / stray).parent.mkdir(parents=True, exist_ok=True)
        (root / stray).write_text("stray")
    return root


@pytest.fixture
def project(complete_project, tmp_path) -> Path:
    """A copy of the complete project to break."""
    return Path(shutil.copytree(complete_project, tmp_path / "project"))


def test_pack_writes_a_clean_archive_that_is_always_the_same(project, capsys):
    packed, report = handin.pack(project, COVER, verify=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:4] for line in lines[:-1]] == ["ok  "] * 5, lines
    assert (packed.name, report.name) == (f"{STUDENT}_hw0.zip", f"{STUDENT}_report.pdf")
    names = zipfile.ZipFile(packed).namelist()
    assert all(name.startswith(f"{STUDENT}_hw0/") for name in names)
    inside = {name.split("/", 1)[1] for name in names}
    assert {"inference.py", "README.txt", "requirements.txt", "checkpoints/nsynth.pt", "report/slides.typ"} <= inside
    assert "helpers/models/checkpoint.py" in inside and "report/metrics/02_classic.json" in inside
    assert not [name for name in inside if name.endswith((".wav", ".pyc", ".pdf", "linear.pt", ".env"))]
    assert not [name for name in inside if "executed" in name]
    first = packed.read_bytes()
    for path in project.rglob("*.py"):
        os.utime(path, (1e9, 1e9))
    handin.write(packed, project, handin.members(project), f"{STUDENT}_hw0")
    assert packed.read_bytes() == first


def test_nothing_is_written_when_a_rule_is_not_met(project, capsys):
    (project / "report" / "figures" / "01_nine.svg").unlink()
    (project / "README.txt").write_text("hello")
    (project / "inference.py").write_text("raise SystemExit('no model today')")
    with pytest.raises(InputError, match="not packed: 3 rules not met"):
        handin.pack(project, COVER, verify=False)
    printed = capsys.readouterr().out
    assert "01_mel.json: figures.0" in printed
    assert "it does not name the command" in printed and "no model today" in printed
    assert not list((project / "dist").iterdir())


def test_report_that_is_not_wide(tmp_path):
    import typst

    pdf = tmp_path / "r1_report.pdf"
    pdf.write_bytes(typst.compile({"main": b'#set page(paper: "a4")\ntext'}))
    with pytest.raises(InputError, match="not 16:9 on page 1"):
        handin.report_is_wide(pdf)
    pdf.write_bytes(b"text")
    with pytest.raises(InputError, match="not a PDF"):
        handin.report_is_wide(pdf)


def test_data_caches_and_other_models_are_named():
    good = [Path("inference.py"), Path("checkpoints/nsynth.pt")]
    handin.one_checkpoint_no_data(good)
    for files, named in (([*good, Path("checkpoints/irmas.pt")], "checkpoints/irmas.pt"),
                         ([*good, Path("a.wav")], "a.wav"), (good[:1], "not there")):  # fmt: skip
        with pytest.raises(InputError, match=named):
            handin.one_checkpoint_no_data(files)


def test_requirements_name_what_is_imported(tmp_path):
    (tmp_path / "inference.py").write_text("import numpy\ndef late():\n    import soundfile, librosa\n")
    loaded = {"numpy", "numpy.linalg", "soundfile", "soxr"}
    (tmp_path / "requirements.txt").write_text("# what is needed\nnumpy>=2\nsoundfile==0.13\n")
    handin.requirements_fit(tmp_path, loaded)
    for lines, fault in (("soundfile\nscikit_learn\n", "inference does not import scikit-learn"),
                         ("", "soundfile is missing")):  # fmt: skip
        (tmp_path / "requirements.txt").write_text("numpy>=2\n" + lines)
        with pytest.raises(InputError, match=f"^requirements.txt: {fault}$"):
            handin.requirements_fit(tmp_path, loaded)


def test_archive_that_is_too_large(tmp_path, monkeypatch):
    (tmp_path / "a.zip").write_bytes(b"0" * 2_000_000)
    handin.small_enough(tmp_path / "a.zip")
    monkeypatch.setattr(handin, "MOST_MB", 1)
    with pytest.raises(InputError, match="2 MB, more than 1"):
        handin.small_enough(tmp_path / "a.zip")


@pytest.mark.slow
@pytest.mark.skipif("CI" not in os.environ, reason="installs torch in a fresh environment; set CI=1 to run it")
def test_unpacked_archive_runs_in_a_fresh_environment(project, capsys):
    handin.pack(project, COVER, verify=True)
    assert "ok  runs in a fresh environment (top-1 accuracy: " in capsys.readouterr().out
