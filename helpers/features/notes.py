"""The harmonic structure of a note: pitch, strength and decay of the partials, odd against even, stretched or not.

Axes: B notes, T frames, F bins, H partials, W bins around a partial. Everything is read from the shared transform.

How a note's level moves: attack, decay, tremolo and release, one value for each note.

Axes: B notes, L steps of STEP_S seconds. The envelope is the level of the root mean square in dB below its maximum.
The descriptors follow Peeters, "A large set of audio features for sound description", IRCAM 2004, section 4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft

from helpers.features.spectral import Frames, SpectralConfig

PITCHES = np.arange(21.0, 109.0, 0.25)  # MIDI pitches that are tried
PARTIALS = 16  # whose level is a feature
DECAYING = 6  # partials whose change over time is a feature
REACH = 4  # bins around a partial's place in which its peak is sought
FLOOR = -80.0  # dB below the strongest partial where levels are cut
EARLY_S, LATE_S = (0.1, 0.5), (1.5, 2.5)  # s between which partials decay


def harmonic_features(frames: Frames) -> dict[str, np.ndarray]:
    """Descriptors of the partials: name → float32 [B]."""
    mean = frames.magnitude.mean(axis=1)  # [B, F]
    pitch, clarity = estimate_pitch(mean, frames.config)
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    amplitude, deviation = partials(mean, hertz, frames.config)  # [B, H] each
    level = np.maximum(20 * np.log10(amplitude / amplitude.max(axis=1, keepdims=True)), FLOOR)
    energy = np.square(amplitude)
    number = np.arange(1, PARTIALS + 1)
    features = {
        "pitch": pitch,
        "pitch_clarity": clarity,
        "odd_to_even": 10 * np.log10(energy[:, 2::2].sum(axis=1) / energy[:, 1::2].sum(axis=1)),
        "partials_centroid": energy @ number / energy.sum(axis=1),
        "partials_to_all": energy.sum(axis=1) / np.maximum(np.square(mean).sum(axis=1), 1e-12),
        "partials_irregularity": np.abs(np.diff(level, axis=1)).mean(axis=1),
        "stretch": (amplitude * deviation) @ (number**2) / (amplitude @ (number**2)),
        "detuning": (amplitude * np.abs(deviation)).sum(axis=1) / amplitude.sum(axis=1),
    }
    features |= {f"partial_{h:02d}": level[:, h - 1] for h in number}
    features |= _changes(frames, hertz)
    return {name: values.astype(np.float32) for name, values in features.items()}


def estimate_pitch(magnitude: np.ndarray, config: SpectralConfig) -> tuple[np.ndarray, np.ndarray]:
    """Most likely MIDI pitch [B] of mean magnitudes [B, F], and how well its template fits (0 to 1), [B].

    Templates as in SWIPE' (Camacho and Harris, JASA 2008): cosine lobes at the first and the prime partials.
    """
    root = np.sqrt(magnitude)
    norm = np.linalg.norm(root, axis=1, keepdims=True)
    fit = root @ _templates(config) / np.where(norm > 0, norm, 1)  # [B, pitches]
    return PITCHES[fit.argmax(axis=1)], fit.max(axis=1)


def partials(magnitude: np.ndarray, hertz: np.ndarray, config: SpectralConfig) -> tuple[np.ndarray, np.ndarray]:
    """Peak of each partial in mean magnitudes [B, F] for fundamentals [B] in Hz.

    Returns:
        amplitude [B, H] (never zero, tiny beyond the Nyquist frequency) and relative deviation [B, H] of the peak
        from the whole multiple of the fundamental.
    """
    index, valid = _neighbours(hertz, PARTIALS, config)
    values = np.take_along_axis(magnitude[:, None], index, axis=2) * valid  # [B, H, W]
    place = (index * (config.sample_rate / config.n_fft) * (values == values.max(axis=2, keepdims=True))).max(axis=2)
    expected = hertz[:, None] * np.arange(1, PARTIALS + 1)
    heard = valid.any(axis=2)
    return np.maximum(values.max(axis=2), 1e-6), np.where(heard, place / expected - 1, 0.0)


def _changes(frames: Frames, hertz: np.ndarray) -> dict[str, np.ndarray]:
    """Decay in dB from early to late, and unrest in dB in between, of the lowest partials."""
    index, valid = _neighbours(hertz, DECAYING, frames.config)
    index, valid = index.reshape(len(hertz), 1, -1), valid[:, None]  # [B, 1, H × W], [B, 1, H, W]
    near = np.take_along_axis(frames.magnitude, index, axis=2).reshape(*frames.magnitude.shape[:2], DECAYING, -1)
    track = 20 * np.log10(np.maximum((near * valid).max(axis=3), 1e-6))  # [B, T, H]
    track = np.maximum(track, track.max(axis=(1, 2), keepdims=True) + FLOOR)
    rate = frames.config.sample_rate / frames.config.hop_length
    early, late = (track[:, round(a * rate) : round(b * rate)] for a, b in (EARLY_S, LATE_S))
    decay = late.mean(axis=1) - early.mean(axis=1)  # [B, H]
    unrest = np.abs(np.diff(track[:, round(0.5 * rate) : round(2.5 * rate)], axis=1)).mean(axis=1)
    features = {f"partial_decay_{h + 1}": decay[:, h] for h in range(DECAYING)}
    return features | {f"partial_unrest_{h + 1}": unrest[:, h] for h in range(DECAYING)}


def _neighbours(hertz: np.ndarray, count: int, config: SpectralConfig) -> tuple[np.ndarray, np.ndarray]:
    """Bins [B, count, W] around each partial, and which of them belong to it: near enough and below Nyquist."""
    width = config.sample_rate / config.n_fft  # Hz
    place = hertz[:, None, None] * np.arange(1, count + 1)[:, None] / width  # [B, count, 1]
    index = np.round(place).astype(int) + np.arange(-REACH, REACH + 1)
    reach = np.clip(0.25 * hertz / width, 1.0, REACH)[:, None, None]
    last = config.n_fft // 2
    return np.clip(index, 0, last), (np.abs(index - place) <= reach) & (index <= last) & (index >= 0)


@lru_cache
def _templates(config: SpectralConfig) -> np.ndarray:
    """One column for each of PITCHES, float32 [F, pitches]; the positive part of each has length 1."""
    frequency = scipy.fft.rfftfreq(config.n_fft, 1 / config.sample_rate)[:, None]
    ratio = frequency / (440 * 2 ** ((PITCHES - 69) / 12))  # [F, pitches]
    kernel = np.zeros_like(ratio)
    for number in (1, 2, 3, 5, 7, 11, 13, 17, 19, 23):
        distance = np.abs(ratio - number)
        kernel += np.where(distance < 0.25, 1.0, np.where(distance < 0.75, 0.5, 0.0)) * np.cos(2 * np.pi * ratio)
    kernel[1:] /= np.sqrt(frequency[1:])
    kernel[0] = 0
    return (kernel / np.linalg.norm(np.maximum(kernel, 0), axis=0)).astype(np.float32)


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
