"""Ten genres as rules: tempo, swing, metre, drum patterns, bass and chord figures, harmony, timbres, balance.

Patterns have sixteen steps a bar: "X" loud, "x" normal, "." nothing; a bar of three beats takes the first twelve.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Genre:
    """What the tracks of a genre have in common; every track chooses within it."""

    tempo: tuple[float, float]  # beats a minute
    scales: tuple[str, ...]
    progressions: tuple[tuple[int, ...], ...]  # degree of the scale in each bar
    drums: tuple[dict[str, str], ...]  # alternatives: drum -> pattern
    bass: tuple[str, ...]  # patterns: "r" root, "f" fifth, "o" octave, "w" walking note
    chords: tuple[str, ...]  # patterns
    bass_kinds: tuple[str, ...]
    chord_kinds: tuple[str, ...]
    lead_kinds: tuple[str, ...]
    balance: tuple[float, float, float, float]  # dB: drums, bass, chords, lead
    swing: tuple[float, float] = (0.0, 0.1)  # 0 straight … 1 triplets
    metres: tuple[int, ...] = (4,)  # beats in a bar
    electronic: float = 0.0  # probability of an electronic kit
    chord_size: tuple[int, ...] = (3,)
    chord_held: tuple[float, float] = (0.5, 1.0)  # of the time to the next stroke
    drive: tuple[float, float] | None = None  # of the chord instrument
    rests: float = 0.2  # of the lead
    lead_beat: float = 1.0  # note lengths of the lead relative to a beat
    rap: float = 0.0  # probability that speech takes the place of the lead


GENRES: dict[str, Genre] = {
    "blues": Genre(
        (65, 125), ("blues", "mixolydian"), ((0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 3, 0, 4)),
        ({"kick": "X.......x.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.......", "snare": "....X.......X..x", "open": "x...x.x.x...x.x."}, {}),
        ("r.r.f.f.r.r.f.f.", "r...f...o...f...", "w...w...w...w..."),
        ("x..xx..xx..xx..x", "....x.......x...", "x.x.x.x.x.x.x.x."),
        ("electric_bass", "acoustic_bass"), ("electric_guitar", "piano", "acoustic_guitar"),
        ("electric_guitar", "harmonica", "voice", "acoustic_guitar", "saxophone"), (-24, -23, -25, -19),
        swing=(0.6, 1.0), chord_size=(3, 4), rests=0.3,
    ),
    "classical": Genre(
        (55, 130), ("major", "minor"), ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 0, 3), (0, 1, 4, 0)), ({},),
        ("r...............", "r.......f.......", "r...f...o...f..."),
        ("x...............", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
        ("cello", "string_section"), ("string_section", "piano", "pipe_organ", "harpsichord"),
        ("violin", "flute", "clarinet", "oboe", "piano", "cello", "choir"), (-90, -25, -23, -21),
        metres=(4, 4, 3), chord_size=(3, 4), chord_held=(0.9, 1.1), rests=0.05,
    ),
    "country": Genre(
        (85, 135), ("major", "pentatonic", "mixolydian"), ((0, 3, 4, 0), (0, 0, 3, 4), (0, 4, 3, 0)),
        ({"kick": "X.......X.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.......", "rim": "..x.x.x...x.x.xx"}, {}),
        ("r.......f.......", "r...f...r...f..."),
        ("....x.x.....x.x.", "x.xxx.xxx.xxx.xx", "..x...x...x...x."),
        ("acoustic_bass", "electric_bass"), ("acoustic_guitar",),
        ("violin", "voice", "electric_guitar", "harmonica", "acoustic_guitar"), (-27, -24, -22, -19),
        swing=(0.0, 0.4), metres=(4, 4, 4, 3), rests=0.25,
    ),
    "disco": Genre(
        (108, 130), ("minor", "dorian", "major"), ((0, 3, 0, 4), (0, 5, 3, 4), (0, 0, 3, 3)),
        ({"kick": "X...X...X...X...", "snare": "....x.......x...", "open": "..X...X...X...X.",
          "hat": "x...x...x...x..."},
         {"kick": "X...X...X...X...", "clap": "....X.......X...", "open": "..X...X...X...X."}),
        ("r.o.r.o.r.o.r.o.", "r..or..or..or.oo"),
        ("..x...x...x...x.", "x..x..x...x.x...", "x.xxx.xxx.xxx.xx"),
        ("electric_bass", "synth_bass"), ("electric_guitar", "electric_piano", "string_section", "synth_brass"),
        ("string_section", "voice", "synth_brass", "choir"), (-20, -22, -25, -21), electronic=0.3, rests=0.3,
    ),
    "hiphop": Genre(
        (75, 105), ("minor", "dorian", "blues"), ((0, 0, 0, 0), (0, 0, 3, 0), (0, 5, 0, 5)),
        ({"kick": "X..x......X.....", "snare": "....X.......X...", "hat": "x.x.x.xxx.x.x.xx"},
         {"kick": "X.....x...X..x..", "clap": "....X.......X...", "hat": "xxx.x.x.x.x.xxx."}),
        ("r.....r...r.....", "r..r......f....."),
        ("x...............", "x.......x.......", "......x.......x."),
        ("synth_bass", "fm_bass", "electric_bass"), ("electric_piano", "piano", "synth_keys", "string_section", "bell"),
        ("voice",), (-18, -20, -28, -20), swing=(0.0, 0.5), electronic=0.9, rap=0.8,
    ),
    "jazz": Genre(
        (90, 210), ("dorian", "mixolydian", "major"), ((1, 4, 0, 0), (0, 5, 1, 4), (1, 4, 0, 5)),
        ({"open": "x...x.x.x...x.x.", "hat": "....x.......x...", "kick": "x.........x....."},
         {"open": "x...x.x.x...x.x.", "rim": "......x........x"}, {}),
        ("w...w...w...w...",),
        ("....x......x....", "x.....x.........", "..x.......x....."),
        ("acoustic_bass",), ("piano", "electric_guitar", "mallet"),
        ("saxophone", "trumpet", "brass", "clarinet", "piano", "electric_guitar", "flute"), (-28, -23, -25, -19),
        swing=(0.6, 1.0), chord_size=(4,), chord_held=(0.3, 0.7), rests=0.25, lead_beat=0.8,
    ),
    "metal": Genre(
        (95, 190), ("minor", "blues"), ((0, 0, 5, 6), (0, 0, 0, 1), (0, 5, 3, 4), (0, 6, 5, 6)),
        ({"kick": "xxxxxxxxxxxxxxxx", "snare": "....X.......X...", "crash": "X..............."},
         {"kick": "X.xxX.xxX.xxX.xx", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.x.X.x.X.x.X.x.", "snare": "..X...X...X...X.", "open": "x...x...x...x..."}),
        ("r.r.r.r.r.r.r.r.", "rrrrrrrrrrrrrrrr"),
        ("xxxxxxxxxxxxxxxx", "x.xxx.xxx.xxx.xx", "X...x.x.X.x.x.x."),
        ("electric_bass",), ("electric_guitar",), ("electric_guitar", "voice"), (-21, -24, -17, -22),
        chord_size=(2, 3), chord_held=(0.6, 1.0), drive=(8, 30), rests=0.3, lead_beat=0.7,
    ),
    "pop": Genre(
        (90, 132), ("major", "minor", "pentatonic"), ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4)),
        ({"kick": "X...X...X...X...", "clap": "....X.......X...", "hat": "..x...x...x...x."},
         {"kick": "X.....x.X.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."}),
        ("r.r.r.r.r.r.r.r.", "r.......r.....f."),
        ("x...............", "x.x.x.x.x.x.x.x.", "x..x..x.x..x..x."),
        ("synth_bass", "electric_bass"), ("synth_keys", "piano", "synth_lead", "acoustic_guitar"),
        ("voice", "synth_lead", "choir"), (-20, -23, -25, -18), electronic=0.7, rests=0.2,
    ),
    "reggae": Genre(
        (66, 98), ("minor", "major", "dorian"), ((0, 3, 0, 3), (0, 4, 3, 0), (0, 0, 4, 4)),
        ({"kick": "........X.......", "rim": "........X.......", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.......", "snare": "........X.......", "hat": "..x...x...x...x."}),
        ("r..r..f.....o.f.", "....r.r.f...r...", "r.....f.r..f...."),
        ("....x.......x...", "..x...x...x...x.", "....x.x.....x.x."),
        ("electric_bass",), ("electric_guitar", "drawbar_organ", "piano"),
        ("voice", "brass", "drawbar_organ", "harmonica"), (-22, -18, -22, -21),
        swing=(0.2, 0.8), chord_held=(0.15, 0.4), rests=0.35,
    ),
    "rock": Genre(
        (90, 165), ("mixolydian", "major", "minor", "blues"), ((0, 3, 4, 3), (0, 6, 3, 0), (0, 4, 5, 3)),
        ({"kick": "X.....x.X.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
         {"kick": "X.......X.x.....", "snare": "....X.......X...", "crash": "X...............",
          "open": "x...x...x...x..."}),
        ("r.r.r.r.r.r.r.r.", "r...r.r.r...f.r."),
        ("x...x.x.x...x.x.", "x.x.x.x.x.x.x.x.", "X.....x.X......."),
        ("electric_bass",), ("electric_guitar", "electric_guitar", "drawbar_organ"), ("voice", "electric_guitar"),
        (-21, -23, -20, -19), drive=(2, 12), chord_size=(2, 3), rests=0.25,
    ),
}  # fmt: skip
