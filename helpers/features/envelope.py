"""How a note's level moves: attack, decay, tremolo and release, one value for each note.

Axes: B notes, L steps of STEP_S seconds. The envelope is the level of the root mean square in dB below its maximum.
The descriptors follow Peeters, "A large set of audio features for sound description", IRCAM 2004, section 4.
"""

from __future__ import annotations

import numpy as np

STEP_S = 0.005  # s between two values of the envelope
SMOOTHING = 4  # steps of the moving average
FLOOR = -80.0  # dB, where levels are cut
HELD_S = 3.0  # NSynth's keys are held so long, then released
LEVELS_AT = (0.25, 0.5, 1.0, 2.0, 2.9)  # s after the onset where the level is read
RELEASED_AT = (0.1, 0.3, 0.6)  # s after the release where the level is read
TREMOLO_HZ = (3.0, 12.0)


def envelope_features(waveforms: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
    """Descriptors of the envelope of waveforms [B, samples]: name → float32 [B]."""
    level = envelope(waveforms, sample_rate)  # [B, L]
    onset, peak = _first_above(level, -40.0), level.argmax(axis=1)
    features = {
        "attack_time": np.log10(np.maximum(_first_above(level, -1.0) - _first_above(level, -20.0), 1) * STEP_S),
        "peak_time": np.log10((peak + 1) * STEP_S),
        "temporal_centroid": _temporal_centroid(level) - onset * STEP_S,
        "effective_duration": (level > -20.0).mean(axis=1),
        "sounding_duration": (level > -60.0).mean(axis=1),
        "early_decay": _slope(level, peak, round(0.3 / STEP_S)),
        "decay": _slope(level, peak, round(1.5 / STEP_S)),
        "crest": 20 * np.log10(np.abs(waveforms).max(axis=1) / np.maximum(waveforms.std(axis=1), 1e-9) + 1e-9),
    }
    for seconds in LEVELS_AT:
        features[f"level_at_{seconds:g}s"] = _level_at(level, onset + round(seconds / STEP_S))
    held = _level_at(level, np.full(len(level), round(HELD_S / STEP_S) - 1))
    for seconds in RELEASED_AT:
        released = _level_at(level, np.full(len(level), round((HELD_S + seconds) / STEP_S)))
        features[f"release_after_{seconds:g}s"] = released - held
    features |= _tremolo(level)
    return {name: values.astype(np.float32) for name, values in features.items()}


def envelope(waveforms: np.ndarray, sample_rate: int) -> np.ndarray:
    """Level [B, L] in dB below the note's loudest step; silence is FLOOR everywhere."""
    step = round(STEP_S * sample_rate)
    whole = waveforms[:, : waveforms.shape[1] // step * step].reshape(len(waveforms), -1, step)
    energy = np.einsum("bls,bls->bl", whole, whole) / step
    padded = np.pad(energy, ((0, 0), (SMOOTHING - 1, 0)))
    smooth = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING, axis=1).mean(axis=-1)
    loudest = smooth.max(axis=1, keepdims=True)
    relative = smooth / np.where(loudest > 0, loudest, 1)
    return 10 * np.log10(np.maximum(relative, 10 ** (FLOOR / 10)))


def _first_above(level: np.ndarray, threshold: float) -> np.ndarray:
    """First step [B] at which the level passes the threshold in dB; 0 where it never does."""
    return (level > threshold).argmax(axis=1)


def _level_at(level: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Level [B] at one step of each note, or at the last step there is."""
    return np.take_along_axis(level, np.minimum(step, level.shape[1] - 1)[:, None], axis=1)[:, 0]


def _slope(level: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    """Least-squares slope [B] in dB/s of the level over so many steps from each note's start."""
    index = np.minimum(start[:, None] + np.arange(steps), level.shape[1] - 1)
    time = np.arange(steps) * STEP_S
    centred = time - time.mean()
    return np.take_along_axis(level, index, axis=1) @ centred / np.square(centred).sum()


def _temporal_centroid(level: np.ndarray) -> np.ndarray:
    """Centre of gravity [B] of the amplitude in seconds."""
    amplitude = 10 ** (level / 20)
    return amplitude @ (np.arange(level.shape[1]) * STEP_S) / amplitude.sum(axis=1)


def _tremolo(level: np.ndarray) -> dict[str, np.ndarray]:
    """Depth in dB and rate in Hz of the strongest level modulation while the key is held, and how rough it is."""
    held = np.maximum(level[:, round(0.5 / STEP_S) : round((HELD_S - 0.1) / STEP_S)], -60.0)
    time = np.linspace(-1, 1, held.shape[1])
    held = held - np.polynomial.polynomial.polyval(time, np.polynomial.polynomial.polyfit(time, held.T, 2))
    spectrum = np.abs(np.fft.rfft(held * np.hanning(held.shape[1]), axis=1)) * 4 / held.shape[1]
    rate = np.fft.rfftfreq(held.shape[1], STEP_S)
    band = (rate >= TREMOLO_HZ[0]) & (rate <= TREMOLO_HZ[1])
    return {
        "tremolo_depth": spectrum[:, band].max(axis=1),
        "tremolo_rate": rate[band][spectrum[:, band].argmax(axis=1)],
        "roughness": held.std(axis=1),
    }
