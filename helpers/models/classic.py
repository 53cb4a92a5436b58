"""Classic machine learning on pooled features (notebook 02) and on single frames (notebook 04), with scikit-learn.

Builders, hyper-parameters to choose from, scalers to compare, and saving without pickle. scikit-learn is imported
where it is used. Axes: n notes, D features, C classes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from helpers.config import InputError
from helpers.features.spectral import SpectralConfig
from helpers.files import atomic

FORMAT = 1
TREES = 300
TRUSTED = (  # compiled types that skops asks about; a file with any other is refused
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


@dataclass
class ClassicModel:
    """A fitted classifier with all that is needed to use it on audio and to know where it comes from."""

    name: str  # key of MODELS
    classifier: Any
    classes: list[str]
    features: SpectralConfig
    details: dict[str, Any] = field(default_factory=dict)  # plain values: parameters, data, seed, scores

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        """Scores float64 [n, C] of features [n, D], larger for likelier; lowest for classes never seen in training.

        Probabilities, except those of the SVM, which are its one-against-the-rest decisions.
        """
        score = getattr(self.classifier, "predict_proba", None) or self.classifier.decision_function
        seen = score(matrix)
        if seen.ndim == 1:  # two classes have one decision between them
            seen = np.stack([-seen, seen], axis=1)
        scores = np.full((len(matrix), len(self.classes)), seen.min() - 1.0 if seen.size else 0.0)
        scores[:, self.classifier.classes_] = seen
        return scores


@dataclass(frozen=True)
class Recipe:
    """How a model is built, and the values of its hyper-parameters that cross-validation chooses from."""

    build: Callable[[int], Any]  # seed -> scikit-learn classifier
    grid: dict[str, list[Any]]


def _knn(seed: int) -> Any:
    """k nearest neighbours (Fix and Hodges 1951), along the axes on which the classes differ most (Fisher 1936)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.neighbors import KNeighborsClassifier

    neighbours = KNeighborsClassifier(weights="distance", algorithm="brute")
    return _standardised(LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.5), neighbours)


def _svm(seed: int) -> Any:
    """Support vectors with a Gaussian kernel (Cortes and Vapnik 1995)."""
    from sklearn.svm import SVC

    return _standardised(SVC(C=10, random_state=seed))


def _trees(seed: int, kind: str) -> Any:
    """Random forest (Breiman 2001) or trees whose thresholds are drawn, not searched (Geurts et al. 2006)."""
    from sklearn import ensemble

    return getattr(ensemble, kind)(TREES, random_state=seed)


def _boosting(seed: int) -> Any:
    """Small trees, each correcting those before it (Friedman 2001), on histograms; a tenth of the features a split."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, l2_regularization=1.0, max_features=0.1, early_stopping=False, random_state=seed
    )


def _standardised(*steps: Any) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    names = ("axes", "classify")[-len(steps) :]
    return Pipeline([("standardise", StandardScaler()), *zip(names, steps, strict=True)])


MODELS: dict[str, Recipe] = {
    "k-NN": Recipe(_knn, {"classify__n_neighbors": [5, 15]}),
    "SVM": Recipe(_svm, {"classify__gamma": [1e-4, 3e-4, 1e-3]}),
    "random forest": Recipe(partial(_trees, kind="RandomForestClassifier"), {"min_samples_leaf": [1, 3]}),
    "extra-trees": Recipe(partial(_trees, kind="ExtraTreesClassifier"), {"max_features": ["sqrt", 0.1]}),
    "gradient boosting": Recipe(_boosting, {"max_leaf_nodes": [6, 12]}),
}


def fit(
    name: str, matrix: np.ndarray, labels: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> tuple[Any, dict[str, Any]]:
    """Choose hyper-parameters by cross-validation that keeps groups together, and fit to everything.

    Args:
        name: key of MODELS.
        matrix: features [n, D].
        labels: class index [n].
        groups: instrument [n]; none stands on both sides of a fold.
        folds: of the cross-validation; below 2 the first value of every hyper-parameter is taken unseen.
        seed: of the folds and of the model.

    Returns:
        The fitted classifier, and {"parameters", "cv_accuracy"}; the accuracy is None if there were no folds.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

    recipe = MODELS[name]
    folds = min(folds, len(np.unique(groups)))
    if folds < 2:
        parameters = {key: values[0] for key, values in recipe.grid.items()}
        classifier = recipe.build(seed).set_params(**parameters).fit(matrix, labels)
        return classifier, {"parameters": parameters, "cv_accuracy": None}
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    search = GridSearchCV(recipe.build(seed), recipe.grid, scoring="accuracy", cv=split)
    search.fit(matrix, labels, groups=groups)
    return search.best_estimator_, {"parameters": search.best_params_, "cv_accuracy": float(search.best_score_)}


