"""Generated corpora in the official layouts, for machines without data, for tests and for demonstrations.

sound     notes, envelopes, modes, wavetables, noise, filters
struck    tones that decay: strings, bars, gongs, FM, drums
sustained tones that are held: bowed strings, winds, voices, organs, synthesisers
kinds     the range of every parameter of every kind of instrument; an instrument is a draw of them
music     melodies, rendering, mixing, the room
band      playing by the rules of ten genres
nsynth irmas chmusic gtzan films    a corpus each
build     all of it to disk, whole or not at all

Nothing here sounds like a recording of a real instrument; scores on these corpora are always labelled "demo".
To add a corpus: a module with `jobs(size)`, named in `build.CORPORA`.
"""

from __future__ import annotations

from pathlib import Path

from helpers.config import DEMO


def ensure(size: str, out: Path = DEMO) -> Path:
    """Generate the corpora unless `out` holds them in this or a larger size; a smaller or outdated one is replaced.

    Raises:
        InputError: `out` holds something else than generated corpora.
    """
    from helpers.demo.build import ensure as build

    return build(size, out)
