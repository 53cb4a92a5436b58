"""Windows cover a recording, whatever its format, with constant memory."""

import tracemalloc

import numpy as np
import pytest
import soundfile
import torch

from helpers import audio
from helpers.config import InputError
from helpers.prediction.clips import predict_windows, windows

RATE = 16_000


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(1.0, [0]), (3.0, [0]), (7.5, [0, 1.5, 3.0, 4.5]), (8.0, [0, 1.5, 3.0, 4.5, 5.0])],
)
def test_windows_cover_the_file_and_the_last_ends_with_it(tmp_path, seconds, starts):
    ramp = np.linspace(-0.9, 0.9, round(seconds * RATE), dtype=np.float32)
    soundfile.write(tmp_path / "ramp.wav", ramp, RATE, subtype="FLOAT")
    found = list(windows(audio.stream(tmp_path / "ramp.wav", RATE), 3 * RATE, 3 * RATE // 2))
    assert all(len(window) == 3 * RATE for window in found)
    assert [window[0] for window in found] == [ramp[round(start * RATE)] for start in starts]
    assert seconds < 3 or found[-1][-1] == ramp[-1]


@pytest.mark.parametrize("block", [1, 7, 100])
@pytest.mark.parametrize("samples", [0, 1, 5, 8, 9, 30, 33])
def test_windows_with_a_margin_cover_everything_once(samples, block):
    sound = np.arange(1, samples + 1, dtype=np.float32)
    blocks = [sound[start : start + block] for start in range(0, samples, block)]
    found = [window[2:6] for window in windows(blocks, 8, 4, margin=2)]
    covered = np.concatenate(found) if found else np.zeros(0)
    np.testing.assert_array_equal(covered[:samples], sound)
    assert not covered[samples:].any() and len(covered) - samples < 4


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (96_000, 1)])
def test_any_rate_and_number_of_channels(tmp_path, rate, channels):
    soundfile.write(tmp_path / "noise.wav", np.full((rate * 4, channels), 0.25, np.float32), rate)
    first, *_ = windows(audio.stream(tmp_path / "noise.wav", RATE), 3 * RATE, 3 * RATE // 2)
    assert np.median(first) == pytest.approx(0.25, abs=1e-2)


def test_faulty_files_are_one_line(tmp_path):
    audio.write(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("no audio")
    for name in ("empty", "nan", "text", "absent"):
        with pytest.raises(InputError, match=name) as error:
            list(predict_windows(Loudness(), tmp_path / f"{name}.wav", RATE, 3.0, 1.5))
        assert "\n" not in str(error.value)


class Loudness(torch.nn.Module):
    """A network whose only score is the mean of the window."""

    def forward(self, waveform):
        return waveform.mean(dim=1, keepdim=True)


def test_memory_does_not_grow_with_the_recording(tmp_path):
    peaks = {}
    for minutes in (12, 48):  # several batches for each thread; how many are held at a time depends on their pace
        path = tmp_path / f"{minutes}.wav"
        soundfile.write(path, np.full(minutes * 60 * RATE, 0.5, np.float32), RATE)
        tracemalloc.start()
        count = sum(1 for _ in predict_windows(Loudness(), path, RATE, 3.0, 1.5))
        peaks[minutes] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == minutes * 40 - 1
    assert peaks[48] < 2 * peaks[12]
