"""Files of the genre study: lists that split, augmented copies on disk, genres of audio files of any length."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from helpers import audio
from helpers.augmentation import genre
from helpers.config import InputError, MelConfig
from helpers.datasets import fmri, gtzan
from helpers.datasets.base import Clip, split_by_group
from helpers.experiments.genres import GenreConfig
from helpers.features.mel import MelFrontend
from helpers.files import atomic, write_text
from helpers.models.checkpoint import Checkpoint
from helpers.prediction.recordings import predict_windows

VALID_SHARE = 0.15  # of the listed training tracks; they choose the epoch
SHORTEST_S = 0.5  # s; the genre of less cannot be told
SILENCE = 1e-4  # of full scale: a file that stays below has no genre
SHOWN_S = 3.0  # seconds of a clip in the figure of augmentations
SUFFIXES = (".wav", ".au", ".mp3", ".flac", ".ogg", ".aiff", ".m4a", ".opus", ".mp4")


def listed_parts(root: Path, genres: Sequence[str], seed: int) -> dict[str, list[Clip]]:
    """Whole files by `train_list.txt` and `test_list.txt`, of tracks or fMRI stimuli; some training tracks validate.

    Raises:
        InputError: a list is missing, names what is not there, or the two lists share a track.
    """
    training, test = (_listed(root, part, genres) for part in ("train", "test"))
    shared = sorted({clip.group for clip in training} & {clip.group for clip in test})
    if shared:
        raise InputError(
            f"{root / 'test_list.txt'}: {shared[0]} stands in train_list.txt too ({len(shared)} such tracks); "
            "take them out of one list, or the score measures memory"
        )
    train, valid = split_by_group(training, (1 - VALID_SHARE, VALID_SHARE), seed)
    return {"train": train, "valid": valid, "test": test}


def copies(folder: Path, training: Sequence[Clip], genres: Sequence[str]) -> list[Clip]:
    """The augmented copies of the training tracks, and of no other track.

    Raises:
        InputError: the folder holds none of them.
    """
    allowed, originals = {clip.group for clip in training}, {clip.name for clip in training}
    found = [c for c in gtzan.tracks(folder, genres).clips if c.group in allowed and c.name not in originals]
    if not found:
        raise InputError(f"{folder}: no copies of the training tracks; make them with `python -m helpers augment`")
    return found


def write_augmented(root: Path, protocol: str, out: Path, seed: int) -> tuple[int, Clip]:
    """Write ten versions of each training track, or of each training stimulus of the fMRI experiment, and the lists.

    Tracks go below `out`/genres, stimuli below `out`/run_dataset with their test stimuli as they are;
    `out`/train_list.txt names all versions (4,800 for the 40 x 12 stimuli), `out`/test_list.txt the test files. A
    version depends on the seed, the file and its kind alone; files that exist are kept.

    Returns:
        The number of files that the training list names, and the first training file.

    Raises:
        InputError: no training files, or `out` is the corpus itself.
    """
    stimuli = any(fmri.is_stimulus(path.name) for path in Path(root).rglob("*_run-*"))
    if stimuli:
        source, parts = Path(root), {part: fmri.clips(root, part) for part in fmri.COLUMNS}
    else:
        source, parts = gtzan.folder(root), gtzan.split(gtzan.tracks(root).clips, protocol, seed)
    if not parts["train"]:
        raise InputError(f"protocol {protocol!r}: no training tracks below {root}; use --split track")
    if out.resolve() in (source.resolve(), *source.resolve().parents):
        raise InputError(f"{out}: holds the corpus itself; give another folder")
    folder = out / ("run_dataset" if stimuli else "genres")
    paths = {"train": [path for clip in tqdm(parts["train"], unit="file", disable=None)
                       for path in _versions(clip, folder / gtzan.GENRES[clip.labels[0]], seed)]}
    if stimuli:
        paths["test"] = [_copied(clip.path, folder / gtzan.GENRES[clip.labels[0]]) for clip in parts["test"]]
    for part, found in paths.items():
        write_text(out / f"{part}_list.txt", "\n".join(path.relative_to(out).as_posix() for path in found) + "\n")
    return len(paths["train"]), parts["train"][0]


@dataclass(frozen=True)
class FilePrediction:
    """What a model says of a file."""

    path: Path
    probabilities: np.ndarray  # [classes]
    embedding: np.ndarray  # [width], of unit length

    def top(self, classes: Sequence[str], k: int = 3) -> list[tuple[str, float]]:
        """The k likeliest genres with their probabilities."""
        return [(classes[index], float(self.probabilities[index])) for index in np.argsort(-self.probabilities)[:k]]


def predict_files(checkpoint: Checkpoint, paths: Sequence[Path]) -> Iterator[FilePrediction | InputError]:
    """One file after the other, of any length; what cannot be used comes as the error that names it."""
    model = checkpoint.network()
    for path in tqdm(paths, unit="file", disable=None, leave=False):
        try:
            yield _predicted(model, checkpoint, Path(path))
        except InputError as error:
            yield error


def similar(query: FilePrediction, others: Sequence[FilePrediction], k: int) -> list[tuple[Path, float]]:
    """The k files nearest to the query with the cosines of their embeddings, nearest first, without the query."""
    candidates = [other for other in others if other.path.resolve() != query.path.resolve()]
    cosines = np.array([float(query.embedding @ other.embedding) for other in candidates])
    return [(candidates[index].path, cosines[index]) for index in np.argsort(-cosines, kind="stable")[:k]]


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below a folder, sorted.

    Raises:
        InputError: there are none.
    """
    paths = sorted(path for path in Path(folder).rglob("*")
                   if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder}: holds no audio files; give a folder with {', '.join(SUFFIXES[:4])} files")
    return paths


