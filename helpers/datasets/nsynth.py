"""NSynth: 305,979 four-second notes of 1,006 instruments in 11 families, 16 kHz mono.

Engel et al., Neural audio synthesis of musical notes with WaveNet autoencoders, ICML 2017; CC BY 4.0.
Instruments of the training split never occur in the others; validation and test share some. The official test split
has no synth_lead, and brass_acoustic_046 is only noise from pitch 84 up.

A corpus is read as it comes: `nsynth-{train,valid,test}` with `examples.json` and `audio/*.wav` (or .flac), a folder
that holds these, a bare folder of audio files (labels from their names), or an official `.tar.gz` (or `.tar`).

What is wrong with an NSynth corpus: missing or surplus files, only noise, notes and instruments in two splits.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from helpers import audio
from helpers.config import InputError
from helpers.datasets.base import Clip, Report, data_label, require
from helpers.datasets.download import Archive, archive_members, is_archive, sources
from helpers.files import inside, read_json

FAMILIES = (
    "bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead", "vocal",
)  # fmt: skip
SAMPLE_RATE = 16_000  # Hz
SECONDS = 4.0
OFFICIAL = {"train": 289_205, "valid": 12_678, "test": 4_096}
TASK = "nsynth-family"
HOST = "http://download.magenta.tensorflow.org/datasets/nsynth"
DOWNLOADS = {
    "train": Archive(f"{HOST}/nsynth-train.jsonwav.tar.gz", "md5:fde6665a93865503ba598b9fac388660", "about 22 GB"),
    "valid": Archive(f"{HOST}/nsynth-valid.jsonwav.tar.gz", "md5:87e94a00a19b6dbc99cf6d4c0c0cae87", "about 1 GB"),
    "test": Archive(f"{HOST}/nsynth-test.jsonwav.tar.gz", "md5:5e6f8719bf7e16ad0a00d518b78af77d", "about 350 MB"),
}
REMEDY = "get NSynth with `python -m helpers nsynth download`, or see data/README.txt"
NAME = re.compile(
    r"(?P<instrument>(?P<family>[a-z_]+)_(?P<source>[a-z]+)_(?P<number>\d+))-(?P<pitch>\d+)-(?P<velocity>\d+)"
)
SUFFIXES = (".wav", ".flac")


def clips(root: Path, split: str) -> list[Clip]:
    """Notes of a split below `root`, in the order of their names; group = instrument.

    Raises:
        InputError: the split is not there, or cannot be understood.
    """
    return read_folder(find_split(root, split))


def find_split(root: Path, split: str) -> Path:
    """`nsynth-<split>` as a folder or archive in `root` or in `root/nsynth`.

    Raises:
        InputError: it is in neither.
    """
    for folder in (Path(root), Path(root) / "nsynth"):
        for name in (f"nsynth-{split}", f"nsynth-{split}.jsonwav.tar.gz", f"nsynth-{split}.tar.gz"):
            if (folder / name).exists():
                return folder / name
    raise InputError(f"{root}: holds no nsynth-{split}; {REMEDY}")


def read_folder(path: Path) -> list[Clip]:
    """Notes of one split: a split folder, its parent (the test split is taken), a bare audio folder or an archive.

    Raises:
        InputError: missing or empty; no label source; a label outside the 11 families; examples.json that is not
            JSON or contradicts the file names.
    """
    path = Path(path)
    if is_archive(path):
        return _archive_clips(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; give the nsynth-test folder with examples.json and audio/ in it")
    if not (path / "examples.json").is_file() and not (path / "audio").is_dir():
        for parent in (path, path / "nsynth"):
            if (parent / "nsynth-test").is_dir():
                path = parent / "nsynth-test"
    folder = path / "audio" if (path / "audio").is_dir() else path
    files = _audio_files(folder)
    listed = path / "examples.json"
    if listed.is_file():
        return _listed_clips(listed, folder, files)
    require(list(files), f"{path} (looked for .wav and .flac)")
    return [_named_clip(stem, folder / name) for stem, name in sorted(files.items())]


def family_of(name: str, where: str) -> tuple[int, str]:
    """Family index and instrument of a note's name.

    Raises:
        InputError: the name is not an NSynth name, or its family is none of the 11; `where` is named.
    """
    match = NAME.fullmatch(name)
    if not match:
        raise InputError(
            f"{where}: no label source; add examples.json, "
            "or name files <family>_<source>_<instrument>-<pitch>-<velocity>"
        )
    if match["family"] not in FAMILIES:
        raise InputError(f"{where}: family {match['family']!r} is none of {', '.join(FAMILIES)}")
    return FAMILIES.index(match["family"]), match["instrument"]


def pitch_of(clip: Clip) -> int | None:
    """MIDI pitch from the name of a note, if it has an official name."""
    match = NAME.fullmatch(clip.name)
    return int(match["pitch"]) if match else None


def source_of(clip: Clip) -> str | None:
    """acoustic, electronic or synthetic, from the name of a note, if it has an official name."""
    match = NAME.fullmatch(clip.name)
    return match["source"] if match else None


def is_noise_only(clip: Clip) -> bool:
    """Whether this is one of the notes that are known to be only noise: brass_acoustic_046 from pitch 84 up."""
    return clip.group == "brass_acoustic_046" and (pitch_of(clip) or 0) >= 84


def family_counts(notes: Iterable[Clip]) -> dict[str, int]:
    """Notes of each family, in index order, absent families left out."""
    counts = Counter(clip.labels[0] for clip in notes)
    return {FAMILIES[label]: counts[label] for label in sorted(counts)}


def label_of(root: Path, split: str, notes: list[Clip]) -> str:
    """'official', 'subset' or 'demo'."""
    return data_label(root, len(notes), OFFICIAL[split])


def _audio_files(folder: Path) -> dict[str, str]:
    """Stem -> file name; one listing of the folder, no look at single files."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _is_audio(entry.name)]
    return {name.rsplit(".", 1)[0]: name for name in names}


