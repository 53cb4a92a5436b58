"""NSynth: 305,979 four-second notes of 1,006 instruments in 11 families, 16 kHz mono.

Instruments of the training split never occur in the others; validation and test share some. The official test split
has no synth_lead, and brass_acoustic_046 is only noise from pitch 84 up.

A corpus is read as it comes: `nsynth-{train,valid,test}` with `examples.json` and `audio/*.wav` (or .flac), a folder
that holds these, a bare folder of audio files (labels from their names), or an official `.tar.gz` (or `.tar`).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from helpers.config import InputError
from helpers.datasets.archives import Archive, archive_members, digests, identical, is_archive, some
from helpers.datasets.base import Clip, Corpus, Report, require
from helpers.files import inside, read_json

FAMILIES = (
    "bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead", "vocal",
)  # fmt: skip
SOURCES = ("acoustic", "electronic", "synthetic")
KIND_COUNTS = {  # family_source -> notes in all splits (magenta.tensorflow.org/datasets/nsynth)
    f"{family}_{source}": count
    for family, counts in zip(FAMILIES, (
        (200, 8_387, 60_368), (13_760, 70, 0), (6_572, 35, 2_816), (13_343, 16_805, 5_275), (8_508, 42_645, 3_838),
        (27_722, 5_581, 1_763), (176, 36_401, 0), (14_262, 76, 528), (20_510, 84, 0), (0, 0, 5_501),
        (3_925, 140, 6_688),
    ), strict=True)
    for source, count in zip(SOURCES, counts, strict=True)
}  # fmt: skip
SAMPLE_RATE = 16_000  # Hz
SECONDS = 4.0
OFFICIAL = {"train": 289_205, "valid": 12_678, "test": 4_096}
TASK = "nsynth-family"
DOWNLOADS = {
    split: Archive(f"http://download.magenta.tensorflow.org/datasets/nsynth/nsynth-{split}.jsonwav.tar.gz", md5, size)
    for split, md5, size in (("train", "md5:fde6665a93865503ba598b9fac388660", "about 22 GB"),
                             ("valid", "md5:87e94a00a19b6dbc99cf6d4c0c0cae87", "about 1 GB"),
                             ("test", "md5:5e6f8719bf7e16ad0a00d518b78af77d", "about 350 MB"))
}
TWINS = ("mallet_acoustic_000", "mallet_acoustic_047")  # one vibraphone: some notes of both are bit-identical
REMEDY = "get NSynth with `python -m helpers nsynth download`, or see data/README.txt"
NAME = re.compile(
    r"(?P<instrument>(?P<family>[a-z_]+)_(?P<source>[a-z]+)_(?P<number>\d+))-(?P<pitch>\d+)-(?P<velocity>\d+)"
)


def clips(root: Path, split: str) -> list[Clip]:
    """Notes of a split below `root` in the order of their names, group = instrument; raises as `read_folder` does."""
    return read_folder(find_split(root, split))


def without_twins(train: Sequence[Clip], others: Sequence[Clip]) -> list[Clip]:
    """Training notes less those that are bit-identical to one of `others` (validation and test notes).

    mallet_acoustic_000 (train) and mallet_acoustic_047 (valid, test) are one instrument under two names. Only their
    notes are read and compared, so that this is cheap; a note that cannot be read has no twin.
    """
    known = set(digests([clip for clip in others if clip.group in TWINS], SAMPLE_RATE, "twins"))
    doubtful = [clip for clip in train if clip.group in TWINS] if known else []
    found = dict(zip(doubtful, digests(doubtful, SAMPLE_RATE, "twins"), strict=True))
    return [clip for clip in train if found.get(clip) not in known]


def find_split(root: Path, split: str) -> Path:
    """`nsynth-<split>` as a folder or archive in `root` or in `root/nsynth`; an InputError if it is in neither."""
    for folder in (Path(root), Path(root) / "nsynth"):
        for name in (f"nsynth-{split}", f"nsynth-{split}.jsonwav.tar.gz", f"nsynth-{split}.tar.gz"):
            if (folder / name).exists():
                return folder / name
    raise InputError(f"{root}: holds no nsynth-{split}; {REMEDY}")


class NoLabels(InputError):
    """Neither the name of a note nor examples.json tells its family."""


def read_folder(path: Path, labelled: bool = True) -> list[Clip]:
    """Notes of one split: a split folder, its parent (the test split is taken), a bare audio folder or an archive.

    Without `labelled` nothing is asked of names and examples.json, and the notes have no labels. Raises InputError:
    missing, not to be read, empty, a family outside the 11, or an examples.json that is not JSON or contradicts the
    file names; its kind NoLabels: there is no label source.
    """
    path = Path(path)
    if is_archive(path):
        names = [name for name in archive_members(path) if _is_audio(name.rsplit("/", 1)[-1])]
        return require([_clip(Path(name).stem, path, name, labelled, member=name) for name in names], str(path))
    if not os.path.isdir(path):
        raise InputError(f"{path}: no such folder; give the nsynth-test folder with examples.json and audio/ in it")
    if not os.path.isfile(path / "examples.json") and not os.path.isdir(path / "audio"):
        tests = (path / "nsynth" / "nsynth-test", path / "nsynth-test", path)
        path = next(folder for folder in tests if os.path.isdir(folder))
    folder = path / "audio" if os.path.isdir(path / "audio") else path
    files = _audio_files(folder)
    if not labelled or not os.path.isfile(path / "examples.json"):
        found = [_clip(stem, folder / name, str(folder / name), labelled) for stem, name in sorted(files.items())]
        return require(found, f"{path} (looked for .wav and .flac)")
    examples, listed = read_json(path / "examples.json"), path / "examples.json"
    if not isinstance(examples, dict) or not all(isinstance(v, dict) for v in examples.values()):
        raise InputError(f"{listed}: is not a dictionary of notes; take the file that came with the audio")
    if require(list(examples), str(listed)) and not files.keys() & examples.keys():
        raise InputError(f"{listed}: names none of the {len(files)} audio files in {folder}; it belongs elsewhere")
    places = {stem: folder / files[stem] if stem in files else inside(folder, f"{stem}.wav") for stem in examples}
    return [_clip(stem, places[stem], f"{listed}: {stem}", fields=examples[stem]) for stem in sorted(examples)]


def pitch_of(clip: Clip) -> int | None:
    """MIDI pitch from the name of a note, if it has an official name."""
    match = NAME.fullmatch(clip.name)
    return int(match["pitch"]) if match else None


def kind_of(clip: Clip) -> str | None:
    """Key of KIND_COUNTS (`bass_electronic`) from the name of a note, if it has an official name."""
    match = NAME.fullmatch(clip.name)
    return f"{match['family']}_{match['source']}" if match else None


def is_noise_only(clip: Clip) -> bool:
    """Whether this note is known to be only noise: brass_acoustic_046 from pitch 84 up."""
    return clip.group == "brass_acoustic_046" and (pitch_of(clip) or 0) >= 84


def family_counts(notes: Iterable[Clip]) -> dict[str, int]:
    """Notes of each family, in index order, absent families left out."""
    counts = Counter(clip.labels[0] for clip in notes)
    return {FAMILIES[label]: counts[label] for label in sorted(counts)}


def _audio_files(folder: Path) -> dict[str, str]:
    """Stem -> file name; one listing of the folder, no look at single files."""
    try:
        return {name.rsplit(".", 1)[0]: name for name in os.listdir(folder) if _is_audio(name)}
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror or error})") from None


def _is_audio(name: str) -> bool:
    """By its suffix; hidden files are what systems leave beside the files they copy."""
    return name.lower().endswith((".wav", ".flac")) and not name.startswith(".")


def _clip(
    stem: str, path: Path, where: str, labelled: bool = True, member: str | None = None, fields: Mapping = {}
) -> Clip:
    """A note with the family that its name and its `fields` in examples.json give, which may be one or both."""
    if not labelled:
        return Clip(path, (), stem, member=member)
    match, family = NAME.fullmatch(stem), fields.get("instrument_family")
    family = FAMILIES[family] if isinstance(family, int) and 0 <= family < len(FAMILIES) else family
    stated = [family, fields.get("instrument_family_str"), match["family"] if match else None]
    stated = [name for name in stated if name is not None]
    if not stated:
        remedy = "add examples.json, or name files <family>_<source>_<instrument>-<pitch>-<velocity>"
        raise NoLabels(f"{where}: no label source; {remedy}")
    for name in stated:
        if name not in FAMILIES:
            raise InputError(f"{where}: family {name!r} is none of {', '.join(FAMILIES)}")
    if len(different := sorted(set(stated))) > 1:
        raise InputError(f"{where}: {' and '.join(different)} by its fields and name; one of them is wrong")
    instrument = match["instrument"] if match else str(fields.get("instrument_str", stem))
    return Clip(path, (FAMILIES.index(stated[0]),), instrument, member=member)


def validate(root: Path) -> Report:
    """Check every split below `root`, all notes decoded; an InputError if there is none or one is not understood."""
    folders: dict[str, Path] = {}
    for split in OFFICIAL:
        with contextlib.suppress(InputError):
            folders[split] = find_split(root, split)
    if not folders:
        raise InputError(f"{root}: holds no nsynth-train, nsynth-valid or nsynth-test; {REMEDY}")
    notes, lines = {split: read_folder(folder) for split, folder in folders.items()}, []
    counts = {split: len(clips) for split, clips in notes.items()}
    for split, clips in notes.items():
        lines.append(f"{split}: " + ", ".join(f"{k} {n}" for k, n in family_counts(clips).items()))
        if noise := [clip.name for clip in clips if is_noise_only(clip)]:
            lines.append(f"{split}: {len(noise)} notes of only noise ({some(noise)})")
    problems = [*_misplaced(notes, folders), *identical(notes, SAMPLE_RATE)]
    return CORPUS.report(CORPUS.label(root, *next(iter(counts.items()))), counts, problems, lines)


def _misplaced(notes: dict[str, list[Clip]], folders: dict[str, Path]) -> Iterator[str]:
    """Files that examples.json lists and that are not there, the other way round, and instruments in two splits."""
    trained = {clip.group for clip in notes.get("train", [])}
    for split, clips in notes.items():
        if (folder := folders[split] / "audio").is_dir():
            there, listed = set(_audio_files(folder)), {clip.name for clip in clips}
            if missing := sorted(listed - there):
                yield f"{split}: {len(missing)} files are missing ({some(missing)}); unpack the archive again"
            if surplus := sorted(there - listed):
                yield f"{split}: {len(surplus)} files are not in examples.json ({some(surplus)}); remove them"
        if split != "train" and (both := sorted(trained & {clip.group for clip in clips})):
            yield f"{split}: {len(both)} instruments are in train too ({some(both)}); scores would be too good"


CORPUS = Corpus(
    name="nsynth", title="NSynth", classes=FAMILIES, group="instrument", places=("nsynth-*",),
    official=OFFICIAL, licence="CC BY 4.0", clips=clips, validate=validate, downloads=DOWNLOADS,
    citation="Engel et al., Neural audio synthesis of musical notes with WaveNet autoencoders, ICML 2017",
)  # fmt: skip
