"""Every fault that data/sources/FORMAT.md promises to catch, each at its place, and all of a file at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from film_files import source, tone, write_sources

from helpers import audio
from helpers.config import ROOT, InputError
from helpers.datasets import film_checks as films_checks
from helpers.datasets.film_checks import SourcesError
from helpers.datasets.film_sources import Sources, format_time, parse_time, schema

EXAMPLE = ROOT / "data" / "sources" / "example.json"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder with two different films of two seconds."""
    for number, name in enumerate(("a", "b")):
        audio.write(tmp_path / f"{name}.wav", tone(440 + 100 * number, 2.0, 16_000), 16_000)
    return tmp_path


def faults(folder: Path, *sources: dict, **changes) -> dict[str, str]:
    """Path -> message of everything that is wrong with a sources file."""
    path = write_sources(folder / "sources.json", *sources, **changes)
    with pytest.raises(SourcesError) as error:
        films_checks.read(path, folder)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    return {fault.path: fault.message for fault in error.value.faults}


def claim(start, end, *names: str, **more) -> dict:
    return {"start": start, "end": end, "instruments": list(names), **more}


def test_a_sound_file_is_read(films: Path) -> None:
    path = write_sources(films / "s.json", source("a", offset="-00:00:00.100"), source("b", split="test"))
    sources, found = films_checks.read(path, films)
    assert sources.sources[0].offset == pytest.approx(-0.1)
    assert [film.source.id for film in found] == ["a", "b"]
    assert found[0].seconds == pytest.approx(2.0)


@pytest.mark.parametrize(("text", "seconds"), [("00:01:02.500", 62.5), ("01:00:00", 3600), (7, 7), (0.25, 0.25)])
def test_times(text: str | float, seconds: float) -> None:
    assert parse_time(text) == seconds
    assert parse_time(format_time(seconds)) == seconds
    assert format_time(62.5) == "00:01:02.500" and format_time(-0.1) == "-00:00:00.100"


@pytest.mark.parametrize("wrong", [1e300, -1e300, 1e7, -3])
@pytest.mark.parametrize("key", ["end", "offset"])
def test_absurd_times(films: Path, wrong: float, key: str) -> None:
    one = source("a", segments=[claim(0, wrong if key == "end" else 1, "erhu")], offset=wrong if key == "offset" else 0)
    (message,) = faults(films, one).values()
    assert "\n" not in message and ";" in message


@pytest.mark.parametrize("wrong", ["1:20", "00:60:00", "00:00:61", "later", True, None, "1e3", "-1"])
def test_what_is_no_time(films: Path, wrong) -> None:
    found = faults(films, source("a", segments=[claim(0, wrong, "erhu")]))
    assert "HH:MM:SS.mmm" in found["sources[0].segments[0].end"]


def test_unknown_instrument_names_the_nearest(films: Path) -> None:
    found = faults(films, source("a", segments=[claim(0, 1, "gong", "Ehru")]))
    assert found == {"sources[0].segments[0].instruments[1]":
                     "'Ehru' is not one of the instruments; did you mean 'erhu'?"}


@pytest.mark.parametrize("end", [0.5, 1.0])
def test_end_before_start(films: Path, end: float) -> None:
    found = faults(films, source("a", segments=[claim(1.0, end, "erhu")]))
    assert "is not after the start" in found["sources[0].segments[0].end"]


def test_beyond_the_end_and_before_the_beginning(films: Path) -> None:
    found = faults(films, source("a", segments=[claim(1, 2.5, "erhu")]),
                   source("b", offset=-0.5, segments=[claim(0.2, 1, "erhu"), claim(1.5, 2.5, "gong")]))
    assert set(found) == {"sources[0].segments[0].end", "sources[1].segments[0].start"}
    assert "beyond its end 00:00:02.000" in found["sources[0].segments[0].end"]


@pytest.mark.parametrize(("other", "clash"), [
    (claim(0.5, 1.5, "erhu"), True), (claim(0.5, 1.5, "gong"), False), (claim(1.0, 1.5, "erhu"), False),
    (claim(0.5, 1.5), True), (claim(0.2, 0.4, "erhu", "pipa"), True),
])
def test_overlapping_claims(films: Path, other: dict, clash: bool) -> None:
    one = source("a", segments=[claim(0, 1, "erhu"), other])
    if clash:
        assert "overlaps segments[0] in what it says of erhu" in faults(films, one)["sources[0].segments[1]"]
    else:
        films_checks.read(write_sources(films / "s.json", one), films)


def test_a_long_claim_is_compared_beyond_its_neighbour(films: Path) -> None:
    found = faults(films, source("a", segments=[claim(0, 2, "erhu"), claim(0.1, 0.2, "erhu"), claim(1, 1.5, "erhu")]))
    assert set(found) == {"sources[0].segments[1]", "sources[0].segments[2]"}


def test_duplicate_ids_whatever_their_case(films: Path) -> None:
    assert "also the id of sources[0]" in faults(films, source("a"), source("A", file="b.wav"))["sources[1].id"]


def test_two_sources_that_are_the_same_film(films: Path) -> None:
    shutil.copy(films / "a.wav", films / "renamed.wav")
    found = faults(films, source("a"), source("b", file="renamed.wav", split="test"))
    assert "same file as that of sources[0]" in found["sources[1].file"]


@pytest.mark.parametrize("outside", ["../a.wav", "/etc/passwd", "x/../../a.wav"])
def test_path_outside_of_the_root(films: Path, outside: str) -> None:
    assert "points outside of" in faults(films, source("a", file=outside))["sources[0].file"]


