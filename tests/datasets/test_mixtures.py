import numpy as np
import pytest

from helpers import audio
from helpers.datasets.base import Clip, ClipDataset
from helpers.datasets.mixtures import MixtureDataset

RATE = 8_000


@pytest.fixture
def tones(tmp_path):
    clips = []
    for label in range(5):
        wave = 0.3 * np.sin(2 * np.pi * 300 * (label + 1) * np.arange(RATE) / RATE)
        audio.write(tmp_path / f"{label}.wav", wave.astype(np.float32), RATE)
        clips.append(Clip(tmp_path / f"{label}.wav", (label,), str(label)))
    return ClipDataset(clips, 5, RATE, 1.0)


def test_targets_say_exactly_what_sounds(tones):
    mixtures = MixtureDataset(tones, 25, 3, seed=0)
    assert len(mixtures) == 25
    sizes = set()
    for index in range(25):
        waveform, target = mixtures[index]
        level = np.abs(np.fft.rfft(waveform))[300:1501:300]
        assert ((level > 0.1 * level.max()) == (target > 0.5)).all()
        assert target[index % 5] == 1
        sizes.add(int(target.sum()))
    assert sizes == {1, 2, 3}


def test_mixtures_depend_on_the_seed_alone(tones):
    first, again, other = (MixtureDataset(tones, 10, 3, seed) for seed in (0, 0, 1))
    assert np.array_equal(first[3][0], again[3][0])
    assert not np.array_equal(first.targets, other.targets)
