"""Music instrument recognition, from audio file to slide; the rooms in the order in which data flow.

config        paths, the error for bad input, front-end and training constants, budgets
files         atomic writes, JSON, fingerprints, paths that stay inside their root
video         the sound of films, by PyAV
audio         any file to float32 mono at a rate; windows
datasets      NSynth, IRMAS, ChMusic, films, GTZAN: declaration, clips, validation, splits by group
features      the mel front end; pooled features for classic machine learning, cached
evaluation    scores and labels in, numbers with intervals out; what a metrics file must hold
plotting      arrays in, a figure out
augmentation  on waveforms, on batches and spectrograms, mixing
demo          generated corpora in the official layouts, for machines without data
models        front end, encoder and head by name; checkpoints that carry their recipe
training      fit(model, train, valid, TrainConfig) -> History
prediction    a trained network over many clips or a long recording; what it looks at
experiments   what a notebook and a command share, one file a task
reporting     slides, running the notebooks, the hand-in
commands      the command line: a function is a command
"""
