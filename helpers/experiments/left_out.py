"""What the film recogniser is worth for players that it has not heard: real solos, left out in turn; notebook 04.

Recordings of one player never stand on two sides. A CRNN is trained without each half of the players, the statistics,
which are quickly fitted, without one player at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import expit, logit
from torch import nn

from helpers import audio
from helpers.config import CACHE, InputError, TrainConfig
from helpers.datasets import film_builder, film_checks, nsynth
from helpers.datasets import films as corpus
from helpers.datasets.base import Clip, groups, split_by_group
from helpers.datasets.films import INSTRUMENTS, SAMPLE_RATE, WINDOW_S, BuiltFilm, Films
from helpers.demo.films import RATE, Track, add, ambience, background, heard, segments
from helpers.demo.music import limited, loudness_to
from helpers.evaluation import bootstrap, multilabel, score_text
from helpers.experiments import common
from helpers.experiments import films as study
from helpers.experiments import solos as solo_study
from helpers.experiments.solos import Table
from helpers.files import file_fingerprint, fingerprint, write_json
from helpers.models.checkpoint import Checkpoint, load_checkpoint
from helpers.prediction.clips import predict_frames

SHARES = {"CRNN": 1.0, "statistics": 0.0, "both": study.CRNN_SHARE}  # of the CRNN in the average
SOLO_S, PAUSE_S = 8.0, 1.0  # of each solo in a film of solos, and between two
CERTAIN = 1e-6  # probabilities are kept this far from 0 and 1


def apart(train: Sequence[Clip], test: Sequence[Clip]) -> None:
    """An InputError if a player, or a file under any name, stands on both sides."""
    players, files = set(groups(train)), {file_fingerprint(clip.path) for clip in train}
    for clip in test:
        if clip.group in players or file_fingerprint(clip.path) in files:
            raise InputError(f"{clip.path}: is trained on and tested on; leave it, and its player, out of one of both")


def answer(crnn: nn.Module, statistics: nn.Module, path: Path, context_s: float) -> np.ndarray:
    """Log-odds [2, N, C] of a whole file by both parts, CRNN and statistics."""
    context = study.windows_of(context_s)
    parts = [predict_frames(part, audio.stream(path, SAMPLE_RATE), context) for part in (crnn, statistics)]
    return logit(np.clip(np.stack(parts).astype(float), CERTAIN, 1 - CERTAIN))


def decisions(answer: np.ndarray, share: float) -> np.ndarray:
    """Whether each instrument is tagged, bool [N, C], if the CRNN has a share of the average of both parts."""
    probability = multilabel.smooth(expit(share * answer[0] + (1 - share) * answer[1]), study.MEDIAN)
    return study.decide(probability, [study.THRESHOLD] * probability.shape[1])


def players_left_out(
    films: Films, config: TrainConfig, notes: Checkpoint | None, solos: Sequence[Clip], table: Table,
    context_s: float, run_dir: Path | None = None,
) -> tuple[dict[Clip, np.ndarray], list[tuple[BuiltFilm, np.ndarray]]]:  # fmt: skip
    """The `answer` of networks that have not heard the players: of each labelled solo, and of films made of the solos.

    `table` holds the statistics of these and other sounds. Of each half of the players two films are made.
    """
    answers, filmed = {}, []
    folder = CACHE / "films_of_solos" / fingerprint([config.seed, *(file_fingerprint(clip.path) for clip in solos)])
    halves = [half for half in split_by_group(solos, (1, 1), config.seed) if half]
    for number, out in enumerate(halves):
        inside = [clip for clip in solos if clip not in out]
        apart(inside, out)
        crnn = study.train(films, config, notes, context_s, inside, run_dir).network
        for player in sorted({clip.group for clip in out if clip.labels}):
            statistics = solo_study.fit(table.without([player]), films.instruments)
            answers |= {clip: answer(crnn, statistics, clip.path, context_s) for clip in out if clip.group == player}
        statistics = solo_study.fit(table.without(groups(out)), films.instruments)
        made = films_of_solos(out, folder / str(number), config.seed + number)
        filmed += [(film, answer(crnn, statistics, film.path, context_s)) for film in made.films]
    return answers, filmed


def hits(answers: dict[Clip, np.ndarray], share: float) -> np.ndarray:
    """For each solo 1.0 if its own instrument is tagged longer than every other, else 0.0."""
    times = [decisions(one, share).mean(axis=0) for one in answers.values()]  # as shares of the recordings'
    return np.array([float(time.argmax() == clip.labels[0] and time.max() > 0)
                     for clip, time in zip(answers, times, strict=True)])  # fmt: skip


def scores(answers: dict[Clip, np.ndarray]) -> dict[str, dict[str, float]]:
    """Share of solos named right by each part and by both, with intervals over players, beside the majority."""
    players, most = groups(list(answers)), np.bincount([clip.labels[0] for clip in answers]).max()
    found = {name: bootstrap(np.mean, players, hits(answers, share)) for name, share in SHARES.items()}
    return found | {"majority class": {"value": float(most / len(answers))}}


def film_scores(filmed: Sequence[tuple[BuiltFilm, np.ndarray]]) -> dict[str, dict]:
    """F1 by second of each part and of both on films of real solos, with intervals over films."""
    rows, films = {}, [film for film, _ in filmed]
    for name, share in SHARES.items():
        counts = np.stack([study.film_counts(film.targets, decisions(one, share)) for film, one in filmed])
        rows[name] = study.scores(counts, films, INSTRUMENTS, seed=0)["segment_micro_f1"].model_dump()
    return rows | {"best constant": {"value": study.constants(films)["best constant"]["segment_micro_f1"]}}


def films_of_solos(solos: Sequence[Clip], out: Path, seed: int) -> Films:
    """Two test films whose instruments are real: solos one after the other over generated speech, music and room.

    Labels are measured on each solo before mixing. The films share the recordings, in another order, other stretches
    of the long ones, at other levels and over another background. Built once; what is there already is used.
    """
    if not (out / corpus.MANIFEST).is_file():
        sources = [_film_of_solos(solos, out, np.random.default_rng((seed, number)), f"solos_{number}")
                   for number in range(2)]  # fmt: skip
        write_json(out / "sources.json", {"version": 1, "instruments": list(INSTRUMENTS), "sources": sources})
        film_builder.build(out / "sources.json", out, out)
    return corpus.load(out)


def _film_of_solos(solos: Sequence[Clip], folder: Path, rng: np.random.Generator, name: str) -> dict:
    """Write one film; returns its entry in the sources file."""
    claims, mix = [], ambience(round((len(solos) * (SOLO_S + PAUSE_S) + PAUSE_S) * RATE), rng)
    for place, index in enumerate(rng.permutation(len(solos))):
        clip, begin = solos[index], PAUSE_S + place * (SOLO_S + PAUSE_S)
        start = rng.uniform(0, max(0.0, audio.length(clip.path) - SOLO_S))
        wave = audio.read(clip.path, RATE, start, SOLO_S)
        track = Track(solo_study.instrument_of(clip, INSTRUMENTS), begin, loudness_to(wave, rng.uniform(-25, -18)))
        for sound in (track.wave, *background(len(wave) / RATE, rng)):
            add(mix, sound, begin, rng)
        claims += [(track.instrument, *span) for span in heard(track, len(mix) / RATE) if clip.labels]
    audio.write(folder / f"{name}.flac", limited(mix).mean(axis=1), RATE)
    return {"id": name, "file": f"{name}.flac", "title": f"Real solos, {name}", "licence": "private", "split": "test",
            "exhaustive": True, "segments": segments(claims, 0.0)}  # fmt: skip


def refuse_test_films(solos: Sequence[Clip], films: Films) -> None:
    """An InputError if a solo is the file that a test film was made of."""
    tested = {film_builder.made_of(film.path) for film in films.films if film.split == "test"}
    for clip in solos:
        if film_builder.made_from(film_checks.content_fingerprint(clip.path)) in tested:
            raise InputError(f"{clip.path}: is a test film, too; take it out of the solos or of the films")


def run(
    data: Path, init: Path | None, folders: Sequence[Path], root: Path | None, context_s: float, epochs: int, seed: int,
    run_dir: Path | None, command: str,
) -> Checkpoint:  # fmt: skip
    """`films train`: learn from built films in `data` and from solos in `folders`; score on what was not.

    An InputError if a folder holds no solos, or a solo is a test film, too.
    """
    films, notes = corpus.load(data), load_checkpoint(init, nsynth.TASK) if init else None
    solos = [clip for folder in folders for clip in solo_study.solos_below(folder, films.instruments)]
    refuse_test_films(solos, films)
    config, scored, context_s = study.recipe(epochs, seed), {}, study.windows_of(context_s) * WINDOW_S
    table = solo_study.measure(solo_study.sounds(films, solos, root, seed)) if solos else None
    trained = study.train(films, config, notes, context_s, solos, run_dir)
    if table:
        answers, filmed = players_left_out(films, config, notes, solos, table, context_s, run_dir)
        trained = study.combine(trained, solo_study.fit(table, films.instruments))
        scored = {"solos, players left out": scores(answers), "films of solos, players left out": film_scores(filmed)}
        for name, row in scored["solos, players left out"].items():
            print(f"{len(answers)} solos, their players left out: {name} names {row['value']:.3f} of them")
    if test := [film for film in films.films if film.split == "test"]:
        counts = study.evaluate(trained.network, test, context_s, trained.thresholds)
        found, baselines = study.scores(counts, test, films.instruments, seed), study.constants(test)
        scored |= {"test": {key: score.model_dump() for key, score in found.items()}, "baselines": baselines}
        for key in ("window_micro_f1", "segment_micro_f1"):
            print(f"{films.data} test films ({len(test)}): {key} {score_text(scored['test'][key])}, "
                  f"best constant {baselines['best constant'][key]:.3f}")  # fmt: skip
    return common.checkpoint(
        study.TASK, trained, films.instruments, SAMPLE_RATE, context_s, corpus="films", label=films.data,
        scores=scored, command=command, films=films.fingerprint,
    )  # fmt: skip
