"""Training on Lightning: `training.fit.fit` is the one way to train a network in this project."""
