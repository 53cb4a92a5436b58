"""Files of the genre study: lists that split, augmented copies on disk, checkpoints, genres of files of any length."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import softmax
from tqdm import tqdm

from helpers import audio
from helpers.augmentation.waveform import SEVEN, TENFOLD
from helpers.config import RUNS, InputError
from helpers.datasets import fmri, gtzan
from helpers.datasets.base import Clip, data_label, split_by_group
from helpers.evaluation import score_text
from helpers.experiments import common
from helpers.experiments import genres as study
from helpers.experiments.genre_table import Job, choose, nested
from helpers.experiments.genres import MEL, TITLES, Parts
from helpers.features.mel import MelFrontend
from helpers.files import write_text
from helpers.models.checkpoint import Checkpoint, save_checkpoint
from helpers.prediction.clips import BATCH_SIZE, batches, infer, windows

TASK = "gtzan"
VALID_SHARE = 0.15  # of the listed training tracks; they choose the epoch
SHORTEST_S = 0.5  # s; the genre of less cannot be told
SILENCE = 1e-4  # of full scale: a file that stays below has no genre
SHOWN_S = 3.0  # seconds of a clip in the figure of augmentations
SUFFIXES = (".wav", ".au", ".mp3", ".flac", ".ogg", ".aiff", ".m4a", ".opus", ".mp4")


def train_checkpoint(name: str, job: Job, augment: bool, augmented: Path | None, command: str) -> str:
    """Train a row of `TITLES`, score it, write its checkpoint to `job.out`; returns what to tell.

    The job's protocol is one of `datasets.gtzan`, "lists" (train_list.txt and test_list.txt in its root) or "all"
    (every track, scores from nested cross-validation). Copies below `augmented` of training tracks are added.
    """
    config, genres, split = job.config, job.genres, job.protocol
    whole, listed = split == "all", split == "lists"
    parts = {"train": job.clips} if whole else listed_parts(job.root, genres, config.seed) if listed else job.parts
    label = data_label(job.root, sum(map(len, parts.values())), gtzan.OFFICIAL_TRACKS)
    if augmented is not None:
        parts["train"] = parts["train"] + copies(augmented, parts["train"], genres)
    candidates = study.settings(name, config)
    scores = nested(candidates, parts["train"], config, len(genres)) if whole else {}
    setting = choose(candidates, parts["train"], config, len(genres))
    trained = study.train(name, setting, parts, config, len(genres), augment, RUNS / "genre" / f"{name}_{split}")
    for part, votes in (study.votes(trained, setting, parts) if not whole else {}).items():
        scores[part] = votes.accuracy(config.seed) | {"n": len(votes.tracks)}
    save_checkpoint(job.out, common.checkpoint(
        TASK, trained, genres, MEL.sample_rate, setting.window_s, corpus="GTZAN", label=label, scores=scores,
        setting=str(setting), command=command,
    ))  # fmt: skip
    count = len({clip.group for clip in trained.train})
    lines = [f"{TITLES[name]}, {split} split of GTZAN ({label}): trained on {count} tracks"]
    lines += [f"  {part}: {score_text(s, percent=True)} of {s['n']} tracks" for part, s in scores.items()]
    lines += [f"  baseline (most frequent genre): {study.baseline(parts):.1%}"] if "test" in parts else []
    lines += [f"  left out: {line}" for line in ([] if listed else job.found.skipped)]
    return "\n".join([*lines, f"{job.out} written; next: python -m helpers genre predict FILE --checkpoint {job.out}"])


def listed_parts(root: Path, genres: Sequence[str], seed: int) -> Parts:
    """Whole files by `train_list.txt` and `test_list.txt`, of tracks or fMRI stimuli; some training tracks validate.

    An InputError if a list is missing or names what is not there, or the two lists share a track.
    """
    training, test = (_listed(root, part, genres) for part in ("train", "test"))
    if shared := sorted({clip.group for clip in training} & {clip.group for clip in test}):
        remedy = "take them out of one list, or the score measures memory"
        there = f"{shared[0]} stands in train_list.txt too ({len(shared)} such tracks)"
        raise InputError(f"{root / 'test_list.txt'}: {there}; {remedy}")
    train, valid = split_by_group(training, (1 - VALID_SHARE, VALID_SHARE), seed)
    return {"train": train, "valid": valid, "test": test}


def _listed(root: Path, part: str, genres: Sequence[str]) -> list[Clip]:
    """Whole files of one list, labels as places in `genres`."""
    path = root / f"{part}_list.txt"
    if not any(fmri.is_stimulus(line) for line in gtzan.list_lines(path)):
        return gtzan.listed(gtzan.tracks(root, genres).clips, path)
    stimuli = [(clip, gtzan.GENRES[clip.labels[0]]) for clip in fmri.listed(path, root, part)]
    return [replace(clip, labels=(genres.index(genre),)) for clip, genre in stimuli if genre in genres]


def copies(folder: Path, training: Sequence[Clip], genres: Sequence[str]) -> list[Clip]:
    """The augmented copies of the training tracks, and of no other track; an InputError if there are none."""
    allowed, originals = {clip.group for clip in training}, {clip.name for clip in training}
    found = [c for c in gtzan.tracks(folder, genres).clips if c.group in allowed and c.name not in originals]
    if not found:
        raise InputError(f"{folder}: no copies of the training tracks; make them with `python -m helpers augment`")
    return found


def write_augmented(root: Path, protocol: str, out: Path, seed: int) -> tuple[int, Clip]:
    """Write ten versions of each training track, or of each training stimulus of the fMRI experiment, and the lists.

    Tracks go below `out`/genres, stimuli below `out`/run_dataset with their test stimuli as they are;
    `out`/train_list.txt names all versions (4,800 for the 40 x 12 stimuli), `out`/test_list.txt the test files. A
    version depends on the seed, the file and its kind alone; files that exist are kept. Returns the number of lines
    of the training list, and the first training file. An InputError if there are none, or `out` is the corpus itself.
    """
    stimuli = any(fmri.is_stimulus(path.name) for path in root.rglob("*_run-*"))
    source, kinds = root if stimuli else gtzan.folder(root), {"train": TENFOLD}
    if stimuli:
        kinds["test"], parts = {"": None}, {part: fmri.clips(root, part) for part in fmri.COLUMNS}
    else:
        parts = gtzan.split(gtzan.tracks(root).clips, protocol, seed)
    if not parts["train"]:
        raise InputError(f"protocol {protocol!r}: no training tracks below {root}; use --split track")
    if out.resolve() in (source.resolve(), *source.resolve().parents):
        raise InputError(f"{out}: holds the corpus itself; give another folder")
    for part in kinds:
        lines = []
        for clip in tqdm(parts[part], unit="file", disable=None):
            folder = out / ("run_dataset" if stimuli else "genres") / gtzan.GENRES[clip.labels[0]]
            lines += [path.relative_to(out).as_posix() for path in _versions(clip, folder, kinds[part], seed)]
        write_text(out / f"{part}_list.txt", "\n".join(lines) + "\n")
    return len(parts["train"]) * len(TENFOLD), parts["train"][0]


def _versions(clip: Clip, folder: Path, kinds: dict, seed: int) -> list[Path]:
    """Write what is missing of the versions of a file."""
    paths = [folder / (f"{clip.name}_{suffix}.wav" if suffix else f"{clip.name}.wav") for suffix in kinds]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    waveform = audio.read(clip.path, gtzan.SAMPLE_RATE) if missing else None
    for number in missing:
        augmentation, key = list(kinds.values())[number], (seed, zlib.crc32(clip.name.encode()), number)
        changed = augmentation(waveform, np.random.default_rng(key)) if augmentation else waveform
        audio.write(paths[number], changed, gtzan.SAMPLE_RATE)
    return paths


def examples(clip: Clip, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The beginning of a clip as it is and after each augmentation: waveforms [samples], mel [bands, frames] in dB."""
    original, power = audio.read(clip.path, MEL.sample_rate, duration=SHOWN_S), MelFrontend(MEL).power
    waveforms = {"original": original}
    waveforms |= {name: changed(original, np.random.default_rng(seed)) for name, changed in SEVEN.items()}
    with torch.inference_mode():
        return waveforms, {name: 10 * np.log10(power(torch.from_numpy(one)[None])[0].numpy() + 1e-6)
                           for name, one in waveforms.items()}  # fmt: skip


