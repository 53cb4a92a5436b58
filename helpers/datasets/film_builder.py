"""The polyphonic data set: every film of a sources file as mono FLAC, and a manifest with a row for each 30 ms.

    OUT/audio/<source>.flac     16 kHz, 16 bit; its comment says which file it was made of
    OUT/manifest.parquet        source, start, end, one column an instrument, certainty, split

A film that was decoded is not decoded again unless its file changed; the manifest follows from the sources file and
takes seconds. So a build that was killed goes on with the next film, and correcting a label costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from filelock import FileLock
from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets import film_checks
from helpers.datasets.base import data_label
from helpers.datasets.film_checks import Film
from helpers.datasets.film_sources import Source, Sources
from helpers.datasets.films import MANIFEST, SAMPLE_RATE, WINDOW_S, audio_path
from helpers.files import atomic

ROWS = 20_000  # windows in a row group: ten minutes of film


def window_count(seconds: float) -> int:
    """Whole windows in a film of a length."""
    return int(seconds / WINDOW_S + 1e-6)


def labels(source: Source, instruments: Sequence[str], first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Presence and certainty in the windows first … first + count - 1; a window is in a segment if its middle is.

    Presence, float32 [count, instruments], is 1 heard, 0 not heard (inside of segments that do not name the
    instrument, and everywhere else in an exhaustively annotated source), NaN unknown. Certainty, float32 [count], is
    the lowest of the segments that a window belongs to, 1 for background, NaN where nothing is known.
    """
    presence = np.full((count, len(instruments)), 0.0 if source.exhaustive else np.nan, np.float32)
    certainty = np.full(count, 1.0 if source.exhaustive else np.nan, np.float32)
    spans = [(segment, *_span(segment.start + source.offset, segment.end + source.offset, first, count))
             for segment in source.segments]
    for _, begin, end in spans:
        presence[begin:end] = 0.0
    for segment, begin, end in spans:
        presence[begin:end, [instruments.index(name) for name in segment.instruments]] = 1.0
        certainty[begin:end] = np.fmin(certainty[begin:end], segment.certainty)
    return presence, certainty


def _span(start: float, end: float, first: int, count: int) -> tuple[int, int]:
    """Windows whose middle lies in [start, end), relative to `first` and cut to the `count` that are asked for."""
    begin, stop = (int(np.ceil(np.round(time / WINDOW_S - 0.5, 6))) - first for time in (start, end))
    return min(max(begin, 0), count), min(max(stop, 0), count)


def build(path: Path, root: Path, out: Path) -> Path:
    """Build the data set of a sources file; returns the path of the manifest. Memory does not grow with the films.

    Raises:
        InputError: the sources file has faults, a film is damaged, or `out` cannot be written to.
    """
    sources, films = film_checks.read(path, root)
    if len(films) < len(sources.sources):
        film_checks.download(sources, root)
        sources, films = film_checks.read(path, root)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock"):  # a second build waits and then finds the films decoded
            _decode_all(films, out)
            _write_manifest(sources, films, data_label(root, len(films), -1), out)
    except OSError as error:
        raise _unwritable(out, error.strerror or str(error)) from None
    return out / MANIFEST


def _unwritable(place: Path, reason: str) -> InputError:
    remedy = "make room or choose another folder, then go on with the same command"
    return InputError(f"{place}: cannot be written ({reason}); {remedy}")


def _decode_all(films: Sequence[Film], out: Path) -> None:
    total = sum(film.seconds for film in films)
    with tqdm(total=total, unit="s", unit_scale=True, desc="decoding", disable=None) as bar:
        for film in films:
            target = audio_path(out, film.source.id)
            try:
                _decode(film, target, bar)
            except (soundfile.SoundFileError, AssertionError):  # libsndfile wrote less than it should
                raise _unwritable(target, "disk full?") from None


def _decode(film: Film, target: Path, bar: tqdm) -> None:
    """Decode, downmix and resample a film once, block by block."""
    recipe = made_from(film.fingerprint, film.source.track)
    if made_of(target) == recipe:
        bar.update(film.seconds)
        return
    with atomic(target) as temporary, soundfile.SoundFile(temporary, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        file.comment = recipe
        for block in audio.stream(film.path, SAMPLE_RATE, track=film.source.track):
            if not np.isfinite(block).all():
                raise InputError(f"{film.path}: holds values that are not finite numbers; encode it again")
            file.write(np.clip(block, -1.0, 1.0))
            bar.update(min(len(block) / SAMPLE_RATE, bar.total - bar.n))  # headers are not exact


def made_from(content: str, track: int = 0) -> str:
    """What the FLAC of a film says that it was made of: the fingerprint of a file's content, and the track."""
    return f"{content} track {track}"


def made_of(target: Path) -> str | None:
    """What a FLAC of an earlier build says that it was made of; None: there is none that can be read."""
    try:
        with soundfile.SoundFile(target) as file:
            return file.comment
    except soundfile.SoundFileError:
        return None


def _write_manifest(sources: Sources, films: list[Film], data: str, out: Path) -> None:
    about = {
        "data": data, "instruments": sources.instruments,
        "titles": {film.source.id: film.source.title for film in films},
        "licences": {film.source.id: film.source.licence for film in films},
    }  # fmt: skip
    text, flag = pa.dictionary(pa.int32(), pa.string()), pa.bool_()
    columns = [("source", text), ("start", pa.float64()), ("end", pa.float64())]
    columns += [(name, flag) for name in sources.instruments] + [("certainty", pa.float32()), ("split", text)]
    schema = pa.schema(columns, metadata={"films": json.dumps(about, ensure_ascii=False)})
    with atomic(out / MANIFEST) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for film in films:
            for rows in _rows(film, sources.instruments, soundfile.info(audio_path(out, film.source.id)).frames):
                writer.write_table(pa.table(rows, schema))


def _rows(film: Film, instruments: list[str], samples: int) -> Iterator[dict[str, pa.Array]]:
    """Columns of the windows of a film, a row group at a time."""
    total = window_count(samples / SAMPLE_RATE)
    for first in range(0, total, ROWS):
        count = min(ROWS, total - first)
        presence, certainty = labels(film.source, instruments, first, count)
        start = np.arange(first, first + count)
        columns = {
            "source": pa.array([film.source.id] * count).dictionary_encode(),
            "start": pa.array(np.round(start * WINDOW_S, 3)),
            "end": pa.array(np.round((start + 1) * WINDOW_S, 3)),
            "certainty": pa.array(certainty, from_pandas=True),
            "split": pa.array([film.source.split] * count).dictionary_encode(),
        }
        for number, name in enumerate(instruments):
            unknown = np.isnan(presence[:, number])
            columns[name] = pa.array(presence[:, number] == 1.0, mask=unknown)
        yield columns
