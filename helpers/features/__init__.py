"""Front ends: the mel spectrogram as a torch module, and pooled features for classic machine learning."""
