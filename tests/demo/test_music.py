"""Events, scales, patterns, drums and mixing."""

import numpy as np
import pytest

from helpers.demo import band, music
from helpers.demo.band import GENRES
from helpers.demo.kinds import KINDS, draw
from helpers.demo.music import Event
from helpers.demo.struck import LEVELS, Hit, Kit

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


def test_grid_follows_tempo_metre_and_swing(rng):
    song = band.Song(0.5, 0.0, 4, 0, "major", "0", {}, "", "", 3, 1.0, 0.0)
    assert [start for _, start, _ in song.grid("x...x...x...x...", 4.0)] == pytest.approx(np.arange(8) * 0.5)
    swung = band.Song(0.6, 1.0, 3, 0, "major", "0", {}, "", "", 3, 1.0, 0.0)
    assert [start for _, start, _ in swung.grid("x.x.........x...", 3.5)] == pytest.approx([0, 0.4, 1.8, 2.2])


def test_bass_plays_roots_fifths_and_octaves(rng):
    song = band.Song(0.5, 0.0, 4, 7, "major", "0", {}, "r...f...o.......", "", 3, 1.0, 0.0)
    assert [event.pitch for event in band.bass_line(song, 2.0, 28, rng)] == [31, 38, 43]


@pytest.mark.parametrize("name", GENRES)
def test_genres_are_written_correctly(name, rng):
    genre = GENRES[name]
    patterns = [pattern for kit in genre.drums for pattern in kit.values()]
    assert all(16 % len(pattern) == 0 for pattern in (*patterns, *genre.bass, *genre.chords))
    assert {drum for kit in genre.drums for drum in kit} <= set(LEVELS)
    assert {*genre.bass_kinds, *genre.chord_kinds, *genre.lead_kinds} <= set(KINDS)
    song = band.compose(genre, rng)
    assert genre.tempo[0] <= 60 / song.beat <= genre.tempo[1]
    assert band.bass_line(song, 8.0, 28, rng)
    assert band.chord_strokes(song, 8.0, 48)


def test_drums_sound_when_they_are_hit(rng):
    kit = Kit(rng)
    for drum in LEVELS:
        wave = kit.render([Hit(0.5, drum, 1.0)], 1.0, RATE)
        assert not wave[: RATE // 2].any()
        assert np.abs(wave).max() == pytest.approx(LEVELS[drum], rel=0.05)


def test_kick_is_low_and_hat_is_high(rng):
    kit = Kit(rng)
    frequency = np.fft.rfftfreq(RATE, 1 / RATE)
    kick, hat = (np.abs(np.fft.rfft(kit.render([Hit(0, drum, 1.0)], 1.0, RATE))) ** 2 for drum in ("kick", "hat"))
    assert kick @ frequency / kick.sum() < 300
    assert hat @ frequency / hat.sum() > 5000
