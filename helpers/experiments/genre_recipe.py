"""The recipe of the genre study: the document's hyper-parameters, and the models of its table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from helpers.config import MelConfig, TrainConfig

ZOO = {  # registry name -> name in the document's table, in its order; what the document only plans comes last
    "cnn_1d_5l": "5L-1D CNN",
    "alexnet": "AlexNet",
    "vgg11": "VGG11",
    "vgg13": "VGG13",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "googlenet": "GoogLeNet",
    "resnet34": "ResNet34",
    "resnet50": "ResNet50",
    "densenet121": "DenseNet121",
    "sample_cnn": "SampleCNN basic block",
    "cnn_2d_4l": "4L-2D CNN",
    "cnn_2d_4l_gru": "4L-2D CNN + GRU",
    "auditory_pathway": "A1-belt-parabelt-T2/T3",
    "scattering_svm": "Wavelet scattering + linear SVM",
    "pooled_lda": "Pooled statistics + LDA",
    "pooled_committee": "Pooled statistics + committee",
}
SOLVED = ("scattering_svm", "pooled_lda", "pooled_committee")  # fixed features, a head that is solved, not trained
# Window and hop in seconds of models that differ from the recipe.
PHRASES = {"pooled_lda": (7.5, 2.5), "pooled_committee": (3.0, 1.5)}


@dataclass(frozen=True)
class GenreConfig:
    """Hyper-parameters with the document's values; momentum 0.9 and Nesterov are what "sgd" means in this project."""

    sample_rate: int = 22_050  # Hz
    n_fft: int = 1024  # samples, also the window
    hop_length: int = 512  # samples
    n_mels: int = 128  # bands
    feature_length: int = 1024  # frames of each file that are heard
    window_s: float = 3.0  # a file votes by windows of this length
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    weight_decay: float = 1e-6
    batch_size: int = 32
    epochs: int = 100  # at most; the document's best run stopped after 26
    patience: int = 10  # epochs without a better validation score: early stopping
    normalisation: str = "batch"
    max_windows: int = 10**9  # of each part; a budget may set less
    workers: int = 2  # processes that read and augment
    seed: int = 0

    @property
    def heard_s(self) -> float:
        """Seconds of each file that are heard."""
        return self.feature_length * self.hop_length / self.sample_rate

    def window(self, name: str) -> tuple[float, float]:
        """Length and hop in seconds of the windows of a model."""
        return PHRASES.get(name, (self.window_s, self.window_s))

    def arguments(self, name: str) -> dict:
        """What the builder of a model is given, as plain values: they travel in the checkpoint."""
        if name == "scattering_svm":
            return {"mel": self.mel, "seconds": self.window_s}
        return {"mel": self.mel} if name in SOLVED else {"mel": self.mel, "normalisation": self.normalisation}

    @property
    def mel(self) -> dict:
        """Front end, as plain values for a model's builder."""
        config = MelConfig(self.sample_rate, self.n_fft, self.hop_length, self.n_mels, 30.0, self.sample_rate / 2)
        return asdict(config)

    @property
    def train(self) -> TrainConfig:
        """The recipe for `training.fit`."""
        return TrainConfig(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            optimizer=self.optimizer,
            schedule="constant",
            balanced=False,
            patience=self.patience,
            workers=self.workers,
            seed=self.seed,
        )
