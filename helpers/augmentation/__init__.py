"""Augmentations on single waveforms, on batches and on spectrograms; each an object that prints its parameters."""
