"""30 ms against seconds: what a window alone tells about the instruments in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers import audio
from helpers.audio import fit_length
from helpers.datasets.films import BuiltFilm, Films
from helpers.datasets.films_sources import SAMPLE_RATE, WINDOW_S
from helpers.evaluation import frames
from helpers.features.spectral import Frames, SpectralConfig
from helpers.models.single_window import SingleWindow
from helpers.studies.film_scores import film_counts

WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
CHUNK_S = 30.0
MFCC = SpectralConfig(seconds=CHUNK_S, n_fft=WINDOW, hop_length=WINDOW, n_mels=40)


def single_windows(built: Films) -> np.ndarray:
    """Counts [films, levels, 3, classes] on the test films of decisions on single windows.

    Learned on the training films, thresholds chosen on those of the split valid, as for the networks.
    """
    model = SingleWindow().fit(_features(built.split("train")), _targets(built.split("train")))
    thresholds = frames.thresholds(_targets(built.split("valid")), model.probability(_features(built.split("valid"))))
    return np.stack([
        film_counts(film.targets, model.probability(_features([film])) >= thresholds) for film in built.split("test")
    ])


def _targets(films: Sequence[BuiltFilm]) -> np.ndarray:
    return np.concatenate([film.targets for film in films])


def _features(films: Sequence[BuiltFilm]) -> np.ndarray:
    """MFCCs [windows, 20] of every window of some films, each from the 30 ms of that window."""
    rows = []
    for film in films:
        count = len(film.labels)
        for first in range(0, count, MFCC.samples // WINDOW):
            waveform = audio.read(film.path, SAMPLE_RATE, (first + 0.5) * WINDOW_S, CHUNK_S)
            mfcc = Frames(fit_length(waveform, MFCC.samples)[None], MFCC).mfcc[0]  # frames are centred: window middles
            rows.append(mfcc[: min(MFCC.samples // WINDOW, count - first)])
    return np.concatenate(rows)
