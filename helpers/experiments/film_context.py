"""30 ms against seconds: what a window alone tells about the instruments in it."""

from __future__ import annotations

import numpy as np

from helpers import audio
from helpers.audio import fit_length
from helpers.datasets.film_sources import SAMPLE_RATE, WINDOW_S
from helpers.datasets.films import BuiltFilm, Films
from helpers.evaluation import frames
from helpers.experiments.film_scores import film_counts
from helpers.features.spectral import Frames, SpectralConfig
from helpers.models.classic import SingleWindow

WINDOW = round(WINDOW_S * SAMPLE_RATE)  # samples
CHUNK_S = 30.0
MFCC = SpectralConfig(seconds=CHUNK_S, n_fft=WINDOW, hop_length=WINDOW, n_mels=40)


def single_windows(built: Films) -> np.ndarray:
    """Counts [films, levels, 3, classes] on the test films of decisions on single windows.

    Learned on the training films, thresholds chosen on those of the split valid, as for the networks.
    """
    train, valid, test = (built.split(side) for side in ("train", "valid", "test"))
    targets = np.concatenate([film.targets for film in train])
    model = SingleWindow().fit(np.concatenate([_features(film) for film in train]), targets)
    probabilities = [model.probability(_features(film)) for film in valid]
    chosen = frames.thresholds([film.targets for film in valid], probabilities, np.greater_equal, WINDOW_S)
    return np.stack([film_counts(film.targets, model.probability(_features(film)) >= chosen) for film in test])


def _features(film: BuiltFilm) -> np.ndarray:
    """MFCCs [windows, 20] of every window of a film, each from the 30 ms of that window."""
    rows, count = [], len(film.labels)
    for first in range(0, count, MFCC.samples // WINDOW):
        waveform = audio.read(film.path, SAMPLE_RATE, (first + 0.5) * WINDOW_S, CHUNK_S)
        mfcc = Frames(fit_length(waveform, MFCC.samples)[None], MFCC).mfcc[0]  # frames are centred: window middles
        rows.append(mfcc[: min(MFCC.samples // WINDOW, count - first)])
    return np.concatenate(rows)