def examples(clip: Clip, seed: int) -> dict[str, np.ndarray]:
    """The beginning of a clip as it is and after each of the seven augmentations, [samples] each."""
    original = audio.read(clip.path, gtzan.SAMPLE_RATE, duration=SHOWN_S)
    return {"original": original} | {
        name: augmentation(original, np.random.default_rng(seed)) for name, augmentation in genre.SEVEN.items()
    }


def spectrograms(waveforms: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mel spectrogram [bands, frames] of each waveform in dB below its peak."""
    power = MelFrontend(MelConfig(**GenreConfig().mel)).power
    with torch.inference_mode():
        return {name: 10 * np.log10(power(torch.from_numpy(waveform)[None])[0].numpy() + 1e-6)
                for name, waveform in waveforms.items()}


def _listed(root: Path, part: str, genres: Sequence[str]) -> list[Clip]:
    """Whole files of one list, labels as places in `genres`."""
    path = root / f"{part}_list.txt"
    if not any(fmri.is_stimulus(line) for line in gtzan.list_lines(path)):
        return gtzan.listed(gtzan.tracks(root, genres).clips, path)
    stimuli = [(clip, gtzan.GENRES[clip.labels[0]]) for clip in fmri.listed(path, root, part)]
    return [replace(clip, labels=(genres.index(genre),)) for clip, genre in stimuli if genre in genres]


def _versions(clip: Clip, folder: Path, seed: int) -> list[Path]:
    """Write what is missing of the ten versions of a file."""
    paths, waveform = [], None
    for number, (suffix, augmentation) in enumerate(genre.TENFOLD.items()):
        paths.append(folder / (f"{clip.name}_{suffix}.wav" if suffix else f"{clip.name}.wav"))
        if paths[-1].is_file():
            continue
        waveform = audio.read(clip.path, gtzan.SAMPLE_RATE) if waveform is None else waveform
        rng = np.random.default_rng((seed, zlib.crc32(clip.name.encode()), number))
        audio.write(paths[-1], augmentation(waveform, rng) if augmentation else waveform, gtzan.SAMPLE_RATE)
    return paths


def _copied(path: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / path.name).is_file():
        with atomic(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)
    return folder / path.name


def _predicted(model: torch.nn.Module, checkpoint: Checkpoint, path: Path) -> FilePrediction:
    """Mean log probability and mean embedding of the windows of a file that are not silent."""
    classes, log, embedding, count = len(checkpoint.classes), 0.0, 0.0, 0
    for row in _rows(model, checkpoint, path):
        if row[0] > SILENCE:
            log, embedding, count = log + row[1 : 1 + classes].astype(float), embedding + row[1 + classes :], count + 1
    if not count:
        raise InputError(f"{path}: silent throughout; give a file with music in it")
    odds = np.exp(log / count - (log / count).max())
    return FilePrediction(path, odds / odds.sum(), embedding / np.linalg.norm(embedding))


def _rows(model: torch.nn.Module, checkpoint: Checkpoint, path: Path) -> Iterator[np.ndarray]:
    """Peak, log probabilities and embedding of every window, which overlap by half; a short file is repeated."""
    rate, seconds = checkpoint.sample_rate, checkpoint.seconds

    def described(batch: torch.Tensor) -> torch.Tensor:
        embedded = model.embed(batch)
        return torch.cat([batch.abs().amax(1, True), torch.log_softmax(model.head(embedded), 1), embedded], 1)

    if (length := audio.length(path)) >= seconds:
        yield from predict_windows(described, path, rate, seconds, seconds / 2)
        return
    if length < SHORTEST_S:
        raise InputError(f"{path}: too short ({length:.2f} s); give at least {SHORTEST_S:g} s")
    waveform = np.resize(audio.read(path, rate), round(seconds * rate))
    if not np.isfinite(waveform).all():
        raise InputError(f"{path}: holds values that are not finite numbers; encode it again")
    with torch.inference_mode():
        yield described(torch.from_numpy(waveform)[None])[0].numpy()
