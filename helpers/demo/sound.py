"""What the virtual instruments are built from: notes, envelopes, modes, wavetables, shaped noise and filters.

Axes: n notes of one batch, k partials, j levels of brightness, t samples, f frequency bins. Everything is float32.
Reference: J. O. Smith, "Physical Audio Signal Processing" (modal synthesis), W3K Publishing, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft

TABLE = 4096  # samples of one period in a wavetable
CONTROL = 128  # samples between two points of a slow curve


@dataclass(frozen=True)
class Notes:
    """A batch of notes of one instrument that are rendered together."""

    pitch: np.ndarray  # [n] MIDI numbers, 69 is 440 Hz; fractions are allowed
    velocity: np.ndarray  # [n] in 0..1
    held: np.ndarray  # [n] s until the key, bow or breath is released
    seconds: float  # length of the result
    sample_rate: int  # Hz
    rng: np.random.Generator

    @property
    def samples(self) -> int:
        """Length of the result."""
        return round(self.seconds * self.sample_rate)

    @cached_property
    def time(self) -> np.ndarray:
        """Seconds [1, t]."""
        return (np.arange(self.samples, dtype=np.float32) / np.float32(self.sample_rate))[None]

    @property
    def frequency(self) -> np.ndarray:
        """Fundamental frequency in Hz [n, 1]."""
        return hertz(column(self.pitch))

    @property
    def force(self) -> np.ndarray:
        """Velocity [n, 1]."""
        return column(self.velocity)

    def uniform(self, low: float, high: float) -> np.ndarray:
        """A random number for each note [n, 1]."""
        return column(self.rng.uniform(low, high, len(self.pitch)))


def column(values: np.ndarray | float) -> np.ndarray:
    """Values [n] as float32 [n, 1]."""
    return np.atleast_1d(np.asarray(values, np.float32))[:, None]


def hertz(pitch: np.ndarray | float) -> np.ndarray | float:
    """Frequency of a MIDI pitch: hertz(69) is 440.0."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def modes(notes: Notes, frequency: np.ndarray, t60: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Sum [n, t] of sinusoids that start at 0 and decay: what a struck or plucked body does.

    All [n, k]: `frequency` in Hz (what lies above the Nyquist frequency is left out), `t60` in seconds until a mode
    has fallen by 60 dB, `amplitude` at the beginning. exp(s(aB + b)) = exp(s a B) exp(s b) makes it a matrix product.
    """
    amplitude = np.where(frequency < 0.49 * notes.sample_rate, amplitude, 0.0)
    block = max(16, round(notes.samples**0.5))  # B
    blocks = -(-notes.samples // block)
    cosine, sine = _spirals(notes, frequency, t60, block * np.arange(blocks))  # [n, k, blocks]
    left = np.concatenate([cosine, sine], axis=1)  # [n, 2k, blocks]
    cosine, sine = _spirals(notes, frequency, t60, np.arange(block))  # [n, k, B]
    strength = amplitude.astype(np.float32)[:, :, None]
    right = np.concatenate([sine * strength, cosine * strength], axis=1)  # [n, 2k, B]
    wave = left.transpose(0, 2, 1) @ right  # [n, blocks, B]
    return wave.reshape(len(wave), -1)[:, : notes.samples]


def _spirals(notes: Notes, frequency: np.ndarray, t60: np.ndarray, samples: np.ndarray):
    """Decaying cosines and sines [n, k, len(samples)] at the given sample numbers."""
    time = samples / notes.sample_rate
    turns = frequency[:, :, None].astype(np.float64) * time  # exact also after thousands of periods
    angle = ((turns - np.rint(turns)) * (2 * np.pi)).astype(np.float32)
    decay = np.exp((-6.908 / t60).astype(np.float32)[:, :, None] * time.astype(np.float32))
    return decay * np.cos(angle), decay * np.sin(angle)


def cycles(notes: Notes, semitones: np.ndarray | float = 0.0) -> np.ndarray:
    """Phase in periods [n, t] of tones that deviate by `semitones` [n, t] from their pitch."""
    ratio = np.exp2(np.asarray(semitones, np.float32) / np.float32(12))
    step = np.broadcast_to(notes.frequency / notes.sample_rate * ratio, (len(notes.pitch), notes.samples))
    start = notes.rng.random((len(step), 1))
    turns = np.cumsum(step, axis=1, dtype=np.float64) + start
    return (turns - np.floor(turns)).astype(np.float32)


def harmonic(notes: Notes, phase: np.ndarray, spectra: np.ndarray, brightness: np.ndarray | None = None) -> np.ndarray:
    """A periodic tone [n, t] whose spectrum moves between given ones, without harmonics above the Nyquist frequency.

    `phase` is in periods [n, t], from `cycles`; `spectra` are amplitudes of harmonics 1..k at j levels of brightness
    [n, j, k] (without brightness, j is 1); `brightness` [n, t] goes in 0..1 from the first spectrum to the last. Read
    from wavetables with linear interpolation.
    """
    n, levels, k = spectra.shape
    orders = np.arange(1, k + 1)
    fade = np.clip((0.47 * notes.sample_rate / notes.frequency - orders) / 2.0, 0.0, 1.0)  # [n, k]
    bins = np.zeros((n, levels, TABLE // 2 + 1), np.complex64)
    bins[:, :, 1 : k + 1] = spectra * fade[:, None] * np.exp(2.4j * orders**2)  # quadratic phases: a small crest
    tables = (fft.irfft(bins, TABLE) * (TABLE / 2)).astype(np.float32)  # [n, j, TABLE]
    place = phase * np.float32(TABLE)
    index = place.astype(np.int32)
    part = place - index.astype(np.float32)
    index &= TABLE - 1
    after = (index + 1) & (TABLE - 1)

    def look_up(offset: np.ndarray | int) -> np.ndarray:
        rows = np.arange(n, dtype=np.int32)[:, None] * (levels * TABLE) + offset
        flat = tables.reshape(-1)
        here = flat[rows + index]
        return here + part * (flat[rows + after] - here)

    if brightness is None:
        return look_up(0)
    position = np.clip(brightness, 0.0, 1.0).astype(np.float32) * (levels - 1)
    low = np.minimum(position.astype(np.int32), levels - 2)
    dark = look_up(low * TABLE)
    return dark + (position - low.astype(np.float32)) * (look_up((low + 1) * TABLE) - dark)


def noise(notes: Notes, gain: np.ndarray) -> np.ndarray:
    """Gaussian noise [n, t] of standard deviation about 1 where the `gain` over `bins` [n or 1, f] is 1."""
    size = padded(notes.samples)
    spectrum = notes.rng.standard_normal((len(notes.pitch), size // 2 + 1, 2), dtype=np.float32)
    spectrum = spectrum.view(np.complex64)[..., 0] * gain.astype(np.float32)
    return fft.irfft(spectrum, size)[:, : notes.samples] * np.float32(np.sqrt(size / 2))


def padded(samples: int) -> int:
    """A fast transform length that leaves room for what a zero-phase filter spreads before the onset."""
    return fft.next_fast_len(samples + 2000, real=True)


def bins(samples: int, sample_rate: int) -> np.ndarray:
    """Frequencies in Hz [1, f] of the transform that `noise` and `filtered` use for so many samples."""
    return fft.rfftfreq(padded(samples), 1 / sample_rate).astype(np.float32)[None]


def filtered(waveform: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Apply a zero-phase gain over `bins` [n or 1, f] to waveforms [n, t]."""
    samples = waveform.shape[-1]
    size = padded(samples)
    return fft.irfft(fft.rfft(waveform, size) * gain.astype(np.float32), size)[..., :samples]