class FilePrediction(NamedTuple):
    """What a model says of a file."""

    path: Path
    genres: dict[str, float]  # probabilities, the likeliest genre first
    embedding: np.ndarray  # [width], of unit length


def predict_files(checkpoint: Checkpoint, paths: Sequence[Path]) -> Iterator[FilePrediction | InputError]:
    """One file after the other, of any length; what cannot be used comes as the error that names it."""
    model = checkpoint.network()
    for path in tqdm(paths, unit="file", disable=None, leave=False):
        try:
            yield _predicted(model, checkpoint, path)
        except InputError as error:
            yield error


def _predicted(model: torch.nn.Module, checkpoint: Checkpoint, path: Path) -> FilePrediction:
    """Mean log probability and mean embedding of the windows of a file, which overlap by half, without silent ones."""
    rate, seconds, classes = checkpoint.sample_rate, checkpoint.seconds, checkpoint.classes
    if (length := audio.length(path)) < SHORTEST_S:
        raise InputError(f"{path}: too short ({length:.2f} s); give at least {SHORTEST_S:g} s")
    blocks = audio.stream(path, rate)
    if length < seconds:  # repeated up to a window
        blocks = [np.resize(np.concatenate(list(blocks)), round(seconds * rate))]

    def described(batch: torch.Tensor) -> torch.Tensor:
        """[B, samples] -> peak, log probabilities and embedding [B, 1 + classes + width]."""
        embedded = model.embed(batch)
        return torch.cat([batch.abs().amax(1, True), torch.log_softmax(model.head(embedded), 1), embedded], 1)

    cut = windows(blocks, round(seconds * rate), round(seconds / 2 * rate))
    rows = np.concatenate(list(infer(described, batches(cut, BATCH_SIZE), np.stack)))
    rows = rows[rows[:, 0] > SILENCE, 1:].astype(float)
    if not len(rows):
        raise InputError(f"{path}: silent throughout; give a file with music in it")
    log, embedding = np.split(rows.mean(axis=0), [len(classes)])
    likeliest = sorted(zip(classes, softmax(log).tolist(), strict=True), key=lambda pair: -pair[1])
    return FilePrediction(path, dict(likeliest), embedding / np.linalg.norm(embedding))


def similar(checkpoint: Checkpoint, file: Path, folder: Path) -> tuple[list[tuple[float, Path]], list[InputError]]:
    """Cosines of the embeddings of a file and of each other one below a folder, nearest first; what cannot be used.

    An InputError if that is the file itself, or there are no audio files.
    """
    paths = sorted(path for path in folder.rglob("[!.]*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: holds no audio files; give a folder with {', '.join(SUFFIXES[:4])} files")
    query, *found = predict_files(checkpoint, [file, *(path for path in paths if path.resolve() != file.resolve())])
    if isinstance(query, InputError):
        raise query
    failures = [one for one in found if isinstance(one, InputError)]
    near = [(float(query.embedding @ one.embedding), one.path) for one in found if not isinstance(one, InputError)]
    return sorted(near, key=lambda pair: -pair[0]), failures
