"""Arrays in, a figure out; one style for notebooks and slides."""
