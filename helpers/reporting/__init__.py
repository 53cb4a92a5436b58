"""From numbers to paper: the schema of a result, running notebooks, slides, and the hand-in."""
