"""The films command: one command each for check, build, preview, train and tag, and one line for whatever is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from film_files import source, tone, write_film, write_sources

from helpers import audio
from helpers.__main__ import main
from helpers.config import ROOT
from helpers.datasets import film_sources as label_files
from helpers.datasets import films
from helpers.models.checkpoint import load_checkpoint, save_checkpoint

NAMES = ("erhu", "dizi", "pipa", "gong")
PITCH = dict(zip(NAMES, (300, 1200, 2500, 100), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films in which instruments are tones of their own, the last one a video."""
    folder = tmp_path_factory.mktemp("films")
    listed = []
    for number, split in enumerate(("train", "valid", "test")):
        order = np.random.default_rng(number).permutation(NAMES)
        sound = np.concatenate([tone(PITCH[name] * (1 + 0.02 * number), 3.0) for name in order])
        name = "c.mp4" if split == "test" else f"{number}.wav"
        if split == "test":
            write_film(folder / name, [np.stack([sound, sound])], picture=True)
        else:
            audio.write(folder / name, sound, 48_000)
        claims = [{"start": 3 * n, "end": 3 * n + 3, "instruments": [one]} for n, one in enumerate(order)]
        listed.append(source(split, file=name, split=split, segments=claims))
    write_sources(folder / "sources.json", *listed)
    return folder


@pytest.fixture(scope="module")
def checkpoint(folder: Path) -> Path:
    """What `build` and `train` leave."""
    assert main(["films", "build", str(folder / "sources.json"), "--out", str(folder / "built")]) == 0
    out = folder / "films.pt"
    command = ["films", "train", "--data", str(folder / "built"), "--epochs", "1", "--context", "1", "--out", str(out)]
    assert main(command) == 0
    return out


