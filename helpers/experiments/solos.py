"""Real solos: which there are, and a linear classifier of the statistics of their seconds; notebook 04.

Few recordings of an instrument exist, so that a network learns the recordings. What helps: statistics instead of
spectrograms, whitening within players (what varies while one plays does not tell instruments apart), related
instruments as examples in part, copies in other rooms and behind other music, strong regularisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from torch import nn
from tqdm import tqdm

from helpers import audio
from helpers.augmentation.mixing import Background
from helpers.augmentation.waveform import Compose, Equalise, Resample, Reverberate, Sometimes
from helpers.config import InputError
from helpers.datasets import chmusic, films, gtzan, irmas, nsynth
from helpers.datasets.base import Clip, groups
from helpers.datasets.films import SAMPLE_RATE, Films
from helpers.datasets.mixtures import PhraseDataset
from helpers.features.timbre import InstrumentStatistics
from helpers.models import build
from helpers.models.frames import SAMPLES, SECONDS, fit_statistics
from helpers.prediction.clips import CORES, batches, infer, windows

SUFFIXES = (".mp3", ".flac", ".wav")
HOP_S = 0.96  # s between the starts of excerpts of a recording
MOST = 40  # excerpts of a recording, evenly spaced
SILENT = 0.03  # of the level of the whole recording: quieter excerpts are left out
ALTERED = Compose((Resample(2.5), Equalise(4.0), Sometimes(0.5, Reverberate((0.1, 0.6)))))
SNR_DB = (-6.0, 15.0)  # of a solo over other music
RELATIVES = {  # what sounds alike, by its name in file names, NSynth and IRMAS
    "erhu": ("jinghu", "matouqin", "zhuiqin", "string_acoustic", "cel", "vio"),
    "dizi": ("xiao", "xun", "flute_acoustic", "flute_synthetic", "flu"),
    "pipa": ("guqin", "guzheng", "sanxian", "liuqin", "zhongruan", "guitar_acoustic", "gac"),
}
PHRASES = 4  # of each NSynth instrument


class Excerpt(NamedTuple):
    """Some seconds of sound, and what is known of them."""

    waveform: np.ndarray  # [SAMPLES]
    instrument: str
    player: str  # or instrument, track: what must not stand on two sides
    solo: bool  # a recording of one instrument; False: generated sounds and other music


@dataclass(frozen=True)
class Table:
    """Statistics of excerpts."""

    statistics: np.ndarray  # [n, D]
    instrument: np.ndarray  # names [n]
    player: np.ndarray  # [n]
    solo: np.ndarray  # bool [n]

    def without(self, players: Iterable[str]) -> Table:
        """The rows of all other players."""
        kept = ~np.isin(self.player, list(players))
        return Table(*(column[kept] for column in vars(self).values()))


def solos_below(folder: Path, instruments: Sequence[str]) -> list[Clip]:
    """Solos of a folder: the training pieces of ChMusic where it holds `chmusic/`, otherwise named recordings.

    These are named `<instrument>_<player><take>`, such as `erhu_wang2.flac`; the player is the group. A single letter
    is no player but a phrase: `erhu_a1` and `erhu_b1` are of the same one. What is not in the list of instruments has
    no label. An InputError if none is of an instrument of the list.
    """
    if chmusic.CORPUS.found(folder):
        return chmusic.solos(folder, instruments)
    found = []
    for path in sorted(path for path in Path(folder).glob("*") if path.suffix.lower() in SUFFIXES):
        name, _, player = path.stem.partition("_")
        player = re.sub(r"^[a-z]?\d*$|\d+$", "", player)
        group = f"{Path(folder).name}/{name} {player}".strip()
        found.append(Clip(path, tuple(n for n, one in enumerate(instruments) if one == name), group))
    if not any(clip.labels for clip in found):
        raise InputError(f"{folder}: no solos of {', '.join(instruments)}; name files after them, such as erhu_1.wav")
    return found


def instrument_of(clip: Clip, instruments: Sequence[str]) -> str:
    """The instrument that is heard, if it is in the list; otherwise the one that a recording is named after."""
    return instruments[clip.labels[0]] if clip.labels else clip.name.split("_")[0]


def cut(clip: Clip) -> list[np.ndarray]:
    """Waveforms [SAMPLES] from all over a clip, as prediction cuts them; silent ones are left out."""
    sound = audio.read(clip.path, SAMPLE_RATE, clip.start, clip.duration)
    margin = round((SECONDS - 2 * HOP_S) / 2 * SAMPLE_RATE)
    found = windows([sound], SAMPLES, round(HOP_S * SAMPLE_RATE), margin)
    found = [wave for wave in found if np.sqrt(np.mean(wave**2)) > SILENT * np.sqrt(np.mean(sound**2))]
    return [found[n] for n in np.unique(np.linspace(0, len(found) - 1, MOST).round().astype(int))] if found else []


def sounds(built: Films, solos: Sequence[Clip], root: Path | None, seed: int) -> Iterator[Excerpt]:
    """All that the statistics are fitted to: solos, solo passages of training films, and what a data root has.

    That is clips of IRMAS and GTZAN, which also are laid behind solos, and NSynth notes of an instrument as phrases.
    """
    behind = irmas.clips(root, "train") if root and irmas.CORPUS.found(root) else []
    behind += gtzan.tracks(root).clips if root and gtzan.CORPUS.found(root) else []
    for clips, solo in ((solos, True), (films.solos(built.split("train")), False)):
        yield from solo_excerpts(clips, built.instruments, behind, solo, seed)
    for clip in behind:
        wave = audio.fit_length(audio.read(clip.path, SAMPLE_RATE, clip.start, SECONDS), SAMPLES)
        name = irmas.CODES[clip.labels[0]] if clip.path.parent.name in irmas.CODES else "music"
        for copy in _copies(wave, behind, (seed, crc32(clip.name.encode()))):
            yield Excerpt(copy, name, clip.group, solo=False)
    if root and nsynth.CORPUS.found(root):
        notes = nsynth.clips(root, "train")
        players = sorted(set(groups(notes)))
        relabelled = [replace(note, labels=(players.index(note.group),)) for note in notes]
        phrases = PhraseDataset(relabelled, len(players), SAMPLE_RATE, SECONDS, PHRASES * len(players), seed)
        for number, (wave, target) in enumerate(phrases):
            player = players[int(target.argmax())]
            room = ALTERED(wave, np.random.default_rng((seed, number))) if number % 2 else wave
            yield Excerpt(room, "_".join(player.split("_")[:2]), player, solo=False)


def solo_excerpts(
    clips: Sequence[Clip], instruments: Sequence[str], behind: Sequence[Clip], solo: bool, seed: int
) -> Iterator[Excerpt]:
    """Excerpts of solos: each as it is, altered, and altered over another recording where there are any.

    In generated films every passage has a player of its own.
    """
    for clip in clips:
        name, passage = instrument_of(clip, instruments), f"{clip.name} {clip.start:g}"
        player = clip.group if clip.duration is None else passage
        for number, wave in enumerate(cut(clip)):
            for copy in _copies(wave, behind, (seed, crc32(passage.encode()), number)):
                yield Excerpt(copy, name, player, solo)


def _copies(wave: np.ndarray, behind: Sequence[Clip], seed: tuple[int, ...]) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    yield wave
    yield ALTERED(wave, rng)
    if behind:
        yield Background(behind, SAMPLE_RATE, SNR_DB)(ALTERED(wave, rng), rng)


def measure(excerpts: Iterable[Excerpt]) -> Table:
    """The statistics of excerpts."""
    about: list[tuple[str, str, bool]] = []

    def noted() -> Iterator[np.ndarray]:
        for waveform, *rest in tqdm(excerpts, desc="statistics", unit="excerpt", disable=None):
            about.append(tuple(rest))
            yield waveform

    found = np.concatenate(list(infer(InstrumentStatistics(), batches(noted(), 16), np.stack, workers=CORES)))
    return Table(found, *(np.array(column) for column in zip(*about, strict=True)))


def fit(table: Table, instruments: Sequence[str]) -> nn.Module:
    """A `film_statistics` network: a logistic regression for each instrument, the mean of both views.

    An InputError if there are no examples of one of the instruments.
    """
    label = np.array([instruments.index(name) if name in instruments else -1 for name in table.instrument])
    if missing := [name for number, name in enumerate(instruments) if number not in label]:
        raise InputError(f"solos: none of {', '.join(missing)}; add recordings such as {missing[0]}_1.wav")
    positive = label[:, None] == np.arange(len(instruments))
    akin = np.stack([np.isin(table.instrument, RELATIVES.get(name, ())) for name in instruments], axis=1)
    network = build("film_statistics", len(instruments))
    fit_statistics(network, table.statistics, positive, akin, table.player, weights(label, table))
    return network


def weights(label: np.ndarray, table: Table) -> np.ndarray:
    """Weights [n]: every instrument alike, all others twice as much; of each, solos and the rest alike.

    Within these, a player counts as the root of the number of its excerpts.
    """
    weight = np.zeros(len(label))
    for number in np.unique(label):
        kinds = np.unique(table.solo[label == number])
        for solo in kinds:
            rows = np.flatnonzero((label == number) & (table.solo == solo))
            _, player, count = np.unique(table.player[rows], return_inverse=True, return_counts=True)
            share = count[player] ** -0.5
            weight[rows] = share / share.sum() / len(kinds) * (2 if number < 0 else 1)
    return weight / weight.sum()
