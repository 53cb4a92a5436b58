"""Augmented copies of GTZAN's training tracks on disk, and waveforms before and after for a figure."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from helpers import audio
from helpers.augmentation import genre
from helpers.config import InputError, MelConfig
from helpers.datasets import gtzan
from helpers.datasets.base import Clip
from helpers.experiments.genre_recipe import GenreConfig
from helpers.features.mel import MelFrontend
from helpers.files import write_text

SHOWN_S = 3.0  # seconds of a clip in the figure


def write(root: Path, protocol: str, out: Path, seed: int) -> tuple[int, Clip]:
    """Write ten versions of each training track below `out`/genres and `out`/train_list.txt.

    A version depends on the seed, the track and its kind alone; files that exist are kept.

    Returns:
        The number of files that the list names, and the first training track.

    Raises:
        InputError: no training tracks, or `out` is the corpus itself.
    """
    training = gtzan.split(gtzan.tracks(root).clips, protocol, seed)["train"]
    if not training:
        raise InputError(f"protocol {protocol!r}: no training tracks below {root}; use --split track")
    if out.resolve() in gtzan.folder(root).resolve().parents or out.resolve() == gtzan.folder(root).resolve():
        raise InputError(f"{out}: holds the corpus itself; give another folder")
    paths = [path for clip in tqdm(training, unit="track", disable=None) for path in _versions(clip, out, seed)]
    write_text(out / "train_list.txt", "\n".join(path.relative_to(out).as_posix() for path in paths) + "\n")
    return len(paths), training[0]


def _versions(clip: Clip, out: Path, seed: int) -> list[Path]:
    """Write what is missing of the ten versions of a track."""
    paths, waveform = [], None
    for number, (suffix, augmentation) in enumerate(genre.TENFOLD.items()):
        name = f"{clip.name}_{suffix}.wav" if suffix else f"{clip.name}.wav"
        paths.append(out / "genres" / gtzan.GENRES[clip.labels[0]] / name)
        if paths[-1].is_file():
            continue
        waveform = audio.read(clip.path, gtzan.SAMPLE_RATE) if waveform is None else waveform
        rng = np.random.default_rng((seed, zlib.crc32(clip.name.encode()), number))
        audio.write(paths[-1], augmentation(waveform, rng) if augmentation else waveform, gtzan.SAMPLE_RATE)
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
        powers = {name: power(torch.from_numpy(waveform)[None])[0] for name, waveform in waveforms.items()}
    return {name: 10 * np.log10(mel.numpy() + 1e-6) for name, mel in powers.items()}
