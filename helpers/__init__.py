"""Music instrument recognition, from audio file to slide; the rooms in the order in which data flow.

config        paths, the error for bad input, front-end and training constants, budgets
files         atomic writes, JSON, fingerprints, paths that stay inside their root
video         the sound of films, by PyAV
audio         any file to float32 mono at a rate
datasets      NSynth, IRMAS, ChMusic, films, GTZAN: declaration, clips, validation, splits by group
features      the mel front end; pooled features for classic machine learning, cached
evaluation    scores and labels in, numbers with intervals out; what a metrics file must hold
plotting      arrays in, a figure out
augmentation  on waveforms, on batches and spectrograms, mixing
demo          generated corpora in the official layouts, for machines without data
models        front end, encoder and head by name, and what they look at; checkpoints that carry their recipe
training      fit(model, train, valid, TrainConfig) -> History
prediction    a trained network over many clips or a long recording
experiments   what a notebook and a command share, one file a task
reporting     slides, running the notebooks, the hand-in
commands      the command line: a function is a command

To add …
  a data set  one file in datasets: `CORPUS = Corpus(…)`, which says places, classes, group, counts, licence, source,
              `clips` and `validate`, and its name in `datasets.CORPORA`; where it can be generated, one file in demo
              and its name in `demo.build.CORPORA`
  a model     one file in models: `MODELS = {"name": builder}`, builder(n_classes, **plain values) -> AudioClassifier,
              and its name in `models.LINEAGES`; from outside of the package `models.register(name, builder)`
  a figure    one function in plotting: arrays in, matplotlib's figure out; `save_figure` in the notebook
  a command   one function in commands with annotated parameters, which calls one function of experiments
tests/test_extending.py does the first two.
"""
