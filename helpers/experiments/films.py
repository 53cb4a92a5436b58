"""Recognise instruments in films every 30 ms: transfer from NSynth against scratch, single windows, real solos.

Shown in notebook 04.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from helpers import audio
from helpers.augmentation.mixing import AddSolos, active
from helpers.augmentation.spectral import SpecAugment
from helpers.augmentation.waveform import Compose, Equalise, Noise, Reverberate, Sometimes
from helpers.config import BUDGETS, CACHE, InputError, MelConfig, TrainConfig
from helpers.datasets import chmusic, film_builder
from helpers.datasets import films as corpus
from helpers.datasets.base import Clip
from helpers.datasets.films import SAMPLE_RATE, WINDOW_S, BuiltFilm, FilmDataset, Films
from helpers.evaluation import frames
from helpers.evaluation.intervals import score_text
from helpers.evaluation.results import Result, versions
from helpers.experiments.common import curves, data_root
from helpers.experiments.film_tags import TASK, constants, decide, film_counts, predict_film, scores
from helpers.experiments.nsynth import MEL
from helpers.features.mel import mfcc
from helpers.files import fingerprint, write_json
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.models.classic import SingleWindow
from helpers.models.frames import GRID, HOP, arguments_of, initialise
from helpers.training.fit import fit

MODEL = "film_crnn"
EPOCHS = 16  # at most; a budget may allow fewer
CONTEXT_S = 3.84  # s around a window that a network is given
RECIPE = {"loss": "bce", "balanced": False, "learning_rate": 2e-3, "batch_size": 8}  # the same for both starts
ROOMS = Compose((Sometimes(0.7, Equalise(5.0)), Sometimes(0.3, Reverberate((0.1, 0.5))), Sometimes(0.3, Noise())))
STARTS = ("from NSynth", "from scratch")
SOLO_S = 8.0  # s of each real solo in a film of solos
SUFFIXES = (".mp3", ".flac", ".wav")
WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
MFCC = MelConfig(SAMPLE_RATE, n_fft=WINDOW, hop_length=WINDOW, n_mels=40, f_min=0.0)
BLOCK = 1_000  # windows whose coefficients are computed at once


@dataclass(frozen=True)
class Runs:
    """All networks of one start, one for each seed, and their counts on the test films."""

    checkpoints: list[Checkpoint]
    counts: np.ndarray  # [seeds, films, levels, 3, classes]


def load(root: str, budget: str) -> Films:
    """The built films below a data root: as they are, or built into the cache from `films/sources.json`."""
    folder = data_root("films", root, budget) / "films"
    if (folder / film_builder.MANIFEST).is_file():
        return corpus.load(folder)
    out = CACHE / "films" / fingerprint([folder.resolve()])
    film_builder.build(folder / "sources.json", folder, out)
    return corpus.load(out)


def chmusic_solos(root: str, budget: str, built: Films) -> list[Clip]:
    """Solos of ChMusic to mix into the films, if the corpus is there and is of the same kind, real or generated."""
    try:
        place = data_root("chmusic", root, budget)
        same = (chmusic.CORPUS.label(place, "pieces", len(chmusic.pieces(place))) == "demo") == (built.data == "demo")
        return chmusic.solos(place, built.instruments) if same else []
    except InputError:
        return []


def solos_below(folder: Path, instruments: Sequence[str]) -> list[Clip]:
    """Solos of a folder: ChMusic where it holds `chmusic/`, otherwise `real_solos`; an InputError if there are none."""
    found = chmusic.solos(folder, instruments) if chmusic.CORPUS.found(folder) else real_solos(folder, instruments)
    if not any(clip.labels for clip in found):
        raise InputError(f"{folder}: no solos of {', '.join(instruments)}; name files after them, such as erhu_1.wav")
    return found


def real_solos(folder: Path, instruments: Sequence[str]) -> list[Clip]:
    """Solo recordings named after their instrument (up to `_`); what is not in the list has no label."""
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    labels = ([n for n, name in enumerate(instruments) if name == path.stem.split("_")[0]] for path in paths)
    return [Clip(path, tuple(label), path.stem) for path, label in zip(paths, labels, strict=True)]


def recipe(epochs: int, seed: int) -> TrainConfig:
    """How to train: the same from NSynth weights and from random ones."""
    return TrainConfig(epochs=epochs, seed=seed, **RECIPE)


def windows_of(context_s: float) -> int:
    """A context in windows, rounded to what the network's grid allows; an InputError if none is left."""
    count = round(context_s / WINDOW_S / GRID) * GRID
    if count <= 0:
        raise InputError(f"--context {context_s:g}: is too short; take a second or more")
    return count


