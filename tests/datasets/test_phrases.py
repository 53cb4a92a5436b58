import numpy as np
import pytest

from helpers import audio
from helpers.datasets.base import Clip
from helpers.datasets.mixtures import PhraseDataset

RATE = 8_000


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """Two instruments of class 0 and one of class 2, each a tone of its own at two pitches an octave apart."""
    folder, found = tmp_path_factory.mktemp("notes"), []
    time = np.arange(4 * RATE) / RATE
    for group, label, frequency in (("a", 0, 200.0), ("b", 0, 333.0), ("c", 2, 1_000.0)):
        for octave in (1, 2):
            path = folder / f"{group}{octave}.wav"
            audio.write(path, 0.5 * np.sin(2 * np.pi * frequency * octave * time).astype(np.float32), RATE)
            found.append(Clip(path, (label,), group))
    return found


def test_classes_come_equally_often_and_absent_ones_never(notes):
    data = PhraseDataset(notes, 4, RATE, 3.0, 20, seed=0)
    assert data.targets.sum(axis=0).tolist() == [10, 0, 10, 0]
    assert len(data) == 20


def test_a_phrase_sounds_of_one_instrument_only(notes):
    data = PhraseDataset(notes, 4, RATE, 3.0, 30, seed=0)
    heard = set()
    for index in range(30):
        waveform, target = data[index]
        assert waveform.shape == (3 * RATE,)
        assert waveform.dtype == np.float32
        power = np.abs(np.fft.rfft(waveform)) ** 2
        frequency = np.fft.rfftfreq(len(waveform), 1 / RATE)
        share = {}
        for group, tone in (("a", 200.0), ("b", 333.0), ("c", 1_000.0)):
            near = [abs(np.log2(np.maximum(frequency, 1) / (tone * octave))) < 0.3 for octave in (1, 2)]
            share[group] = power[near[0] | near[1]].sum() / power.sum()
        loudest = max(share, key=share.get)
        assert share[loudest] > 0.9
        assert target.argmax() == (2 if loudest == "c" else 0)
        heard.add(loudest)
    assert heard == {"a", "b", "c"}


def test_phrases_depend_on_seed_and_index_alone(notes):
    first, again = (PhraseDataset(notes, 4, RATE, 3.0, 8, seed=3) for _ in range(2))
    other = PhraseDataset(notes, 4, RATE, 3.0, 8, seed=4)
    assert np.array_equal(first[5][0], again[5][0])
    assert not np.array_equal(first[5][0], other[5][0])
    assert not np.array_equal(first[5][0], first[7][0])