def low_pass(frequency: np.ndarray, cutoff: np.ndarray | float, order: float = 2.0) -> np.ndarray:
    """Gain of a Butterworth-like low pass; `order` 1 falls by 6 dB an octave."""
    return 1.0 / np.sqrt(1.0 + (frequency / cutoff) ** (2.0 * order))


def resonances(frequency: np.ndarray, centres, widths, gains_db) -> np.ndarray:
    """Gain of a body: 1 plus bell-shaped peaks, at frequencies of any shape (widths in Hz)."""
    gain = np.ones_like(frequency)
    for centre, width, gain_db in zip(centres, widths, gains_db, strict=True):
        gain = gain + 10 ** (gain_db / 20) / (1.0 + ((frequency - centre) / (0.5 * width)) ** 2)
    return gain


def envelope(notes: Notes, attack, decay=1.0, sustain=1.0, release=0.05) -> np.ndarray:
    """Attack to 1, exponential decay to `sustain`, release after the note is held; seconds, scalars or [n, 1]."""
    time = notes.time
    rise = np.sin(np.float32(np.pi / 2) * np.minimum(time / np.float32(1) / attack, 1.0)) ** 2
    fall = sustain + (1.0 - sustain) * np.exp(-np.maximum(time - attack, 0.0) / decay)
    return (rise * fall * damped(notes, release)).astype(np.float32)


def damped(notes: Notes, release) -> np.ndarray:
    """1 while the note is held, then an exponential fall with the time constant `release` (s)."""
    return np.exp(-np.maximum(notes.time - column(notes.held), 0.0) / np.float32(release))


def wobble(notes: Notes, rate: float, irregular: float = 0.2) -> np.ndarray:
    """A sine [n, t] of about `rate` Hz whose rate and depth drift, as players do."""
    speed = notes.uniform(1 - irregular, 1 + irregular) * rate
    phase = speed * notes.time + irregular * drift(notes, 1.5) + notes.uniform(0, 1)
    return np.sin(np.float32(2 * np.pi) * phase.astype(np.float32))


def drift(notes: Notes, rate: float) -> np.ndarray:
    """A slow random curve [n, t] of unit size with about `rate` turns a second."""
    points = int(notes.seconds * rate) + 2
    values = notes.rng.standard_normal((len(notes.pitch), points)).astype(np.float32)
    blocks = -(-notes.samples // CONTROL)
    position = np.linspace(0, points - 1.001, blocks + 1)
    index = position.astype(int)
    part = (position - index).astype(np.float32)
    part = part * part * (3 - 2 * part)
    curve = values[:, index] * (1 - part) + values[:, index + 1] * part  # [n, blocks + 1], one in CONTROL samples
    ramp = np.arange(CONTROL, dtype=np.float32) / np.float32(CONTROL)
    lines = curve[:, :-1, None] + np.diff(curve)[:, :, None] * ramp
    return lines.reshape(len(lines), -1)[:, : notes.samples]


def peak_to(waveform: np.ndarray, level: np.ndarray | float) -> np.ndarray:
    """Scale each waveform [n, t] so that its peak is `level` ([n, 1] or scalar); silence stays silence."""
    peak = np.abs(waveform).max(axis=-1, keepdims=True)
    return waveform * (level / np.maximum(peak, 1e-6)).astype(np.float32)
