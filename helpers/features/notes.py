"""What the frames and the level of a note tell: one short-time transform and one envelope; notebook 02.

Every block is a function that returns name -> [B] or [B, k]. Times are seconds from the beginning of the note; NSynth's
keys are held for 3 s, then released. Envelope descriptors follow Peeters, "A large set of audio features for sound
description", IRCAM 2004, section 4.
Axis letters: B notes, T frames, F bins, M mel bands, O octave bands, L steps of the envelope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch.nn.functional import avg_pool1d, pad
from torchaudio.functional import create_dct

SAMPLE_RATE = 16_000  # Hz
SAMPLES = 64_000  # of a note
N_FFT, HOP = 2048, 512  # samples
FRAME_RATE = SAMPLE_RATE / HOP
SEGMENTS = {
    "onset": (0.0, 0.15), "early": (0.2, 0.7), "middle": (0.9, 1.8), "late": (2.0, 2.95), "release": (3.1, 3.4),
    "end": (3.5, 4.0),
}  # fmt: skip
N_MELS, N_CEPSTRUM = 96, 24
OCTAVE_EDGES = (0, 90, 180, 355, 710, 1000, 1414, 2000, 2830, 4000, 5660, 8001)  # Hz; half octaves where ears resolve
OCTAVE_BINS = [math.ceil(edge * N_FFT / SAMPLE_RATE) for edge in OCTAVE_EDGES]  # first bin of each and beyond the last
FLATNESS_BINS = (8, 32, 64, 128, 256, 512, 1025)
BAND_RATES = (0.7, 2, 4, 7, 10, 15.6)  # Hz: borders of the modulation rates of a band's level
STEP = 80  # samples between two values of the envelope
STEP_RATE = SAMPLE_RATE // STEP
AFTER_ONSET = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.0, 2.8)  # s after the onset where the level is read
RELEASED = (0.025, 0.06, 0.1, 0.15, 0.25, 0.4, 0.6, 0.9)  # s after the release where it is read
KEY_UP = 3.0  # s
RATES = (0.6, 1.5, 3, 4.5, 6, 8, 12, 20, 40, 80)  # Hz: borders of the modulation rates of the whole level


def decibels(power: torch.Tensor, floor: float) -> torch.Tensor:
    """Power in dB, not below that of `floor`."""
    return 10 * torch.log10(power.clamp_min(floor))


def frame(seconds: float) -> int:
    """Index of the frame at a time."""
    return round(seconds * FRAME_RATE)


def segment(track: torch.Tensor, name: str, axis: int = -1) -> torch.Tensor:
    """Mean over the frames of a segment, which are an axis of a track, [..., T] -> [...]."""
    start, end = map(frame, SEGMENTS[name])
    return track.movedim(axis, -1)[..., start : end + 1].mean(-1)


def between(track: torch.Tensor, start: float, end: float) -> torch.Tensor:
    """Frames from a time to another, [..., T] -> [..., t]."""
    return track[..., frame(start) : frame(end)]


def slope(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Least-squares slope of values [..., n] over places [n], [...]."""
    centred = places - places.mean()
    return values @ centred / centred.square().sum()