def test_missing_file_and_unreadable_codec(films: Path) -> None:
    (films / "b.wav").write_bytes(b"nothing that plays" * 100)
    found = faults(films, source("a", file="gone.mp4"), source("b"), source("c", file="a.wav", track=3))
    assert "no such file" in found["sources[0].file"]
    assert "cannot be read as audio" in found["sources[1].file"]
    assert "no readable audio stream 3" in found["sources[2].file"]


def test_file_or_url(films: Path) -> None:
    both, neither, unsure = source("a", url="https://x.org/a.wav", sha256="0" * 64), source("b"), source("c")
    del neither["file"], unsure["file"]
    found = faults(films, both, neither, {**unsure, "url": "https://x.org/c.wav"})
    assert "either a file or a url" in found["sources[0].url"]
    assert "either a file or a url" in found["sources[1].url"]
    assert "checksum" in found["sources[2].sha256"]
    assert set(faults(films, {**neither, "sha256": "0" * 64})) == {"sources[0].url"}


def test_a_url_that_is_not_downloaded_yet_is_no_fault(films: Path) -> None:
    one = source("a", url="https://x.org/a.wav", sha256="0" * 64)
    del one["file"]
    sources, found = films_checks.read(write_sources(films / "s.json", one, source("b")), films)
    assert len(sources.sources) == 2 and [film.source.id for film in found] == ["b"]


@pytest.mark.parametrize(("change", "place", "message"), [
    ({"certanty": 1}, "sources[0].certanty", "unknown key"),
    ({"split": "dev"}, "sources[0].split", "'train', 'valid' or 'test', not 'dev'"),
    ({"id": "a b"}, "sources[0].id", "pattern"),
    ({"id": "../a"}, "sources[0].id", "pattern"),
    ({"title": ""}, "sources[0].title", "at least 1 character"),
    ({"segments": [claim(0, 1, "erhu", certainty=1.5)]}, "sources[0].segments[0].certainty", "less than or equal to 1"),
    ({"segments": [claim(0, 1, "erhu", "erhu")]}, "sources[0].segments[0].instruments", "twice"),
    ({"segments": [3]}, "sources[0].segments[0]", "dictionary"),
])
def test_structure(films: Path, change: dict, place: str, message: str) -> None:
    assert message in faults(films, source("a", **change))[place]


def test_what_is_missing(films: Path) -> None:
    assert faults(films, {"id": "a", "file": "a.wav"}) == {
        f"sources[0].{key}": "is missing; add it" for key in ("title", "licence", "split", "segments")}


@pytest.mark.parametrize("content", [
    [], 3, None, {}, {"version": 1, "instruments": [], "sources": {}}, {"sources": [1, []]}, {"sources": None},
    {"sources": 5, "instruments": 7}, {"sources": [{"id": 3, "segments": None, "offset": []}], "instruments": [[]]},
    {"sources": [{"segments": [{"start": [], "end": {}, "instruments": [{}], "certainty": "1"}]}], "version": []},
])
def test_other_json_is_refused_in_words(tmp_path: Path, content) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SourcesError):
        films_checks.read(path, tmp_path)


def test_all_faults_at_once_in_the_order_of_the_file(films: Path) -> None:
    found = faults(
        films,
        source("a", split="dev", segments=[claim(2, 1, "erhu"), claim(0, 9, "pipo"), claim("x", 1, "gong")]),
        source("a", file="missing.wav", segments=[claim(0, 1, "erhu"), claim(0.5, 1, "erhu")]),
        version=2,
    )
    assert list(found) == [
        "sources[0].segments[0].end", "sources[0].segments[1].end", "sources[0].segments[1].instruments[0]",
        "sources[0].segments[2].start", "sources[0].split", "sources[1].file", "sources[1].id",
        "sources[1].segments[1]", "version",
    ]


def test_the_example_lacks_nothing_but_its_films(tmp_path: Path) -> None:
    assert films_checks.structure(json.loads(EXAMPLE.read_text(encoding="utf-8"))) == []
    with pytest.raises(SourcesError) as error:
        films_checks.read(EXAMPLE, tmp_path)
    assert {fault.path for fault in error.value.faults} == {"sources[0].file", "sources[1].file"}
    assert all("no such file" in fault.message for fault in error.value.faults)


def test_the_committed_schema_is_that_of_the_code_and_takes_the_example() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    committed = json.loads((EXAMPLE.parent / "schema.json").read_text(encoding="utf-8"))
    assert committed == schema(), "run `python -m helpers films schema --out data/sources/schema.json`"
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    jsonschema.validate(example, committed)
    example["sources"][0]["segments"][0]["end"] = "1:20"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(example, committed)


def test_a_large_annotation_is_checked_in_linear_time() -> None:
    segments = [claim(n, n + 0.5, "erhu") for n in range(20_000)]
    sources = Sources.model_validate({"version": 1, "instruments": ["erhu"],
                                      "sources": [{**source("a"), "segments": segments}]})
    assert list(films_checks.claims(sources.sources[0])) == []


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "9" * 5000])
def test_numbers_that_json_does_not_know(films: Path, number: str) -> None:
    path = write_sources(films / "s.json", source("a", offset=0.125))
    path.write_text(path.read_text(encoding="utf-8").replace("0.125", number), encoding="utf-8")
    with pytest.raises(InputError, match="is not JSON") as error:
        films_checks.read(path, films)
    assert "\n" not in str(error.value)


def test_missing_sources_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        films_checks.read(tmp_path / "none.json", tmp_path)
