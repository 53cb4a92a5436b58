"""Known answers for the built data set: labels of 30 ms, splits by film, and the same bytes after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from film_files import source, tone, write_film, write_sources

from helpers import audio
from helpers.config import ROOT, InputError
from helpers.datasets import film_builder as films_build
from helpers.datasets import films
from helpers.datasets.base import DEMO_MARK
from helpers.datasets.film_builder import labels
from helpers.datasets.film_sources import Source

NAMES = ["gong", "erhu", "dizi", "pipa"]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A sources file over three films of two seconds, one of them video."""
    for number, name in enumerate(("a", "b")):
        audio.write(tmp_path / f"{name}.wav", tone(440 + 100 * number, 2.0, 16_000), 16_000)
    write_film(tmp_path / "c.mp4", [np.stack([tone(880, 2.0), tone(440, 2.0)])], picture=True)
    overlap = [{"start": 0.3, "end": 0.9, "instruments": ["erhu"]},
               {"start": 0.6, "end": 1.2, "instruments": ["gong"], "certainty": 0.3}]
    return write_sources(tmp_path / "s.json", source("a", segments=overlap),
                         source("b", exhaustive=False, split="valid"), source("c", file="c.mp4", split="test"))


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def labelled(segments: list[dict], **changes) -> tuple[np.ndarray, np.ndarray]:
    return labels(Source.model_validate(source("a", segments=segments, **changes)), NAMES, 10)


def test_a_window_belongs_to_a_segment_if_its_middle_does() -> None:
    presence, _ = labelled([{"start": 0.044, "end": 0.106, "instruments": ["erhu"]}])  # middles: 0.015, 0.045, …
    assert presence[:, 1].tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    touching, _ = labelled([{"start": 0.045, "end": 0.105, "instruments": ["erhu"]}])
    assert touching[:, 1].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_overlapping_segments_unite_and_the_lower_certainty_holds() -> None:
    presence, certainty = labelled([{"start": 0, "end": 0.18, "instruments": ["erhu"], "certainty": 0.8},
                                    {"start": 0.09, "end": 0.24, "instruments": ["gong", "pipa"], "certainty": 0.6}])
    assert presence.sum(axis=1).tolist() == [1, 1, 1, 3, 3, 3, 2, 2, 0, 0]
    np.testing.assert_allclose(certainty, [0.8] * 3 + [0.6] * 5 + [1, 1])


def test_outside_of_segments_nothing_is_known_unless_the_film_is_exhaustively_annotated() -> None:
    segment = [{"start": 0, "end": 0.15, "instruments": ["erhu"]}, {"start": 0.15, "end": 0.21, "instruments": []}]
    presence, certainty = labelled(segment, exhaustive=False)
    assert np.isnan(presence[7:]).all() and np.isnan(certainty[7:]).all()
    np.testing.assert_array_equal(presence[:7, 1], [1, 1, 1, 1, 1, 0, 0])
    assert (presence[:7, [0, 2, 3]] == 0).all()
    assert (labelled(segment)[0][7:] == 0).all()


def test_the_offset_shifts_every_label() -> None:
    segment = [{"start": 0, "end": 0.06, "instruments": ["erhu"]}]
    assert labelled(segment, offset=0.09)[0][:, 1].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_the_manifest_has_a_row_for_every_window(listed: Path, tmp_path: Path) -> None:
    table = pq.read_table(films_build.build(listed, tmp_path, tmp_path / "out"))
    assert table.column_names == ["source", "start", "end", *NAMES, "certainty", "split"]
    rows = [row for row in table.to_pylist() if row["source"] == "a"]
    assert len(rows) == 66
    assert (rows[1]["start"], rows[1]["end"], rows[1]["split"]) == (0.03, 0.06, "train")
    assert [row["start"] for row in rows if row["erhu"]] == [pytest.approx(0.03 * n) for n in range(10, 30)]
    outside = [row for row in table.to_pylist() if row["source"] == "b" and row["start"] > 1]
    assert all(row[name] is None for row in outside for name in (*NAMES, "certainty"))