def fluctuation(level: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Deviation of levels [..., n] in dB from a cubic, [..., n], and its power spectrum [..., size // 2 + 1]."""
    x = torch.linspace(-1, 1, level.shape[-1], device=level.device)
    basis = torch.linalg.qr(torch.stack([x**0, x, x**2, x**3], 1))[0]
    rest = level - (level @ basis) @ basis.T
    window = torch.hann_window(level.shape[-1], device=level.device)
    return rest, torch.fft.rfft(rest * window, n=size).abs().square() / level.shape[-1]


def bins(size: int, highest: float, borders: Sequence[float]) -> list[slice]:
    """The values between neighbouring borders in Hz, of `size` values from 0 to `highest` Hz."""
    cuts = [math.ceil(border * (size - 1) / highest) for border in borders]
    return [slice(*cut) for cut in pairwise(cuts)]


def rates(spectrum: torch.Tensor, highest: float, borders: Sequence[float]) -> torch.Tensor:
    """Logarithm of the mean power between borders in Hz of a spectrum up to `highest` Hz, [..., n] -> [..., k]."""
    means = [spectrum[..., part].mean(-1) for part in bins(spectrum.shape[-1], highest, borders)]
    return torch.log10(torch.stack(means, -1) + 1e-3)


def cosines(n_coefficients: int, n_bands: int) -> torch.Tensor:
    """Orthonormal discrete cosine transform [n_coefficients, n_bands]."""
    return create_dct(n_coefficients, n_bands, "ortho").T


def cepstrum(coefficients: torch.Tensor) -> dict[str, torch.Tensor]:
    """Mel-frequency cepstral coefficients [B, N_CEPSTRUM, T] by segment, their spread, speed and changes."""
    blocks = {name: segment(coefficients, name) for name in SEGMENTS}
    held = between(coefficients, 0.3, 2.9)
    steps = coefficients[..., 2:] - coefficients[..., :-2]
    before_release = between(coefficients, 2.5, 2.9).mean(-1)
    return {f"cepstrum.{name}": values for name, values in blocks.items()} | {
        "cepstrum.spread": held.std(-1),
        "cepstrum.speed": between(steps, 0.3, 2.9).abs().mean(-1),
        "cepstrum.attack": coefficients[..., frame(0.05)] - coefficients[..., frame(0.3)],
        "cepstrum.course": between(coefficients, 0.4, 0.7).mean(-1) - between(coefficients, 2.4, 2.9).mean(-1),
        "cepstrum.fall": before_release - between(coefficients, 3.15, 3.3).mean(-1),
    }


def flux(mel: torch.Tensor) -> dict[str, torch.Tensor]:
    """How much mel levels [B, M, T] in dB rise and fall from frame to frame, at the onset, later and at the release."""
    change = mel.diff(dim=-1)
    blocks = {}
    for name, amount in (("up", change.clamp_min(0).mean(1)), ("down", (-change).clamp_min(0).mean(1))):  # [B, T - 1]
        onset, held, release = (between(amount, *part) for part in ((0, 0.2), (1, 2.9), (2.9, 3.3)))
        blocks[f"flux.{name}"] = torch.stack([
            onset.amax(1), onset.mean(1), between(amount, 0.2, 1).mean(1), held.mean(1), held.amax(1),
            release.amax(1), release.mean(1), amount[:, frame(3.3) :].mean(1),
        ], 1)  # fmt: skip
    return blocks


def octave_bands(power: torch.Tensor) -> dict[str, torch.Tensor]:
    """Share, peak, decay, release and unrest of each octave band's power [B, O, T]."""
    total = power.sum(1, keepdim=True)  # [B, 1, T]
    level = decibels(power / total.amax(2, keepdim=True).clamp_min(1e-9), 1e-8)  # [B, O, T]
    share = decibels(power / (total + 1e-9), 1e-8)
    peak, when = level[..., : frame(3)].max(-1)
    early, late = between(level, 0.15, 0.6), between(level, 0.6, 2.9)
    seconds = torch.arange(level.shape[-1], device=level.device) / FRAME_RATE
    rest, spectrum = fluctuation(between(level, 0.5, 2.9).clamp_min(-60), 256)
    at_release = level[..., frame(2.85)]
    return {f"bands.share_{name}": segment(share, name) for name in ("onset", "early", "late")} | {
        "bands.peak_time": torch.log10(when / FRAME_RATE + 0.03),
        "bands.peak": peak,
        "bands.decay_early": slope(early, seconds[: early.shape[-1]]),
        "bands.decay_late": slope(late, seconds[: late.shape[-1]]),
        "bands.release_soon": at_release - level[..., frame(3.25)],
        "bands.release_later": at_release - level[..., frame(3.6)],
        "bands.onset_excess": level[..., :4].amax(-1) - between(level, 0.3, 0.5).mean(-1),
        "bands.unrest": rest.std(-1),
        "bands.modulation": rates(spectrum[:, ::2], FRAME_RATE / 2, BAND_RATES).flatten(1),
    }


def flatness(power: torch.Tensor, name: str) -> dict[str, torch.Tensor]:
    """Geometric to arithmetic mean of the power [B, F] of a segment, in octaves of bins: noise against partials."""
    octaves = [power[:, a:b] for a, b in pairwise(FLATNESS_BINS)]
    values = [bins.clamp_min(1e-9).log().mean(1) - bins.mean(1).clamp_min(1e-9).log() for bins in octaves]
    return {f"flatness.{name}": torch.stack(values, 1)}


def envelope(waveform: torch.Tensor) -> torch.Tensor:
    """Level [B, L] of waveforms [B, samples] in dB below the note's loudest step, smoothed over four steps."""
    energy = waveform.reshape(len(waveform), -1, STEP).square().mean(2)
    smooth = avg_pool1d(pad(energy[:, None], (3, 0)), 4, 1)[:, 0]
    return decibels(smooth / smooth.amax(1, keepdim=True).clamp_min(1e-12), 1e-8)


def level_course(level: torch.Tensor) -> dict[str, torch.Tensor]:
    """Attack, decay, release and modulation of levels [B, L] in dB from `envelope`."""
    onset, peak, steps = first_above(level, -40), level.argmax(1), torch.arange(level.shape[1], device=level.device)
    amplitude = 10 ** (level / 20)
    held = level[:, 585:598].mean(1)  # just before the release
    after_onset = onset[:, None] + torch.tensor([round(s * STEP_RATE) for s in AFTER_ONSET], device=level.device)
    released = [round((KEY_UP + seconds) * STEP_RATE) for seconds in RELEASED]
    fallen = (level[:, 598:] < held[:, None] - 10).float().argmax(1)
    rest, spectrum = fluctuation(level[:, 100:590].clamp_min(-60), 1024)
    return {
        "envelope.onset": onset / STEP_RATE,
        "envelope.attack": _log_seconds(first_above(level, -1) - first_above(level, -20)),
        "envelope.attack_inner": _log_seconds(first_above(level, -3) - first_above(level, -30)),
        "envelope.peak_time": _log_seconds(peak - onset + 1),
        "envelope.after_onset": level.gather(1, after_onset.clamp(0, level.shape[1] - 1)),
        "envelope.centroid": (amplitude * steps).sum(1) / amplitude.sum(1) / STEP_RATE,
        "envelope.share_above": torch.stack([(level > v).float().mean(1) for v in (-6, -12, -20, -40, -60)], 1),
        "envelope.held_drop": level[:, 100:200].mean(1) - level[:, 500:590].mean(1),
        "envelope.release": held[:, None] - level[:, released],
        "envelope.release_time": _log_seconds(fallen + 1),
        "envelope.unrest": rest.std(1),
        "envelope.modulation": rates(spectrum, STEP_RATE / 2, RATES),
        "envelope.tremolo": _tremolo(spectrum),
        "envelope.bend": level[:, 40:80].mean(1) + level[:, 500:590].mean(1) - 2 * level[:, 260:340].mean(1),
    }


def first_above(level: torch.Tensor, threshold: float) -> torch.Tensor:
    """First step [B] at which levels [B, L] pass a threshold in dB; 0 where they never do."""
    return (level > threshold).float().argmax(1)


def _log_seconds(steps: torch.Tensor) -> torch.Tensor:
    return torch.log10(steps.clamp_min(1) / STEP_RATE)


def _tremolo(spectrum: torch.Tensor) -> torch.Tensor:
    """Rate in Hz of the strongest modulation from 1 to 15 Hz, and how far it stands out, [B, 2]."""
    (inside,) = bins(spectrum.shape[1], STEP_RATE / 2, (1, 15))
    power = spectrum[:, inside]
    prominence = power.amax(1) / power.mean(1).clamp_min(1e-9)
    rate = (inside.start + power.argmax(1)) * (STEP_RATE / 2 / (spectrum.shape[1] - 1))
    return torch.stack([rate, torch.log10(prominence)], 1)