def _is_audio(name: str) -> bool:
    """By its suffix; hidden files are what systems leave beside the files they copy."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _named_clip(stem: str, path: Path, member: str | None = None) -> Clip:
    label, instrument = family_of(stem, member or str(path))
    return Clip(path, (label,), instrument, member=member)


def _listed_clips(listed: Path, folder: Path, files: dict[str, str]) -> list[Clip]:
    """Notes that examples.json lists; a file that is missing stays in and will be unreadable."""
    examples = read_json(listed)
    if not isinstance(examples, dict) or not all(isinstance(v, dict) for v in examples.values()):
        raise InputError(f"{listed}: is not a dictionary of notes; take the file that came with the audio")
    require(list(examples), str(listed))
    if not files.keys() & examples.keys():
        raise InputError(
            f"{listed}: names none of the {len(files)} audio files in {folder}; they belong to different data"
        )
    return [_listed_clip(listed, stem, examples[stem], folder, files) for stem in sorted(examples)]


def _listed_clip(listed: Path, stem: str, fields: dict, folder: Path, files: dict[str, str]) -> Clip:
    path = folder / files[stem] if stem in files else inside(folder, stem + SUFFIXES[0])
    stated, match = _stated_families(fields), NAME.fullmatch(stem)
    if not stated:
        return _named_clip(stem, path)
    for family in stated:
        if family not in FAMILIES:
            raise InputError(f"{listed}: {stem}: family {family!r} is none of {', '.join(FAMILIES)}")
    named = [match["family"]] if match else []
    if len(different := sorted({*stated, *named})) > 1:
        raise InputError(f"{listed}: {stem}: {' and '.join(different)} by its fields and name; one of them is wrong")
    instrument = match["instrument"] if match else str(fields.get("instrument_str", stem))
    return Clip(path, (FAMILIES.index(stated[0]),), instrument)


def _stated_families(fields: dict) -> list:
    """What an entry of examples.json gives as family: by index, by name, by both or not at all."""
    index = fields.get("instrument_family")
    by_index = FAMILIES[index] if isinstance(index, int) and 0 <= index < len(FAMILIES) else index
    return [family for family in (by_index, fields.get("instrument_family_str")) if family is not None]


def _archive_clips(path: Path) -> list[Clip]:
    names = [name for name in archive_members(path) if _is_audio(name.rsplit("/", 1)[-1])]
    return list(require([_named_clip(Path(name).stem, path, name) for name in names], str(path)))


NAMED = 5  # files that a problem names


def validate(root: Path) -> Report:
    """Check every split that is below `root`; decodes all notes to compare them, a few files at a time.

    Raises:
        InputError: there is no split at all, or one cannot be understood.
    """
    splits = {}
    for split in OFFICIAL:
        try:
            splits[split] = find_split(root, split)
        except InputError:
            continue
    if not splits:
        raise InputError(f"{root}: holds no nsynth-train, nsynth-valid or nsynth-test; {REMEDY}")
    notes = {split: read_folder(path) for split, path in splits.items()}
    labels = {split: label_of(root, split, clips) for split, clips in notes.items()}
    report = Report("NSynth", labels[next(iter(labels))], {split: len(clips) for split, clips in notes.items()})
    for split, path in splits.items():
        report.problems.extend(_file_problems(split, path, notes[split]))
        report.notes.append(f"{split}: " + ", ".join(f"{k} {n}" for k, n in family_counts(notes[split]).items()))
        noise = [clip.name for clip in notes[split] if is_noise_only(clip)]
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
    return [path.stem for path in folder.iterdir() if path.suffix.lower() in SUFFIXES] if folder.is_dir() else []


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
            return hashlib.sha1(audio.read(source, SAMPLE_RATE).tobytes()).digest()
        except InputError as error:
            return error

    contents = iter(tqdm(sources(clips), total=len(clips), unit="note", desc=split, disable=None, leave=False))
    with ThreadPoolExecutor() as pool:
        while batch := list(islice(contents, 256)):
            yield from pool.map(digest, batch)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