def train(films: Films, config: TrainConfig, notes: Checkpoint | None = None, context_s: float = CONTEXT_S,
          solos: Sequence[Clip] = (), run_dir: Path | None = None) -> Checkpoint:  # fmt: skip
    """Train on the films of the split train; thresholds and the best epoch are chosen on those of valid.

    `notes` is an NSynth checkpoint whose convolutions are taken over; None: random weights. `solos` are clips of
    single instruments that are mixed into the training films, beside the solo passages of these films.
    """
    context = windows_of(context_s)
    training = FilmDataset(films.split("train"), context, context // 4)
    validation = FilmDataset(films.split("valid"), context, context)
    arguments = arguments_of(notes) if notes else {"mel": asdict(replace(MEL, hop_length=HOP))}
    model = build(MODEL, len(films.instruments), seed=config.seed, **arguments)
    if notes:
        initialise(model, notes)
    alone = [*solos, *corpus.solos(films.split("train"))]
    history = fit(
        model, training, validation, config, augment=ROOMS, spec_augment=SpecAugment(),
        batch_augment=AddSolos(alone, SAMPLE_RATE, augment=ROOMS) if alone else None, run_dir=run_dir,
    )
    checkpoint = Checkpoint(
        TASK, MODEL, arguments, films.instruments, SAMPLE_RATE, context * WINDOW_S, model.state_dict(),
        seed=config.seed, versions=versions(), history=[curves(history)],
        data={"corpus": "films", "data": films.data, "n": len(training), "solos": len(alone),
              "fingerprint": films.fingerprint, "recipe": asdict(config)},
    )  # fmt: skip
    checkpoint.thresholds = thresholds(model, films.split("valid"), checkpoint)
    return checkpoint


def thresholds(network, valid: Sequence[BuiltFilm], checkpoint: Checkpoint) -> list[float]:
    """One threshold a class, chosen on validation films."""
    probabilities = [predict_film(network, film.path, checkpoint) for film in valid]
    return frames.thresholds([film.targets for film in valid], probabilities, decide, WINDOW_S).tolist()


def evaluate(checkpoint: Checkpoint, test: Sequence[BuiltFilm]) -> np.ndarray:
    """Counts [films, levels, 3, classes] on films that nothing was chosen on, by the weights as they are stored."""
    network = checkpoint.network()
    return np.stack([
        film_counts(film.targets, decide(predict_film(network, film.path, checkpoint), checkpoint.thresholds))
        for film in test
    ])


def report(checkpoint: Checkpoint, films: Films) -> dict[str, dict]:
    """Scores on the test films with intervals and constant baselines, as plain values; prints the main ones."""
    test = films.split("test")
    found, baselines = scores(evaluate(checkpoint, test), test, films.instruments, checkpoint.seed), constants(test)
    for key in ("window_micro_f1", "segment_micro_f1"):
        print(f"{films.data} test films ({len(test)}): {key} {score_text(found[key].model_dump())}, "
              f"best constant {baselines['best constant'][key]:.3f}")
    return {"test": {key: score.model_dump() for key, score in found.items()}, "baselines": baselines}


def compare(
    films: Films, notes: Checkpoint, budget: str, seed: int, command: str, solos: Sequence[Clip] = ()
) -> tuple[Result, dict[str, Runs]]:
    """Train from both starts with every seed of the budget, all else equal, and score the test films once."""
    test, epochs, runs = films.split("test"), min(BUDGETS[budget].epochs, EPOCHS), {}
    for start in STARTS:
        found = [train(films, recipe(epochs, seed + number), notes if start == STARTS[0] else None, solos=solos)
                 for number in range(BUDGETS[budget].seeds)]
        runs[start] = Runs(found, np.stack([evaluate(checkpoint, test) for checkpoint in found]))
    every = {start: [scores(counts, test, films.instruments, 0)["segment_micro_f1"].value for counts in one.counts]
             for start, one in runs.items()}
    return Result(
        title="Films: gong, erhu, dizi, pipa; transfer from NSynth against scratch", corpus="films", data=films.data,
        n=sum(len(film.labels) for film in test), groups=len(test), group_kind="film", fingerprint=films.fingerprint,
        seed=seed, budget=budget, command=command, classes=list(films.instruments), baselines=constants(test),
        scores={start: scores(one.counts.sum(axis=0), test, films.instruments, seed) for start, one in runs.items()},
        details={"segment_micro_f1 of every seed": every, "recipe": asdict(recipe(epochs, seed))},
    ), runs  # fmt: skip


def single_windows(films: Films) -> np.ndarray:
    """Counts [films, levels, 3, classes] on the test films of linear decisions on the 30 ms of single windows.

    Fitted on the training films, thresholds chosen on those of the split valid, as for the networks.
    """
    fitted, valid, test = (films.split(side) for side in ("train", "valid", "test"))
    targets = np.concatenate([film.targets for film in fitted])
    model = SingleWindow().fit(np.concatenate([_window_mfcc(film) for film in fitted]), targets)
    probabilities = [model.probability(_window_mfcc(film)) for film in valid]
    chosen = frames.thresholds([film.targets for film in valid], probabilities, np.greater_equal, WINDOW_S)
    return np.stack([film_counts(film.targets, model.probability(_window_mfcc(film)) >= chosen) for film in test])


def solo_shares(checkpoint: Checkpoint, solos: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """For each recording the share of its time in which each instrument is predicted."""
    network = checkpoint.network()
    rows = {}
    for clip in solos:
        decided = decide(predict_film(network, clip.path, checkpoint), checkpoint.thresholds)
        rows[clip.name] = dict(zip(checkpoint.classes, decided.mean(axis=0).round(3).tolist(), strict=True))
    return rows


def named_first(rows: Mapping[str, Mapping[str, float]]) -> tuple[int, int]:
    """Of the recordings of instruments that are in the list: how many have their own predicted most, and how many."""
    known = {name: row for name, row in rows.items() if name.split("_")[0] in row}
    first = {name: max(row, key=row.get) for name, row in known.items() if max(row.values()) > 0}
    return sum(instrument == name.split("_")[0] for name, instrument in first.items()), len(known)


def films_of_solos(solos: Sequence[Clip], instruments: Sequence[str], out: Path, seed: int, count: int = 4) -> Films:
    """Test films whose instruments are real: solos one after the other over generated speech, music and room.

    Labels are measured on each solo before mixing. All films share the same recordings, in another order, at other
    places, levels and over another background. Built once; what is there already is used.
    """
    from helpers.demo.films import RATE, add, ambience, background, segments
    from helpers.demo.music import limited, loudness_to

    if not (out / film_builder.MANIFEST).is_file():
        sources = []
        for number in range(count):
            rng, claims = np.random.default_rng((seed, number)), []
            mix = ambience(round((len(solos) * (SOLO_S + 1) + 1) * RATE), rng)
            for place, index in enumerate(rng.permutation(len(solos))):
                clip, begin = solos[index], 0.5 + place * (SOLO_S + 1)
                start = rng.uniform(0, max(0.0, audio.length(clip.path) - SOLO_S))
                wave = loudness_to(audio.read(clip.path, RATE, start, SOLO_S), rng.uniform(-25, -18))
                for sound in [wave, *background(SOLO_S, rng)]:
                    add(mix, sound, begin, rng)
                size = round(WINDOW_S * RATE)
                sounding = active(wave[: len(wave) // size * size].reshape(-1, size))
                claims += [(instruments[label], begin + first, begin + last) for label in clip.labels
                           for first, last in frames.events(sounding, WINDOW_S)]
            audio.write(out / f"solos{number}.wav", limited(mix).mean(axis=1), RATE)
            about = {"title": f"Real solos {number}", "licence": "private", "split": "test", "exhaustive": True}
            sources.append(about | {"id": f"solos{number}", "file": f"solos{number}.wav",
                                    "segments": segments(claims, 0.0)})
        write_json(out / "sources.json", {"version": 1, "instruments": list(instruments), "sources": sources})
        film_builder.build(out / "sources.json", out, out)
    return corpus.load(out)


def _window_mfcc(film: BuiltFilm) -> np.ndarray:
    """MFCCs [windows, 20] of every window of a film, each from the 30 ms of that window."""
    rows, count = [], len(film.labels)
    for first in range(0, count, BLOCK):
        waveform = audio.read(film.path, SAMPLE_RATE, (first + 0.5) * WINDOW_S, BLOCK * WINDOW_S)
        coefficients = mfcc(audio.fit_length(waveform, BLOCK * WINDOW), MFCC)  # centred: window middles
        rows.append(coefficients[: min(BLOCK, count - first)])
    return np.concatenate(rows)
