"""Instrument recognition from audio file to slide, in the order in which data flows.

config        paths, the error for bad input, front-end and training constants, budgets
files         atomic writes, JSON, fingerprints, paths that stay inside their root
audio         any file to float32 mono at a rate; windows
datasets      NSynth, IRMAS, ChMusic, films, GTZAN: declaration, clips, validation, splits by group
demo          generated corpora in the official layouts, for machines without data
features      the mel front end; pooled features for classic machine learning, cached
augmentation  on waveforms, on batches, on spectrograms
models        front end, encoder and head by name; checkpoints that carry their recipe
training      fit(model, train, valid, TrainConfig) -> History; predict
evaluation    scores and labels in, numbers with intervals out
metrics       what a metrics file must hold
plotting      arrays in, a figure out
slides        metrics and figures to a 16:9 PDF
studies       the experiments that notebooks and commands share
notebooks     executes the notebooks and checks what they wrote
handin        the hand-in archive and the rules of the course
commands      the command line, one file a command
"""
