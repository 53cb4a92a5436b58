"""What is wrong with an NSynth corpus: missing or surplus files, only noise, notes and instruments in two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets import nsynth
from helpers.datasets.archives import sources
from helpers.datasets.base import Clip, Report

NAMED = 5  # files that a problem names


def validate(root: Path) -> Report:
    """Check every split that is below `root`; decodes all notes to compare them, a few files at a time.

    Raises:
        InputError: there is no split at all, or one cannot be understood.
    """
    splits = {}
    for split in nsynth.OFFICIAL:
        try:
            splits[split] = nsynth.find_split(root, split)
        except InputError:
            continue
    if not splits:
        raise InputError(f"{root}: holds no nsynth-train, nsynth-valid or nsynth-test; {nsynth.REMEDY}")
    notes = {split: nsynth.read_folder(path) for split, path in splits.items()}
    labels = {split: nsynth.label_of(root, split, clips) for split, clips in notes.items()}
    report = Report("NSynth", labels[next(iter(labels))], {split: len(clips) for split, clips in notes.items()})
    for split, path in splits.items():
        report.problems.extend(_file_problems(split, path, notes[split]))
        report.notes.append(f"{split}: " + ", ".join(f"{k} {n}" for k, n in nsynth.family_counts(notes[split]).items()))
        noise = [clip.name for clip in notes[split] if nsynth.is_noise_only(clip)]
        if noise:
            report.notes.append(f"{split}: {len(noise)} notes of only noise ({_named(noise)})")
    report.problems.extend(_shared_instruments(notes))
    report.problems.extend(_identical_notes(notes))
    return report


def _file_problems(split: str, path: Path, clips: Sequence[Clip]) -> list[str]:
    """Files that examples.json lists and that are not there, and the other way round."""
    if not path.is_dir():
        return []
    there = {name for name in _stems(path / "audio")}
    listed = {clip.name for clip in clips}
    problems = []
    if missing := sorted(listed - there):
        problems.append(f"{split}: {len(missing)} files are missing ({_named(missing)}); unpack the archive again")
    if surplus := sorted(there - listed):
        problems.append(f"{split}: {len(surplus)} files are not in examples.json ({_named(surplus)}); remove them")
    return problems


def _stems(folder: Path) -> list[str]:
    return [path.stem for path in folder.iterdir() if path.suffix.lower() in nsynth.SUFFIXES] if folder.is_dir() else []


def _shared_instruments(notes: dict[str, list[Clip]]) -> list[str]:
    trained = {clip.group for clip in notes.get("train", [])}
    problems = []
    for split in ("valid", "test"):
        if both := sorted(trained & {clip.group for clip in notes.get(split, [])}):
            problems.append(
                f"{split}: {len(both)} instruments are in train too ({_named(both)}); scores would be too good"
            )
    return problems


def _identical_notes(notes: dict[str, list[Clip]]) -> list[str]:
    """Notes with the same samples in two splits, and notes that cannot be read."""
    first: dict[bytes, tuple[str, str]] = {}
    twins, unreadable = [], []
    for split, clips in notes.items():
        for clip, digest in zip(clips, _digests(clips, split), strict=True):
            if isinstance(digest, InputError):
                unreadable.append(f"{split}: {digest}")
                continue
            other_split, other = first.setdefault(digest, (split, clip.name))
            if other_split != split:
                twins.append(f"{clip.name} = {other} of {other_split}")
    problems = [f"{len(unreadable)} notes cannot be read ({_named(unreadable)}); copy them again"] if unreadable else []
    if twins:
        problems.append(
            f"{len(twins)} notes are bit-identical to one of another split ({_named(twins)}); leave one out"
        )
    return problems


def _digests(clips: Sequence[Clip], split: str):
    """Digest of the samples of each note, in order, decoded by threads."""

    def digest(source: Path | bytes) -> bytes | InputError:
        try:
            return hashlib.sha1(audio.read(source, nsynth.SAMPLE_RATE).tobytes()).digest()
        except InputError as error:
            return error

    contents = iter(tqdm(sources(clips), total=len(clips), unit="note", desc=split, disable=None, leave=False))
    with ThreadPoolExecutor() as pool:
        while batch := list(islice(contents, 256)):
            yield from pool.map(digest, batch)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
