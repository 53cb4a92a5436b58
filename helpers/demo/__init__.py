"""Generated corpora in the official layouts, for machines without data, for tests and for demonstrations.

sound       notes, envelopes, modes, wavetables, noise, filters
strings     plucked and hammered strings        bars        struck bars, bells, gongs
winds       brass, reeds, flutes                bowed       bowed strings
voice       singing and speech-like noise       electronic  organs, synthesisers, electric pianos
western     kinds and their parameter ranges    chinese     the same for Chinese instruments
orchestra   a virtual instrument is a draw      drums       a drum kit
music       melodies, rendering, mixing         band        playing by the rules of
genres      ten genres                          video       MP4 files
nsynth irmas chmusic gtzan films                a corpus each
jobs        seeded pieces of work on all cores  build       all of it to disk, whole or not at all

Nothing here sounds like a recording of a real instrument; scores on these corpora are always labelled "demo".
"""

from __future__ import annotations

from pathlib import Path

from helpers.config import DEMO


def write_all(size: str, out: Path = DEMO, seed: int = 0) -> Path:
    """Generate the corpora of a size below `out`, except those that are there already.

    Raises:
        InputError: `out` holds something else.
    """
    from helpers.demo.build import write

    return write(size, out, seed)


def ensure(size: str, out: Path = DEMO) -> Path:
    """Generate the corpora unless `out` holds them in this or a larger size; a smaller or outdated one is replaced.

    Raises:
        InputError: `out` holds something else than generated corpora.
    """
    from helpers.demo.build import ensure as build

    return build(size, out)
