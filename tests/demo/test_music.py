"""Events, scales, patterns, drums and mixing."""

import numpy as np
import pytest

from helpers.demo import gtzan as band
from helpers.demo import music
from helpers.demo.gtzan import GENRES, LEVELS
from helpers.demo.kinds import KINDS, draw
from helpers.demo.music import Event

RATE = 16_000


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_chords_are_thirds_of_the_scale():
    assert music.chord(0, "major", 0, 3, 60) == [60, 64, 67]
    assert music.chord(0, "major", 4, 4, 60) == [67, 71, 74, 77]
    assert music.chord(9, "minor", 0, 3, 57) == [57, 60, 64]


def test_melody_stays_in_time_range_and_scale(rng):
    player = draw("flute", rng)
    events = music.melody(player, 1.0, 5.0, rng, beat=0.5, key=2, scale="pentatonic", tremolo=0.5)
    assert min(event.start for event in events) == 1.0
    assert max(event.start + event.held for event in events) <= 5.0 + 1e-9
    assert all(player.low <= event.pitch <= player.high for event in events)
    assert {(event.pitch - 2) % 12 for event in events} <= {0, 2, 4, 7, 9}


def test_render_puts_notes_where_they_belong(rng):
    wave = music.render(draw("piano", rng), [Event(1.0, 60, 0.8, 0.2), Event(2.0, 60, 0.8, 0.2)], 3.0, RATE, rng)
    assert len(wave) == 3 * RATE
    assert np.abs(wave[: RATE - 200]).max() < 0.05 * np.abs(wave).max()
    for second in (1, 2):
        assert np.abs(wave[second * RATE : second * RATE + 2000]).max() > 0.5 * np.abs(wave).max()


def test_notes_beyond_the_end_are_left_out(rng):
    assert np.abs(music.render(draw("piano", rng), [Event(50.0, 60, 0.8, 0.2)], 1.0, RATE, rng)).max() < 0.01


def test_loudness_counts_the_active_part_only():
    wave = np.zeros(RATE, np.float32)
    wave[: 8 * 1024] = np.sin(np.arange(8 * 1024))
    assert music.loudness_to(wave, -20)[: 8 * 1024].std() == pytest.approx(0.1, rel=0.01)
    assert not music.loudness_to(np.zeros(RATE, np.float32), -20).any()


def test_panning_keeps_power():
    stereo = music.panned(np.ones(4, np.float32), 0.3)
    assert (stereo**2).sum(axis=1) == pytest.approx(np.ones(4))
    assert stereo[0, 1] > stereo[0, 0]
    assert music.panned(np.ones(1), 1.0)[0] == pytest.approx([0, 1])


def song(beat: float, swing: float, beats: int, key: int = 0, bass: str = "") -> band.Song:
    return band.Song(GENRES["blues"]._replace(beats=beats), beat, swing, key, "major", "0", "", bass, "")


def test_grid_follows_tempo_metre_and_swing():
    straight = song(0.5, 0.0, 4).grid("x...x...x...x...", 4.0)
    assert [start for _, start, _ in straight] == pytest.approx(np.arange(8) * 0.5)
    swung = song(0.6, 1.0, 3).grid("x.x.........x...", 3.5)
    assert [start for _, start, _ in swung] == pytest.approx([0, 0.4, 1.8, 2.2])


def test_bass_plays_roots_fifths_and_octaves(rng):
    line = band.bass_line(song(0.5, 0.0, 4, key=7, bass="r...f...o......."), 2.0, 28, rng)
    assert [event.pitch for event in line] == [31, 38, 43]


@pytest.mark.parametrize("name", GENRES)
def test_genres_are_written_correctly(name, rng):
    genre = GENRES[name]
    drums = " ".join(genre.drums).split()
    assert all(16 % len(pattern) == 0 for pattern in (*drums[1::2], *genre.bass.split(), *genre.chords.split()))
    assert set(drums[::2]) <= set(LEVELS)
    assert {*genre.bass_kinds.split(), *genre.chord_kinds.split(), *genre.lead_kinds.split()} <= set(KINDS)
    piece = band.compose(genre, rng)
    assert genre.tempo[0] <= 60 / piece.beat <= genre.tempo[1]
    assert band.bass_line(piece, 8.0, 28, rng)
    assert band.chord_strokes(piece, 8.0, 48)


@pytest.mark.parametrize("drum", LEVELS)
def test_drums_sound_when_they_are_hit(drum, rng):
    wave = band.drums(song(1.0, 0.0, 4)._replace(drums=f"{drum} ..{'X' * 14}"), 1.5, RATE, rng)
    assert not wave[: RATE // 2].any()
    assert np.abs(wave[: RATE // 2 + 2000]).max() == pytest.approx(LEVELS[drum], rel=0.05)


def test_speech_has_pauses_and_other_words_each_time(rng):
    waves = [music.speech(4.0, RATE, rng) for _ in range(2)]
    assert [wave.shape for wave in waves] == [(4 * RATE,)] * 2
    assert not np.array_equal(*waves)
    power = (waves[0].reshape(-1, 400) ** 2).mean(axis=1)
    assert 0.02 < np.mean(power < 1e-3 * power.max()) < 0.6
