"""What the virtual instruments are made of: notes, sums of decaying partials, shaped noise, slow curves, a room.

Axes: n notes of one batch, j spectra, k partials, t samples, c points of a slow curve (one every STEP samples), f bins.
Waveforms are float32.
Reference: J. O. Smith, "Physical Audio Signal Processing" (modal synthesis), W3K Publishing, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

STEP = 16  # samples between two points of a slow curve


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

    @property
    def time(self) -> np.ndarray:
        """Seconds [1, c]."""
        return np.arange(0, self.samples + STEP, STEP)[None] / self.sample_rate

    @property
    def frequency(self) -> np.ndarray:
        """Fundamental frequency in Hz [n, 1]."""
        return 440.0 * 2.0 ** ((np.asarray(self.pitch)[:, None] - 69.0) / 12.0)

    def full(self, curve: np.ndarray, kind: type = np.float32) -> np.ndarray:
        """A slow curve [n, c] at every sample [n, t]."""
        ramp = np.arange(STEP, dtype=kind) / STEP
        lines = curve[:, :-1, None].astype(kind) + np.diff(curve)[..., None].astype(kind) * ramp
        return lines.reshape(len(curve), -1)[:, : self.samples]


def partials(notes: Notes, frequency: np.ndarray, t60: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Sums [n, j, t] of sinusoids that start at 0 and decay.

    `frequency` in Hz [n, k] (what lies above the Nyquist frequency is left out), `t60` in seconds until a partial has
    fallen by 60 dB [n, k], `amplitude` at the beginning [n, j, k]. As exp(s(aB + b)) = exp(s a B) exp(s b), it is a
    product of matrices.
    """
    heard = frequency < 0.49 * notes.sample_rate
    some = heard.any(axis=0)
    frequency, t60, amplitude = frequency[:, some], t60[:, some], (heard[:, None] * amplitude)[..., some]
    block = max(16, round(notes.samples**0.5))  # B
    starts = block * np.arange(-(-notes.samples // block))
    left = np.concatenate(_spirals(notes, frequency, t60, starts), axis=1)  # [n, 2k, blocks]
    cosine, sine = _spirals(notes, frequency, t60, np.arange(block))  # [n, k, B]
    right = np.concatenate([sine, cosine], axis=1)[:, None]  # [n, 1, 2k, B]
    strength = np.concatenate([amplitude, amplitude], axis=2).astype(np.float32)  # [n, j, 2k]
    waves = left.transpose(0, 2, 1)[:, None] @ (right * strength[..., None])  # [n, j, blocks, B]
    return waves.reshape(*waves.shape[:2], -1)[..., : notes.samples]


def _spirals(notes: Notes, frequency: np.ndarray, t60: np.ndarray, samples: np.ndarray):
    """Decaying cosines and sines [n, k, len(samples)] at the given sample numbers."""
    time = samples / notes.sample_rate
    turns = frequency[:, :, None].astype(np.float64) * time  # exact also after thousands of periods
    angle = ((turns - np.rint(turns)) * (2 * np.pi)).astype(np.float32)
    decay = np.exp((-6.908 / t60).astype(np.float32)[:, :, None] * time.astype(np.float32))
    return decay * np.cos(angle), decay * np.sin(angle)


def bent(notes: Notes, waves: np.ndarray, semitones: np.ndarray) -> np.ndarray:
    """Waves [n, t] with their pitch moved by so many semitones [n, c]: read along a time axis that is warped."""
    place = STEP * np.cumsum(2 ** (semitones / 12), axis=1)
    place = np.clip(notes.full(place - place[:, :1], np.float64), 0, waves.shape[1] - 1.001)
    index = place.astype(np.int32)
    part = (place - index).astype(np.float32)
    padded = np.pad(waves, ((0, 0), (1, 2)))
    index += np.arange(len(waves), dtype=np.int32)[:, None] * padded.shape[1]
    p, q, r, s = (padded.reshape(-1).take(index + ahead) for ahead in range(4))
    return q + 0.5 * part * (r - p + part * (2 * p - 5 * q + 4 * r - s + part * (3 * (q - r) + s - p)))  # cubic


def bins(samples: int, sample_rate: int) -> np.ndarray:
    """Frequencies in Hz [1, f] of the transform that `noise` uses for so many samples."""
    return fft.rfftfreq(fft.next_fast_len(samples, real=True), 1 / sample_rate).astype(np.float32)[None]


def noise(notes: Notes, gain: np.ndarray) -> np.ndarray:
    """Gaussian noise [n, t] of standard deviation about 1 where the `gain` over `bins` [1, f] is 1.

    The notes of a batch are given the same noise, each from another place on.
    """
    size = fft.next_fast_len(notes.samples, real=True)
    spectrum = notes.rng.standard_normal((size // 2 + 1, 2), dtype=np.float32)
    wave = fft.irfft(spectrum.view(np.complex64)[:, 0] * gain[0].astype(np.float32), size)
    wave = np.tile(wave * np.float32(np.sqrt(size / 2)), 2)
    return np.stack([wave[start : start + notes.samples] for start in notes.rng.integers(size, size=len(notes.pitch))])


def low_pass(frequency: np.ndarray, cutoff: np.ndarray | float, order: float = 2.0) -> np.ndarray:
    """Gain of a Butterworth-like low pass; `order` 1 falls by 6 dB an octave."""
    return 1.0 / np.sqrt(1.0 + ((frequency / cutoff) ** 2) ** order)


def drift(notes: Notes, rate: float) -> np.ndarray:
    """A slow random curve [n, c] of about unit size, with about `rate` turns a second."""
    values = notes.rng.standard_normal((len(notes.pitch), int(notes.seconds * rate) + 2))
    place = np.linspace(0, values.shape[1] - 1, notes.time.shape[1])
    return np.stack([np.interp(place, np.arange(len(row)), row) for row in values])


def peak_to(waveform: np.ndarray, level: np.ndarray | float) -> np.ndarray:
    """Scale each waveform [n, t] so that its peak is `level` ([n, 1] or scalar); silence stays silence."""
    peak = np.abs(waveform).max(axis=-1, keepdims=True)
    return waveform * (level / np.maximum(peak, 1e-6)).astype(np.float32)


@dataclass(frozen=True)
class Room:
    """What lies between the instrument and the file: amplifier, equaliser, reverberation, noise."""

    drive: float  # saturation of amplifier or tape; 0: none
    balance: float  # dB an octave around 1 kHz
    top: float  # Hz, upper end of microphone or sampler
    bottom: float  # Hz, lower end
    reverb: float  # s, until it has fallen by 60 dB
    wet: float  # loudness of the reverberation
    floor: float  # dB below full scale, of the noise
    echo: float  # seed of the reverberation

    def record(self, waveforms: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Dry waveforms [n, t] to recorded ones; the peak of each is kept."""
        level, samples = np.abs(waveforms).max(axis=-1, keepdims=True), waveforms.shape[-1]
        if self.drive > 0.05:
            waveforms = np.tanh(self.drive * waveforms)
        length = round(min(self.reverb, 1.5) * sample_rate)
        size = fft.next_fast_len(samples + length, real=True)  # zero phase: some of it lies before the onset
        frequency = np.maximum(fft.rfftfreq(size, 1 / sample_rate).astype(np.float32), 1)
        octaves = np.clip(np.log2(frequency / 1000), -4, 4)
        gain = 10 ** (self.balance * octaves / 20) * low_pass(frequency, self.top) * low_pass(self.bottom, frequency, 1)
        if self.wet > 0.01:
            decay = np.exp(-6.908 * np.arange(length) / (self.reverb * sample_rate))
            response = np.random.default_rng(int(self.echo)).standard_normal(length) * decay / np.sqrt(decay @ decay)
            gain = gain * (1 + self.wet * fft.rfft(response.astype(np.float32), size))
        wave = fft.irfft(fft.rfft(waveforms, size) * gain, size)[..., :samples]
        hum = 10 ** (self.floor / 20) * rng.standard_normal(wave.shape, dtype=np.float32)
        return peak_to(wave, level) + hum
