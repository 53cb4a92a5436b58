"""Real solos: who plays, what the statistics learn of them, and that no player stands on two sides."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from film_files import source, tone, write_sources

from helpers import audio
from helpers.config import InputError
from helpers.datasets import film_builder, films
from helpers.datasets.base import Clip
from helpers.experiments import left_out, solos
from helpers.experiments.solos import Table

NAMES = ["gong", "erhu", "dizi", "pipa"]


def named(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_recordings_are_labelled_and_grouped_by_their_names(tmp_path: Path) -> None:
    names = ("erhu_a1.flac", "erhu_b1.flac", "gong_growl1.mp3", "gong_growl2.mp3", "gong_1.mp3", "xun.wav", "notes.txt")
    found = {clip.name: clip for clip in solos.solos_below(named(tmp_path, *names), NAMES)}
    assert {name: clip.labels for name, clip in found.items()} == {
        "erhu_a1": (1,), "erhu_b1": (1,), "gong_growl1": (0,), "gong_growl2": (0,), "gong_1": (0,), "xun": ()}
    assert found["erhu_a1"].group == found["erhu_b1"].group, "a letter is a phrase"
    assert found["gong_growl1"].group == found["gong_growl2"].group != found["gong_1"].group
    assert len({clip.group for clip in found.values()}) == 4


def test_solos_of_a_folder_are_those_of_chmusic_or_named_recordings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no solos of gong, erhu"):
        solos.solos_below(tmp_path, NAMES)
    named(tmp_path, "erhu_a1.wav", "xun.wav")
    assert [clip.labels for clip in solos.solos_below(tmp_path, NAMES)] == [(1,), ()]
    (tmp_path / "chmusic").mkdir()
    named(tmp_path / "chmusic", "1.2.wav")
    found = solos.solos_below(tmp_path, NAMES)
    assert [(clip.group, clip.labels) for clip in found] == [("1.2", (1,))]
    assert solos.instrument_of(found[0], NAMES) == "erhu"


def test_excerpts_cover_what_sounds(tmp_path: Path) -> None:
    audio.write(tmp_path / "erhu.wav", np.concatenate([tone(500, 6.0, 16_000), np.zeros(160_000)]), 16_000)
    found = solos.cut(Clip(tmp_path / "erhu.wav", (1,), "erhu"))
    assert {wave.shape for wave in found} == {(48_000,)}
    assert len(found) == 7  # those that begin at -0.54 s, 0.42 s, ... 5.22 s
    assert np.abs(found[0][:8_640]).max() == 0 and np.abs(found[0][8_640:]).max() > 0.4


def table(rng: np.random.Generator) -> Table:
    """Three instruments and others, which differ in one column; players differ far more in another."""
    names = np.repeat([*NAMES, "xiao", "music"], 40)
    player = np.array([f"{name} {number % 4}" for number, name in enumerate(names)])
    x = rng.normal(size=(len(names), 593))
    for number, name in enumerate(NAMES):
        x[names == name, 530 + number] += 4.0  # of the pitch, in both views
    x[names == "xiao", 532] += 4.0  # like the dizi
    x[:, 540] += 8.0 * np.unique(player, return_inverse=True)[1]
    return Table(x, names, player, names != "music")


def logits(network, x: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        return network.classifier.head(torch.from_numpy(x).float()).numpy()


def test_the_statistics_tell_instruments_apart_and_relatives_lie_between() -> None:
    rng = np.random.default_rng(0)
    network, rows = solos.fit(table(rng), NAMES), np.zeros((5, 593))
    rows[np.arange(4), 530 + np.arange(4)] = 4.0
    found = logits(network, rows)
    assert found[:4].argmax(axis=1).tolist() == [0, 1, 2, 3]
    known = table(rng)
    dizi, xiao, music = (logits(network, known.statistics[known.instrument == name])[:, 2].mean()
                         for name in ("dizi", "xiao", "music"))
    assert dizi > music and xiao > music


def test_an_instrument_without_examples_is_refused() -> None:
    rows = table(np.random.default_rng(0))
    with pytest.raises(InputError, match="none of gong"):
        solos.fit(rows.without([f"gong {number}" for number in range(4)]), NAMES)


def test_weights_by_hand() -> None:
    rows = Table(np.zeros((6, 1)), np.array(["erhu"] * 5 + ["music"]), np.array([*"aaaa", "b", "m"]),
                 np.array([True] * 5 + [False]))  # fmt: skip
    found = solos.weights(np.array([0, 0, 0, 0, 0, -1]), rows)
    assert found == pytest.approx(np.array([1 / 6] * 4 + [1 / 3, 2]) / 3)


def test_a_player_or_a_file_on_both_sides_is_refused(tmp_path: Path) -> None:
    for name, frequency in (("a", 300), ("b", 400)):
        audio.write(tmp_path / f"{name}.wav", tone(frequency, 1.0), 48_000)
    shutil.copy(tmp_path / "a.wav", tmp_path / "copy.wav")
    a, b, copy = (Clip(tmp_path / f"{name}.wav", (0,), name) for name in ("a", "b", "copy"))
    left_out.apart([a], [b])
    for other in (copy, Clip(b.path, (0,), "a")):
        with pytest.raises(InputError, match="trained on and tested on"):
            left_out.apart([a], [other])


def test_a_solo_that_is_a_test_film_is_refused(tmp_path: Path) -> None:
    audio.write(tmp_path / "film.wav", tone(300, 2.0), 48_000)
    listed = write_sources(tmp_path / "s.json", source("film", split="test"))
    film_builder.build(listed, tmp_path, tmp_path / "built")
    built = films.load(tmp_path / "built")
    shutil.copy(tmp_path / "film.wav", tmp_path / "erhu.wav")
    with pytest.raises(InputError, match="is a test film, too"):
        left_out.refuse_test_films([Clip(tmp_path / "erhu.wav", (1,), "erhu")], built)
    audio.write(tmp_path / "erhu.wav", tone(301, 2.0), 48_000)
    left_out.refuse_test_films([Clip(tmp_path / "erhu.wav", (1,), "erhu")], built)


def test_named_right_is_tagged_longest() -> None:
    loud, soft, solo = np.full((40, 4), -5.0), np.full((40, 4), -5.0), Clip(Path("a"), (1,), "a")
    loud[:30, 1], soft[:, 2] = 5.0, 4.0
    answers = {solo: np.stack([loud, soft])}
    assert left_out.hits(answers, 1.0).tolist() == [1.0] and left_out.hits(answers, 0.0).tolist() == [0.0]
    assert left_out.hits({solo: np.stack([np.full((40, 4), -5.0), soft])}, 1.0).tolist() == [0.0], "nothing is tagged"
    found = left_out.scores(answers)
    assert found["CRNN"]["value"] == 1.0 and found["statistics"]["value"] == 0.0
    assert found["majority class"]["value"] == 1.0


def test_films_of_solos_are_labelled_where_the_solo_sounds(tmp_path: Path) -> None:
    for name, frequency in (("gong", 150), ("erhu", 700), ("xun", 400)):
        audio.write(tmp_path / f"{name}.wav", np.concatenate([tone(frequency, 3.0), np.zeros(48_000)]), 48_000)
    built = left_out.films_of_solos(solos.solos_below(tmp_path, NAMES), tmp_path / "out", seed=0)
    assert [film.split for film in built.films] == ["test", "test"] and built.data == "subset"
    for one in built.films:
        assert one.labels.sum(axis=0) * 0.03 == pytest.approx([3.0, 3.0, 0.0, 0.0], abs=0.1)
    assert not np.array_equal(built.films[0].labels, built.films[1].labels)
