"""Statistics of instruments in music: known answers for tones, vibrato and plucked notes; level, silence, names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.features.timbre import RATES, SAMPLE_RATE, InstrumentStatistics

STATISTICS = InstrumentStatistics()
TIME = torch.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
NOISE = 1e-4 * torch.randn(len(TIME), generator=torch.Generator().manual_seed(0))


def tone(hertz: float, multiples: tuple[int, ...] = (1, 2, 3, 4, 5, 6), swing: float = 0.0) -> torch.Tensor:
    """Three seconds of equally strong harmonics; `swing` in Hz is the vibrato, 5 times a second."""
    phase = hertz * TIME + swing * torch.sin(2 * torch.pi * 5 * TIME) / (2 * torch.pi * 5)
    return sum(torch.sin(2 * torch.pi * number * phase) for number in multiples) / 10 + NOISE


def blocks(*waveforms: torch.Tensor) -> dict[str, np.ndarray]:
    return {name: values.numpy() for name, values in STATISTICS.blocks(torch.stack(waveforms)).items()}


@pytest.mark.parametrize("hertz", [98.0, 440.0, 1318.5])
def test_the_pitch_of_a_harmonic_tone_is_its_fundamental(hertz: float) -> None:
    assert 2 ** blocks(tone(hertz))["pitch"][0, 0] == pytest.approx(hertz, rel=0.02)


def test_only_odd_harmonics_sound_hollow() -> None:
    all_of_them, odd = blocks(tone(300), tone(300, (1, 3, 5, 7)))["pitch"][:, -1]
    assert odd > all_of_them + 3


def test_vibrato_stands_out_at_its_rate() -> None:
    plain, swinging = blocks(tone(600), tone(600, swing=18))["vibrato"]
    five = next(number for number, rate in enumerate(RATES) if rate > 5) - 1
    assert (swinging - plain).argmax() == five and swinging[five] > plain[five] + 1


def test_a_plucked_note_begins_faster_than_it_ends() -> None:
    struck = tone(300) * 10 ** (-1.5 * (TIME % 0.5) / 0.5)
    rises, swells = blocks(struck, struck.flip(0))["skew 2"].mean(axis=1)
    assert rises > 0.3 and swells < -0.3


def test_statistics_do_not_depend_on_the_level_and_are_finite_for_silence_and_one_second() -> None:
    wave = tone(220)[None]
    torch.testing.assert_close(STATISTICS(wave), STATISTICS(0.01 * wave), rtol=1e-2, atol=5e-3)
    assert STATISTICS(torch.zeros(2, SAMPLE_RATE)).isfinite().all()
    assert STATISTICS(wave[:, :SAMPLE_RATE]).isfinite().all()


def test_columns_are_chosen_by_the_names_of_blocks() -> None:
    assert sum(STATISTICS.widths.values()) == STATISTICS(tone(220)[None]).shape[1] == 593
    change, rest = STATISTICS.columns("change", "skew"), STATISTICS.columns("")
    assert len(change) == 96 and rest == list(range(593))
    found = blocks(tone(220))["change 2"][0]
    np.testing.assert_array_equal(STATISTICS(tone(220)[None])[0, change[:40]], found)
