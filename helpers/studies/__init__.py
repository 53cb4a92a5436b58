"""Experiments: corpora in, a `metrics.Result` and figures out; what a notebook and a command share."""
