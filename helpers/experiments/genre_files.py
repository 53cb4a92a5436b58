"""Files of the genre study: lists that split, augmented copies on disk, checkpoints, genres of files of any length."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from tqdm import tqdm

from helpers import audio
from helpers.augmentation.waveform import SEVEN, TENFOLD
from helpers.augmentation.waveform import Augmentation
from helpers.config import RUNS, InputError
from helpers.datasets import fmri, gtzan
from helpers.datasets.base import Clip, data_label, split_by_group
from helpers.evaluation import score_text
from helpers.experiments import common
from helpers.experiments import genres as study
from helpers.experiments.genre_table import choose, cross_validate
from helpers.experiments.genres import MEL, SOLVED, TITLES, GenreConfig, Parts, Setting
from helpers.features.mel import MelFrontend
from helpers.files import write_text
from helpers.models.checkpoint import Checkpoint, save_checkpoint
from helpers.prediction.clips import predict_windows

TASK = "gtzan"
WAYS = {  # how tracks are held out -> whether runs of neighbouring numbers are kept together
    "nested, single tracks held out (neighbours in number often are one artist, so this is optimistic)": False,
    "nested, runs of neighbouring numbers held out": True,
}
VALID_SHARE = 0.15  # of the listed training tracks; they choose the epoch
SHORTEST_S = 0.5  # s; the genre of less cannot be told
SILENCE = 1e-4  # of full scale: a file that stays below has no genre
SHOWN_S = 3.0  # seconds of a clip in the figure of augmentations
SUFFIXES = (".wav", ".au", ".mp3", ".flac", ".ogg", ".aiff", ".m4a", ".opus", ".mp4")


def train_checkpoint(
    name: str, root: Path, split: str, out: Path, config: GenreConfig, genres: Sequence[str], augment: bool,
    augmented: Path | None,
) -> str:  # fmt: skip
    """Train a row of `TITLES`, score it, write its checkpoint; returns what to tell.

    `split` is a protocol of `datasets.gtzan`, "lists" (train_list.txt and test_list.txt in `root`) or "all" (every
    track, scores from nested cross-validation). Copies below `augmented` of training tracks are added.
    """
    skipped: list[str] = []
    if split == "lists":
        parts = listed_parts(root, genres, config.seed)
    else:
        tracks, skipped = (found := gtzan.tracks(root, genres)).clips, found.skipped
        parts = {"train": tracks} if split == "all" else study.split_tracks(tracks, split, config.seed)
    label = data_label(root, sum(map(len, parts.values())), gtzan.OFFICIAL_TRACKS)
    if augmented is not None:
        parts["train"] = parts["train"] + copies(augmented, parts["train"], genres)
    candidates = study.settings(name, config)
    scores = nested(candidates, parts["train"], config, len(genres)) if split == "all" else {}
    setting = choose(candidates, parts["train"], config, len(genres))
    run_dir = RUNS / "genre" / f"{name}_{split}"
    trained = study.train(name, setting, parts, config, len(genres), augment, run_dir)
    for part, votes in (study.votes(trained, parts) if split != "all" else {}).items():
        scores[part] = votes.accuracy(config.seed) | {"n": len(votes.tracks)}
    save_checkpoint(out, common.checkpoint(
        TASK, trained, genres, MEL.sample_rate, setting.window_s, corpus="GTZAN", label=label, scores=scores,
        setting=str(setting), command=common.command_line(
            "genre", "train", model=name, split=split, data_root=Path(root), augment=augment, augmented=augmented,
            genres=",".join(genres) if len(genres) < len(gtzan.GENRES) else "", epochs=config.epochs,
            optimizer=config.optimizer, learning_rate=config.learning_rate, normalisation=config.normalisation,
            seed=config.seed, out=Path(out),
        ),
    ))  # fmt: skip
    count = len({clip.group for clip in trained.train})
    lines = [f"{TITLES[name]}, {split} split of GTZAN ({label}): trained on {count} tracks"]
    lines += [f"  {part}: {score_text(s, percent=True)} of {s['n']} tracks" for part, s in scores.items()]
    lines += [f"  baseline (most frequent genre): {study.baseline(parts):.1%}"] if "test" in parts else []
    lines += [f"  left out: {line}" for line in skipped]
    return "\n".join([*lines, f"{out} written; next: python -m helpers genre predict FILE --checkpoint {out}"])


def nested(candidates: Sequence[Setting], tracks: Sequence[Clip], config: GenreConfig, classes: int) -> dict[str, dict]:
    """Accuracy by nested cross-validation for each of `WAYS`, with n and what was chosen; not for networks."""
    if networks := {one.model for one in candidates} - set(SOLVED):
        raise InputError(f"model {networks.pop()!r}: --split all is for {' and '.join(SOLVED)}; use --split filtered")
    scores = {}
    for way, by_block in WAYS.items():
        votes, chosen = cross_validate(candidates, tracks, config, classes, by_block=by_block)
        scores[way] = votes.accuracy(config.seed) | {"n": len(votes.tracks), "chosen": sorted(set(map(str, chosen)))}
    return scores


def listed_parts(root: Path, genres: Sequence[str], seed: int) -> Parts:
    """Whole files by `train_list.txt` and `test_list.txt`, of tracks or fMRI stimuli; some training tracks validate.

    Raises:
        InputError: a list is missing, names what is not there, or the two lists share a track.
    """
    training, test = (_listed(root, part, genres) for part in ("train", "test"))
    if shared := sorted({clip.group for clip in training} & {clip.group for clip in test}):
        raise InputError(
            f"{root / 'test_list.txt'}: {shared[0]} stands in train_list.txt too ({len(shared)} such tracks); "
            "take them out of one list, or the score measures memory"
        )
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
    stimuli = any(fmri.is_stimulus(path.name) for path in Path(root).rglob("*_run-*"))
    if stimuli:
        source, parts = Path(root), {part: fmri.clips(root, part) for part in fmri.COLUMNS}
    else:
        source, parts = gtzan.folder(root), gtzan.split(gtzan.tracks(root).clips, protocol, seed)
    if not parts["train"]:
        raise InputError(f"protocol {protocol!r}: no training tracks below {root}; use --split track")
    if out.resolve() in (source.resolve(), *source.resolve().parents):
        raise InputError(f"{out}: holds the corpus itself; give another folder")
    folder, lists = out / ("run_dataset" if stimuli else "genres"), {}
    for part, kinds in {"train": TENFOLD, **({"test": {"": None}} if stimuli else {})}.items():
        lists[part] = [path.relative_to(out).as_posix() for clip in tqdm(parts[part], unit="file", disable=None)
                       for path in _versions(clip, folder / gtzan.GENRES[clip.labels[0]], kinds, seed)]
        write_text(out / f"{part}_list.txt", "\n".join(lists[part]) + "\n")
    return len(lists["train"]), parts["train"][0]


def _versions(clip: Clip, folder: Path, kinds: Mapping[str, Augmentation | None], seed: int) -> list[Path]:
    """Write what is missing of the versions of a file."""
    paths, waveform = [], None
    for number, (suffix, augmentation) in enumerate(kinds.items()):
        paths.append(folder / (f"{clip.name}_{suffix}.wav" if suffix else f"{clip.name}.wav"))
        if paths[-1].is_file():
            continue
        waveform = audio.read(clip.path, gtzan.SAMPLE_RATE) if waveform is None else waveform
        rng = np.random.default_rng((seed, zlib.crc32(clip.name.encode()), number))
        audio.write(paths[-1], augmentation(waveform, rng) if augmentation else waveform, gtzan.SAMPLE_RATE)
    return paths


def examples(clip: Clip, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The beginning of a clip as it is and after each augmentation: waveforms [samples], mel [bands, frames] in dB."""
    waveforms = {"original": audio.read(clip.path, MEL.sample_rate, duration=SHOWN_S)}
    for name, augmentation in SEVEN.items():
        waveforms[name] = augmentation(waveforms["original"], np.random.default_rng(seed))
    power = MelFrontend(MEL).power
    with torch.inference_mode():
        return waveforms, {name: 10 * np.log10(power(torch.from_numpy(one)[None])[0].numpy() + 1e-6)
                           for name, one in waveforms.items()}  # fmt: skip