def failure(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    """The last line of what a command that fails prints, after its exit code was checked."""
    assert main(["films", *map(str, arguments)]) == 2
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    return printed.strip().splitlines()[-1]


def test_check_tells_that_all_is_well(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["films", "check", str(folder / "sources.json")]) == 0
    assert "no faults; 3 films, 3 of them here" in capsys.readouterr().out


def test_check_lists_every_fault(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    listed = write_sources(tmp_path / "s.json", source("a", file="0.wav", split="dev"), source("b", file="gone.wav"))
    assert main(["films", "check", str(listed), "--root", str(folder)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["sources[0].split", "sources[1].file", "error"]


def test_checkpoint_carries_its_recipe(checkpoint: Path) -> None:
    recipe = load_checkpoint(checkpoint, "films")
    assert recipe.classes == ["gong", "erhu", "dizi", "pipa"] and len(recipe.thresholds) == 4
    assert recipe.seconds == pytest.approx(0.96) and recipe.sample_rate == 16_000
    assert recipe.data["corpus"] == "films" and "segment_micro_f1" in recipe.scores["test"]
    assert recipe.scores["baselines"]["best constant"]["segment_micro_f1"] > 0
    assert recipe.command.startswith("python -m helpers")


def test_solos_add_statistics_and_scores_of_players_left_out(folder: Path, checkpoint: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("erhu_li1", "erhu_wu1", "dizi_li1", "xun", "pipa_li", "gong_1")):
        audio.write(tmp_path / f"{name}.wav", tone(PITCH.get(name.split("_")[0], 500) + 5 * number, 3.0), 48_000)
    out = tmp_path / "films.pt"
    command = ["films", "train", "--data", str(folder / "built"), "--epochs", "1", "--context", "2", "--out", str(out)]
    assert main([*command, "--solos", str(tmp_path)]) == 0
    found = load_checkpoint(out, "films")
    assert found.model == "film_ensemble" and len(set(found.thresholds)) == 1
    assert set(found.scores["solos, players left out"]) == {"CRNN", "statistics", "both", "majority class"}
    assert found.scores["solos, players left out"]["majority class"]["value"] == pytest.approx(2 / 5)
    assert "best constant" in found.scores["films of solos, players left out"]
    assert f"--solos {tmp_path}" in found.command or "--solos ../" in found.command
    tagged = ["films", "tag", str(folder / "c.mp4"), "--checkpoint", str(out), "--out", str(tmp_path / "tags")]
    assert main(tagged) == 0


def test_tag_writes_json_labels_and_figure_that_fit_together(checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    recipe = load_checkpoint(checkpoint, "films")
    recipe.thresholds = [0.01] * 4  # everything is heard all the time
    save_checkpoint(tmp_path / "all.pt", recipe)
    out = tmp_path / "tags"
    command = ["films", "tag", str(folder / "c.mp4"), "--checkpoint", str(tmp_path / "all.pt"), "--out", str(out)]
    assert main(command) == 0
    content = json.loads((out / "c.json").read_text(encoding="utf-8"))
    segments = content["sources"][0]["segments"]
    assert {segment["instruments"][0] for segment in segments} == set(NAMES)
    assert all(segment["end"] == pytest.approx(12.0, abs=0.1) for segment in segments)
    label = label_files.read_labels(out / "c.txt")[0]
    assert (label["start"], label["end"]) == (segments[0]["start"], segments[0]["end"])
    assert (out / "c.png").stat().st_size > 10_000
    assert main(["films", "check", str(out / "c.json"), "--root", str(folder)]) == 0, "tags are a sources file"


def test_preview_draws_a_figure(checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    built = str(folder / "built")
    assert main(["films", "preview", "test", "--data", built, "--out", str(tmp_path / "p.svg")]) == 0
    assert (tmp_path / "p.svg").stat().st_size > 10_000


def test_audacity_labels_become_a_source(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("0\t3\terhu\n3\t6\tpipa @0.4\n", encoding="utf-8")
    into = tmp_path / "mine.json"
    command = ["films", "import-labels", str(tmp_path / "labels.txt"), "--into", str(into), "--file", "0.wav", "--id",
               "mine", "--title", "Mine", "--licence", "own", "--split", "train"]
    assert main(command) == 0
    assert main(["films", "check", str(into), "--root", str(folder)]) == 0


def test_schema_is_printed(capsys: pytest.CaptureFixture) -> None:
    assert main(["films", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Sources of labelled films"


def test_faults_are_one_line(checkpoint: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "noise.mp4").write_bytes(b"no film" * 100)
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    audio.write(tmp_path / "short.wav", np.zeros(100), 16_000)
    built = folder / "built"
    for message, arguments in {
        "no such file": ("tag", tmp_path / "none.mp4", "--checkpoint", checkpoint),
        "cannot be read as audio": ("tag", tmp_path / "noise.mp4", "--checkpoint", checkpoint),
        "less than 0.03 s": ("tag", tmp_path / "short.wav", "--checkpoint", checkpoint, "--out", tmp_path),
        "not a checkpoint": ("tag", folder / "c.mp4", "--checkpoint", tmp_path / "noise.mp4"),
        "is not JSON": ("check", tmp_path / "broken.json"),
        "no such data set": ("train", "--data", tmp_path),
        "too short": ("train", "--data", built, "--context", "0.1", "--epochs", "1"),
        "none has the id 'x'": ("preview", "x", "--data", built, "--out", tmp_path / "x.png"),
    }.items():
        line = failure(capsys, *arguments)
        assert line.startswith("error: ") and message in line


def test_help_of_every_action_has_examples() -> None:
    actions = ("check", "build", "preview", "train", "tag", "schema", "import-labels")
    shown = subprocess.run([sys.executable, "-c", "\n".join(
        ["import contextlib", "from helpers.__main__ import main"]
        + [f"with contextlib.suppress(SystemExit): main(['films', '{action}', '--help'])" for action in actions]
    )], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert shown.count("examples:") == len(actions)


def test_the_twelve_real_clips_from_sources_to_tags(checkpoint: Path, shared_data: Path, tmp_path: Path) -> None:
    """MP3s one after the other in a film, with labels where the four instruments play, through the whole pipeline."""
    clips = sorted((shared_data / "chinese").glob("*.mp3"))
    assert len(clips) == 12
    sounds = {path.stem: audio.read(path, 48_000, duration=4.0) for path in clips}
    begins = np.concatenate([[0], np.cumsum([len(sound) for sound in sounds.values()])]) / 48_000
    claims = [{"start": float(start), "end": float(end), "instruments": [name]}
              for name, start, end in zip(sounds, begins[:-1], begins[1:], strict=True) if name in NAMES]
    mono = np.concatenate(list(sounds.values()))
    write_film(tmp_path / "film.mkv", [np.stack([mono, 0.5 * mono])], picture=True)
    whole = {path: {"start": 0, "end": audio.length(path), "instruments": [path.stem] if path.stem in NAMES else []}
             for path in clips}
    solos = write_sources(tmp_path / "solos.json", *(
        source(path.stem, file=path.relative_to(shared_data).as_posix(), segments=[segment])
        for path, segment in whole.items()))
    film = write_sources(tmp_path / "film.json", source("film", file="film.mkv", split="test", segments=claims))
    assert main(["films", "build", str(solos), "--root", str(shared_data), "--out", str(tmp_path / "solos")]) == 0
    assert main(["films", "build", str(film), "--out", str(tmp_path / "film")]) == 0
    heard = {row["id"]: row["heard"] for row in films.summary(films.load(tmp_path / "solos"))}
    assert all(heard[name][name] > 1 and sum(heard[name].values()) == heard[name][name] for name in NAMES)
    labels = films.load(tmp_path / "film").films[0].labels
    assert labels.sum(axis=0) * 0.03 == pytest.approx([min(4.0, len(sounds[name]) / 48_000) for name in
                                                       ("gong", "erhu", "dizi", "pipa")], abs=0.05)
    tags = tmp_path / "tags"
    assert main(["films", "tag", str(tmp_path / "film.mkv"), "--checkpoint", str(checkpoint), "--out", str(tags)]) == 0
    assert {path.name for path in tags.iterdir()} == {"film.json", "film.txt", "film.png"}
