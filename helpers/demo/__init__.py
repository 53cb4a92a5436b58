"""Generated corpora in the official layouts, for machines without data, for tests and for demonstrations.

sound         sums of partials, noise, slow curves, the room
instruments   one synthesiser, whose parameters are an instrument
kinds         the range of every parameter of every kind of instrument; an instrument is a draw of them
music         melodies, rendering and mixing
nsynth irmas chmusic gtzan films    a corpus each; gtzan has the rules of ten genres
build         all of it to disk, whole or not at all

Nothing here sounds like a recording of a real instrument; scores on these corpora are always labelled "demo".
To add a corpus: a module with `jobs(size)`, named in `build.CORPORA`.
"""