@dataclass(frozen=True)
class FilePrediction:
    """What a model says of a file."""

    path: Path
    probabilities: np.ndarray  # [classes]
    embedding: np.ndarray  # [width], of unit length

    def top(self, classes: Sequence[str]) -> list[tuple[str, float]]:
        """The three likeliest genres with their probabilities."""
        return [(classes[index], float(self.probabilities[index])) for index in np.argsort(-self.probabilities)[:3]]


def predict_files(checkpoint: Checkpoint, paths: Sequence[Path]) -> Iterator[FilePrediction | InputError]:
    """One file after the other, of any length; what cannot be used comes as the error that names it."""
    model = checkpoint.network()
    for path in tqdm(paths, unit="file", disable=None, leave=False):
        try:
            yield _predicted(model, checkpoint, Path(path))
        except InputError as error:
            yield error


def _predicted(model: torch.nn.Module, checkpoint: Checkpoint, path: Path) -> FilePrediction:
    """Mean log probability and mean embedding of the windows of a file, which overlap by half, without silent ones."""
    rate, seconds, classes = checkpoint.sample_rate, checkpoint.seconds, len(checkpoint.classes)

    def described(batch: torch.Tensor) -> torch.Tensor:
        """[B, samples] -> peak, log probabilities and embedding [B, 1 + classes + width]."""
        embedded = model.embed(batch)
        return torch.cat([batch.abs().amax(1, True), torch.log_softmax(model.head(embedded), 1), embedded], 1)

    if (length := audio.length(path)) < SHORTEST_S:
        raise InputError(f"{path}: too short ({length:.2f} s); give at least {SHORTEST_S:g} s")
    if length < seconds:  # repeated up to a window
        waveform = np.resize(audio.read(path, rate), round(seconds * rate))
        if not np.isfinite(waveform).all():
            raise InputError(f"{path}: holds values that are not finite numbers; encode it again")
        with torch.inference_mode():
            rows = described(torch.from_numpy(waveform)[None]).numpy()
    else:
        rows = np.stack(list(predict_windows(described, path, rate, seconds, seconds / 2)))
    rows = rows[rows[:, 0] > SILENCE, 1:].astype(float)
    if not len(rows):
        raise InputError(f"{path}: silent throughout; give a file with music in it")
    log, embedding = np.split(rows.mean(axis=0), [classes])
    return FilePrediction(path, softmax(log), embedding / np.linalg.norm(embedding))


def similar(query: FilePrediction, others: Sequence[FilePrediction], k: int) -> list[tuple[Path, float]]:
    """The k files nearest to the query with the cosines of their embeddings, nearest first, without the query."""
    candidates = [other for other in others if other.path.resolve() != query.path.resolve()]
    cosines = np.array([float(query.embedding @ other.embedding) for other in candidates])
    return [(candidates[index].path, cosines[index]) for index in np.argsort(-cosines, kind="stable")[:k]]


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below a folder, sorted; an InputError if there are none."""
    paths = sorted(path for path in folder.rglob("[!.]*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: holds no audio files; give a folder with {', '.join(SUFFIXES[:4])} files")
    return paths