def save(path: Path, model: ClassicModel) -> None:
    """Write a model with its features, classes and details to a .skops file, atomically and without pickle."""
    from skops import io

    content = {"format": FORMAT, **{key: value for key, value in vars(model).items() if key != "features"}}
    content["features"] = asdict(model.features)
    with atomic(path) as temporary:
        io.dump(content, temporary, compression=zipfile.ZIP_DEFLATED, compresslevel=9)


def load(path: Path) -> ClassicModel:
    """Read a model.

    Raises:
        InputError: the file is missing, is no model of this format, or holds types that are not trusted.
    """
    from skops import io

    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; make it with `python -m helpers classic`")
    try:
        unknown = set(io.get_untrusted_types(file=path)) - set(TRUSTED)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: is no skops file or is damaged; make it with `python -m helpers classic`") from None
    if unknown:
        raise InputError(f"{path}: holds types that are not trusted ({', '.join(sorted(unknown))}); do not use it")
    content = io.load(path, trusted=list(TRUSTED))
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(f"{path}: is no classic model of format {FORMAT}; make it with `python -m helpers classic`")
    return ClassicModel(**content | {"features": SpectralConfig(**content["features"])})


SCALERS = ("none", "standardised", "ranks", "unit length")
CLASSIFIERS = ("k-NN", "SVM", "extra-trees")


def fit_plain(scaler: str, classifier: str, matrix: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    """A classifier with fixed hyper-parameters behind a scaler, fitted to features [n, D] and class indices [n].

    Args:
        scaler: "none"; "standardised": mean 0 and variance 1 in each column; "ranks": each column mapped to a normal
            distribution by rank; "unit length": standardised, then each note divided by its Euclidean length.
        classifier: one of CLASSIFIERS.
        seed: of the classifier.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, QuantileTransformer, StandardScaler
    from sklearn.svm import SVC

    steps = {
        "none": [],
        "standardised": [StandardScaler()],
        "ranks": [QuantileTransformer(n_quantiles=min(200, len(matrix)), output_distribution="normal")],
        "unit length": [StandardScaler(), Normalizer()],
    }[scaler]
    last = {
        "k-NN": KNeighborsClassifier(5),
        "SVM": SVC(C=10, random_state=seed),
        "extra-trees": ExtraTreesClassifier(100, random_state=seed),
    }[classifier]
    return make_pipeline(*steps, last).fit(matrix, labels)


class FrameVote:
    """Each frame is given the class of its nearest training frames, each clip that of most of its frames.

    Gong et al. (ICBDT 2021) do so with 20 MFCCs a frame. Coefficients are standardised over the training frames.
    """

    def __init__(self, neighbours: int, n_classes: int) -> None:
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.model = make_pipeline(StandardScaler(), KNeighborsClassifier(neighbours))
        self.n_classes = n_classes

    def fit(self, clips: Sequence[np.ndarray], labels: Sequence[int]) -> FrameVote:
        """Learn from clips [frames, D] with a class index each."""
        self.model.fit(np.concatenate(clips), np.repeat(labels, [len(clip) for clip in clips]))
        return self

    def votes(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Share of its frames that voted for each class, [clips, classes]."""
        counts = [np.bincount(self.model.predict(clip), minlength=self.n_classes) / len(clip) for clip in clips]
        return np.stack(counts)


class SingleWindow:
    """Logistic regression, one a class, on standardised features of single windows."""

    def __init__(self) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.model = make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression(max_iter=300)))

    def fit(self, features: np.ndarray, targets: np.ndarray) -> SingleWindow:
        """Learn from features [N, D] and labels [N, C]; windows with unknown labels (NaN) are left out."""
        known = ~np.isnan(targets).any(axis=1)
        self.model.fit(features[known], targets[known].astype(int))
        return self

    def probability(self, features: np.ndarray) -> np.ndarray:
        """[N, D] -> [N, C]."""
        return self.model.predict_proba(features)