def test_sound_is_downmixed_and_resampled_and_keeps_its_time(listed: Path, tmp_path: Path) -> None:
    films_build.build(listed, tmp_path, tmp_path / "out")
    with soundfile.SoundFile(films_build.audio_path(tmp_path / "out", "c")) as file:
        assert (file.samplerate, file.channels, file.subtype) == (16_000, 1, "PCM_16")
        spectrum = np.abs(np.fft.rfft(file.read()[4000:20000]))
    assert {int(np.argmax(spectrum[:600])), 600 + int(np.argmax(spectrum[600:]))} == {440, 880}


def interrupted(monkeypatch: pytest.MonkeyPatch, after_blocks: int) -> None:
    """Make decoding stop as Ctrl-C would, after so many blocks."""
    left, stream = [after_blocks], audio.stream

    def counted(path, rate, *arguments, **keywords):
        for block in stream(path, rate, *arguments, **keywords):
            if not arguments:  # building, not probing
                if left[0] == 0:
                    raise KeyboardInterrupt
                left[0] -= 1
            yield block

    monkeypatch.setattr(audio, "stream", counted)


@pytest.mark.parametrize("after_blocks", [0, 1, 2])
def test_stopped_and_started_again_gives_the_same_bytes(listed: Path, tmp_path: Path, monkeypatch, after_blocks):
    films_build.build(listed, tmp_path, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupted(patch, after_blocks)
        with pytest.raises(KeyboardInterrupt):
            films_build.build(listed, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out" / films_build.MANIFEST).exists()
    films_build.build(listed, tmp_path, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_and_started_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        noise = np.random.default_rng(ord(name)).normal(0, 0.1, 16_000 * 240)
        audio.write(tmp_path / f"{name}.wav", noise, 16_000)
    listed = write_sources(tmp_path / "s.json", *(source(name) for name in "abc"))
    command = [sys.executable, "-m", "helpers", "films", "build", str(listed), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    first = films_build.audio_path(tmp_path / "out", "a")
    while not first.exists() and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert first.exists() and not (tmp_path / "out" / films_build.MANIFEST).exists()
    kept = first.stat().st_mtime_ns
    films_build.build(listed, tmp_path, tmp_path / "out")
    films_build.build(listed, tmp_path, tmp_path / "whole")
    assert first.stat().st_mtime_ns == kept, "what was finished is not done again"
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_film_that_changed_is_decoded_again_and_new_labels_cost_nothing(listed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    films_build.build(listed, tmp_path, out)
    before = contents(out)
    stamps = {path.name: path.stat().st_mtime_ns for path in (out / "audio").iterdir()}
    audio.write(tmp_path / "a.wav", tone(300, 2.0, 16_000), 16_000)
    write_sources(listed, source("a"), source("b", segments=[]), source("c", file="c.mp4"))
    films_build.build(listed, tmp_path, out)
    after = contents(out)
    assert after["audio/a.flac"] != before["audio/a.flac"] and after["manifest.parquet"] != before["manifest.parquet"]
    assert all((out / "audio" / f"{name}.flac").stat().st_mtime_ns == stamps[f"{name}.flac"] for name in "bc")


def test_a_faulty_sources_file_builds_nothing(listed: Path, tmp_path: Path) -> None:
    write_sources(listed, source("a"), source("gone"))
    with pytest.raises(InputError, match="no such file"):
        films_build.build(listed, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_line_and_the_build_goes_on_later(listed: Path, tmp_path: Path, monkeypatch) -> None:
    for error in (OSError(28, "No space left on device"), soundfile.LibsndfileError(2), AssertionError()):
        with monkeypatch.context() as patch:
            patch.setattr(soundfile.SoundFile, "write", lambda file, data, error=error: (_ for _ in ()).throw(error))
            with pytest.raises(InputError, match="cannot be written") as caught:
                films_build.build(listed, tmp_path, tmp_path / "out")
        assert "\n" not in str(caught.value) and not list((tmp_path / "out").rglob("*.flac"))
    films_build.build(listed, tmp_path, tmp_path / "out")
    films_build.audio_path(tmp_path / "out", "a").write_bytes(b"damaged")
    assert films.load(films_build.build(listed, tmp_path, tmp_path / "out").parent).split("train")
    assert soundfile.info(films_build.audio_path(tmp_path / "out", "a")).frames == 32_000


def test_a_file_in_the_place_of_the_folder_is_one_line(listed: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="out: cannot be written"):
        films_build.build(listed, tmp_path, tmp_path / "out")


def test_excerpts_know_what_is_known(listed: Path, tmp_path: Path) -> None:
    films_build.build(listed, tmp_path, tmp_path / "out")
    built = films.load(tmp_path / "out")
    assert (built.data, built.instruments) == ("subset", NAMES)
    data = films.FilmDataset(built.split("train"), context=16, hop=16)
    waveform, target = data[1]  # windows 16 to 31 of film a: 0.48 s to 0.96 s
    assert waveform.shape == (16 * 480,) and target.shape == (16, 4)
    assert target[:4, 1].tolist() == [1, 1, 1, 1]
    assert np.isnan(target[4:]).all(), "windows with a certainty of 0.3 are not learned from"
    np.testing.assert_allclose(waveform, audio.read(tmp_path / "a.wav", 16_000, 0.48, 0.48), atol=1e-4)
    assert len(films.FilmDataset(built.split("valid"), 16, 16)) == 2, "excerpts of which nothing is known are left out"
    assert np.isnan(data.targets[-1]).sum() == 14 * 4, "beyond the end nothing is known"


def test_no_film_stands_on_two_sides(demo_root: Path, tmp_path: Path) -> None:
    folder = demo_root / "films"
    films_build.build(folder / "sources.json", folder, tmp_path)
    built = films.load(tmp_path)
    sides = {side: {film.id for film in built.split(side)} for side in ("train", "valid", "test")}
    assert not sides["train"] & sides["valid"] and not sides["train"] & sides["test"]
    assert built.data == "demo"
    assert not np.isnan(np.concatenate([film.labels for film in built.films])).any()


def test_solos_are_passages_of_one_instrument(listed: Path, tmp_path: Path) -> None:
    write_sources(listed, source("a", segments=[{"start": 0, "end": 1.5, "instruments": ["pipa"]},
                                                {"start": 1.2, "end": 2, "instruments": ["gong"]}]))
    films_build.build(listed, tmp_path, tmp_path / "out")
    (solo,) = films.solos(films.load(tmp_path / "out").films)
    assert (solo.labels, solo.group, solo.start, solo.duration) == ((3,), "a", 0.0, pytest.approx(1.2))


def test_summary_by_hand(listed: Path, tmp_path: Path) -> None:
    films_build.build(listed, tmp_path, tmp_path / "out")
    built = films.load(tmp_path / "out")
    first = films.summary(built)[0]
    assert first["heard"] == {"gong": 0.6, "erhu": 0.6, "dizi": 0.0, "pipa": 0.0}
    assert first["polyphony"] == [pytest.approx(1.08), pytest.approx(0.6), pytest.approx(0.3), 0, 0]
    assert "all" in films.table(built).splitlines()[-1]


def test_demo_stays_demo(listed: Path, tmp_path: Path) -> None:
    (tmp_path / DEMO_MARK).write_text("generated", encoding="utf-8")
    films_build.build(listed, tmp_path, tmp_path / "out")
    assert films.load(tmp_path / "out").data == "demo"


def test_damage_is_told_in_one_line(listed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such data set"):
        films.load(tmp_path / "out")
    manifest = films_build.build(listed, tmp_path, tmp_path / "out")
    manifest.write_bytes(manifest.read_bytes()[:-50])
    with pytest.raises(InputError, match="damaged manifest") as error:
        films.load(tmp_path / "out")
    assert "\n" not in str(error.value)
