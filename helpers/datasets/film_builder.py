"""The polyphonic data set: every film of a sources file as mono FLAC, and a manifest with a row for each 30 ms.

    OUT/audio/<source>.flac     16 kHz, 16 bit; its comment says which file it was made of
    OUT/manifest.parquet        source, start, end, one column an instrument, certainty, split

A film is decoded again only if its file changed; the manifest follows from the sources file and takes seconds. So a
build that was killed goes on with the next film, and correcting a label costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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


def build(path: Path, root: Path, out: Path) -> Path:
    """Build the data set of a sources file, whose films' paths start from `root`; returns the path of the manifest.

    Of sound only a block is in memory at a time. Raises InputError: the sources file has faults, a film is damaged, or
    `out` cannot be written to.
    """
    sources, films = film_checks.read(path, root)
    if len(films) < len(sources.sources):
        film_checks.download(sources, root)
        sources, films = film_checks.read(path, root)
    try:
        out.mkdir(parents=True, exist_ok=True)
        total = sum(film.seconds for film in films)
        bar = tqdm(total=total, unit="s", unit_scale=True, desc="decoding", disable=None)
        with FileLock(out / ".lock"), bar:  # a second build waits and then finds the films decoded
            for film in films:
                _decode(film, audio_path(out, film.source.id), bar)
            _write_manifest(sources, films, data_label(root, len(films), -1), out)
    except (OSError, soundfile.SoundFileError, AssertionError) as error:  # libsndfile wrote less than it should
        reason = getattr(error, "strerror", None) or "disk full?"
        remedy = "make room or choose another folder, then go on with the same command"
        raise InputError(f"{out}: cannot be written ({reason}); {remedy}") from None
    return out / MANIFEST


def labels(source: Source, instruments: Sequence[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Presence and certainty in the first `count` windows of a film; a window is in a segment if its middle is.

    Presence, float32 [count, instruments], is 1 heard, 0 not heard (inside of segments that do not name the
    instrument, and everywhere else in an exhaustively annotated source), NaN unknown. Certainty, float32 [count], is
    the lowest of the segments that a window belongs to, 1 for background, NaN where nothing is known.
    """
    presence = np.full((count, len(instruments)), 0.0 if source.exhaustive else np.nan, np.float32)
    certainty = np.full(count, 1.0 if source.exhaustive else np.nan, np.float32)
    middles = np.round((np.arange(count) + 0.5) * WINDOW_S, 9)
    ends = np.array([(segment.start, segment.end) for segment in source.segments]).reshape(-1, 2) + source.offset
    stretches = [slice(*span) for span in np.searchsorted(middles, np.round(ends, 9)).tolist()]
    for stretch in stretches:
        presence[stretch] = 0.0
    for segment, stretch in zip(source.segments, stretches, strict=True):
        presence[stretch, [instruments.index(name) for name in segment.instruments]] = 1.0
        certainty[stretch] = np.fmin(certainty[stretch], segment.certainty)
    return presence, certainty


def _decode(film: Film, target: Path, bar: tqdm) -> None:
    """Decode, downmix and resample a film block by block, unless that is done."""
    recipe = made_from(film.fingerprint, film.source.track)
    if made_of(target) == recipe:
        bar.update(film.seconds)
        return
    with atomic(target) as temporary, soundfile.SoundFile(temporary, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        file.comment = recipe
        for block in audio.stream(film.path, SAMPLE_RATE, track=film.source.track):
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
    """Write the labels, a film at a time."""
    about = {
        "data": data, "instruments": sources.instruments,
        "titles": {film.source.id: film.source.title for film in films},
        "licences": {film.source.id: film.source.licence for film in films},
    }  # fmt: skip
    text = pa.dictionary(pa.int32(), pa.string())
    columns = {"source": text, "start": pa.float64(), "end": pa.float64(),
               **dict.fromkeys(sources.instruments, pa.bool_()), "certainty": pa.float32(), "split": text}
    schema = pa.schema(columns, metadata={"films": json.dumps(about, ensure_ascii=False)})
    with atomic(out / MANIFEST) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for film in films:
            source = film.source
            count = soundfile.info(audio_path(out, source.id)).frames // round(WINDOW_S * SAMPLE_RATE)
            presence, certainty = labels(source, sources.instruments, count)
            borders = np.round(np.arange(count + 1) * WINDOW_S, 3)
            rows = {"source": [source.id] * count, "start": borders[:-1], "end": borders[1:],
                    "certainty": pa.array(certainty, from_pandas=True), "split": [source.split] * count}
            for name, heard in zip(sources.instruments, presence.T, strict=True):
                rows[name] = pa.array(heard == 1.0, mask=np.isnan(heard))
            writer.write_table(pa.table(rows, schema))
