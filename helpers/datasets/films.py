"""Films with Chinese instruments: the polyphonic data set that `films build` made of a sources file.

There is no official corpus: whoever has films lists them as data/sources/FORMAT.md says. The labels have a
resolution of 30 ms, but nobody hears an instrument in 30 ms: networks are given seconds around each window (the
`context`) and answer for all windows of it at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from helpers.config import InputError
from helpers.datasets.base import FILM_RATE, FILM_WINDOW_S, Clip, ClipDataset, Corpus, Report
from helpers.files import fingerprint

SAMPLE_RATE, WINDOW_S = FILM_RATE, FILM_WINDOW_S
INSTRUMENTS = ("gong", "erhu", "dizi", "pipa")
MANIFEST = "manifest.parquet"
MIN_CERTAINTY = 0.5  # below, a claim is too doubtful to learn from or to judge by
MIN_SOLO = 34  # windows: a second
REMEDY = "build it with `python -m helpers films build SOURCES.json --out FOLDER`"


@dataclass(frozen=True)
class BuiltFilm:
    """One film of the data set; the film is the group of all its windows."""

    id: str
    title: str
    split: str
    path: Path  # of the FLAC
    labels: np.ndarray  # float32 [windows, instruments]: 1 heard, 0 not heard, NaN unknown
    certainty: np.ndarray  # float32 [windows], NaN where nothing is known

    @property
    def targets(self) -> np.ndarray:
        """Labels [windows, instruments] with doubtful windows made unknown."""
        return np.where((self.certainty >= MIN_CERTAINTY)[:, None], self.labels, np.float32(np.nan))


@dataclass(frozen=True)
class Films:
    """A built data set."""

    instruments: list[str]
    data: str  # data label of every number that stands on it
    films: list[BuiltFilm]

    def split(self, name: str) -> list[BuiltFilm]:
        """The films of one side; an InputError if there are none."""
        if found := [film for film in self.films if film.split == name]:
            return found
        raise InputError(f"films: none has the split {name!r}; give it to a film of the sources file, build again")

    def film(self, name: str) -> BuiltFilm:
        """The film with an id; an InputError if there is none."""
        for film in self.films:
            if film.id == name:
                return film
        raise InputError(f"films: none has the id {name!r}; there are {', '.join(film.id for film in self.films)}")

    @property
    def fingerprint(self) -> str:
        """Digest of names, splits and labels."""
        return fingerprint((film.id, film.split, film.targets.tobytes()) for film in self.films)


def audio_path(out: Path, source_id: str) -> Path:
    """Where the sound of a built film lies."""
    return Path(out) / "audio" / f"{source_id}.flac"


def load(out: Path) -> Films:
    """Open a built data set; an InputError if it is not there or its manifest is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(out) / MANIFEST
    if not path.is_file():
        raise InputError(f"{path}: no such data set; {REMEDY}")
    try:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"films"])
    except (pa.ArrowInvalid, OSError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged manifest ({str(error).splitlines()[0]}); {REMEDY}") from None
    columns = {name: table[name].to_numpy() for name in ("source", "split", "certainty")}
    labels = np.stack([table[name].cast(pa.int8()).to_numpy() for name in about["instruments"]], 1).astype(np.float32)
    return Films(about["instruments"], about["data"], [
        BuiltFilm(name, title, columns["split"][rows][0], audio_path(out, name), labels[rows],
                  columns["certainty"][rows])
        for name, title in about["titles"].items()
        if len(rows := np.flatnonzero(columns["source"] == name))
    ])


class FilmDataset(ClipDataset):
    """Excerpts of films as pairs (waveform float32 [samples], targets float32 [windows, instruments]).

    Excerpts of `context` windows lie `hop` windows apart; those of which nothing is known are left out. At the end of
    a film the waveform is padded and the targets are unknown.
    """

    def __init__(self, films: Sequence[BuiltFilm], context: int, hop: int) -> None:
        clips, targets = [], []
        for film in films:
            padded = np.pad(film.targets, ((0, context), (0, 0)), constant_values=np.nan)
            for first in range(0, len(film.labels), hop):
                if not np.isnan(padded[first : first + context]).all():
                    clips.append(Clip(film.path, (), film.id, start=first * WINDOW_S))
                    targets.append(padded[first : first + context])
        if not clips:
            raise InputError("films: nothing is known of any window; label segments with a certainty of 0.5 or more")
        super().__init__(clips, 0, SAMPLE_RATE, context * WINDOW_S)
        self.targets = np.stack(targets)  # [excerpts, windows, instruments]


def solos(films: Sequence[BuiltFilm]) -> list[Clip]:
    """Stretches of a second or more in which exactly one instrument is heard, as clips with that label."""
    found = []
    for film in films:
        targets = film.targets
        alone = np.where((np.nansum(targets, 1) == 1) & ~np.isnan(targets).any(1), np.argmax(targets, 1), -1)
        borders = np.flatnonzero(np.diff(alone, prepend=-2, append=-2))
        for first, end in pairwise(borders.tolist()):
            if alone[first] >= 0 and end - first >= MIN_SOLO:
                start, duration = first * WINDOW_S, (end - first) * WINDOW_S
                found.append(Clip(film.path, (int(alone[first]),), film.id, start, duration))
    return found


def summary(films: Films) -> list[dict]:
    """Of each film id, split, seconds, labelled (s), heard {instrument: s}, polyphony [s of 0, 1, 2, … at once]."""
    rows = []
    for film in films.films:
        known = ~np.isnan(film.labels).any(axis=1)
        polyphony = np.bincount(film.labels[known].sum(axis=1).astype(int), minlength=len(films.instruments) + 1)
        heard = (np.nansum(film.labels, axis=0, dtype=float) * WINDOW_S).round(2).tolist()
        rows.append({
            "id": film.id, "split": film.split, "seconds": len(film.labels) * WINDOW_S,
            "labelled": float(known.sum()) * WINDOW_S, "heard": dict(zip(films.instruments, heard, strict=True)),
            "polyphony": (polyphony * WINDOW_S).round(2).tolist(),
        })  # fmt: skip
    return rows


def table(films: Films) -> str:
    """`summary` as text, a line a film and one for all."""
    import pandas as pd

    at_once = [f"{n} at once" for n in range(len(films.instruments) + 1)]
    seconds = pd.DataFrame({
        (row["id"], row["split"]): {"all": row["seconds"], "labelled": row["labelled"], **row["heard"],
                                    **dict(zip(at_once, row["polyphony"], strict=True))}
        for row in summary(films)
    }).T  # fmt: skip
    seconds.loc[("all", ""), :] = seconds.sum()
    return seconds.rename_axis(["seconds of", "split"]).reset_index().to_string(index=False, float_format="%.1f")


def clips(root: Path, split: str) -> list[Clip]:
    """Solo passages of the films of a split that are built in `root/films`."""
    return solos(load(Path(root) / "films").split(split))


def validate(root: Path) -> Report:
    """What the data set in `root/films` holds, film by film."""
    built = load(Path(root) / "films")
    counts = {split: sum(film.split == split for film in built.films) for split in ("train", "valid", "test")}
    return CORPUS.report(built.data, counts, problems=[], notes=table(built).splitlines())


CORPUS = Corpus(
    name="films", title="films", classes=INSTRUMENTS, group="film", places=(), official={},
    licence="that of each film, in its sources file", citation="films that the user lists", clips=clips,
    validate=validate,
)  # fmt: skip
