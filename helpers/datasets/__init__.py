"""The corpora, one file each: what they are, where they come from, how they lie on disk, what is wrong with them."""
