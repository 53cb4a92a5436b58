"""Trained networks at work: over many clips, over long recordings with constant memory, and what they look at."""
