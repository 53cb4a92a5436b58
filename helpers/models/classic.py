"""Classic machine learning on pooled features (notebook 02) and on single frames (notebook 04), with scikit-learn.

Estimators and the values that are tried, whitening within groups, what makes a fitted pipeline a torch module, and
saving without pickle. Axes: n notes, D columns, C classes, G groups.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import has_fit_parameter

from helpers.config import InputError
from helpers.files import atomic
from helpers.models.linear import LIMIT, Layer, class_columns

FORMAT = 2  # since 2 with columns by name and offsets for priors
TREES = 100
LEAST = 1e-9  # probability; a forest may give 0 to what it has not seen
TRUSTED = [  # types that skops asks about; a file with any other is refused
    "helpers.models.classic.WithinGroupWhitening",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
]


class WithinGroupWhitening(BaseEstimator, TransformerMixin):
    """Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006), classes: instruments.

    Columns are cut at ± LIMIT and multiplied by the inverse of the Cholesky factor of the covariance that notes have
    about the mean of their group, scaled to a mean variance of 1 and shrunk towards the identity.
    """

    def __init__(self, shrinkage: float = 0.15) -> None:
        self.shrinkage = shrinkage

    def fit(
        self, X: np.ndarray, y: np.ndarray | None = None, groups: np.ndarray | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> WithinGroupWhitening:  # fmt: skip
        """Estimate from standardised columns [n, D]; `groups` [n] are the classes `y` if not given."""
        x = np.clip(np.asarray(X, float), -LIMIT, LIMIT)
        weight = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, float)
        _, group = np.unique(y if groups is None else groups, return_inverse=True)
        centres = np.zeros((group.max() + 1, x.shape[1]))
        np.add.at(centres, group, weight[:, None] * x)
        centres /= np.bincount(group, weight)[:, None]
        rest = (x - centres[group]) * np.sqrt(weight / weight.sum())[:, None]
        covariance = rest.T @ rest
        scale = np.trace(covariance) / len(covariance)
        shrunk = (1 - self.shrinkage) * covariance / (scale or 1.0) + self.shrinkage * np.eye(len(covariance))
        self.matrix_ = np.linalg.inv(np.linalg.cholesky(shrunk)).T
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """[n, D] -> [n, D], within groups uncorrelated."""
        return np.clip(np.asarray(X, float), -LIMIT, LIMIT) @ self.matrix_


class Recipe(NamedTuple):
    """How a model is built, and the values of its hyper-parameters that are tried."""

    build: Callable[[int], Pipeline]  # seed -> estimators
    grid: dict[str, list[Any]]


def _whitened(classifier: BaseEstimator) -> Pipeline:
    return make_pipeline(StandardScaler(), WithinGroupWhitening(), classifier)


MODELS: dict[str, Recipe] = {
    "k-NN": Recipe(  # Fix and Hodges 1951
        lambda seed: _whitened(KNeighborsClassifier(metric="cosine", weights="distance")),
        {"kneighborsclassifier__n_neighbors": [5, 15, 30]},
    ),
    "SVM": Recipe(  # Cortes and Vapnik 1995
        lambda seed: _whitened(SVC(random_state=seed)), {"svc__C": [3], "svc__gamma": [3e-5, 1e-4, 3e-4]}
    ),
    "random forest": Recipe(  # Breiman 2001
        lambda seed: make_pipeline(RandomForestClassifier(TREES, random_state=seed)),
        {"randomforestclassifier__min_samples_leaf": [1]},
    ),
    "extra-trees": Recipe(  # Geurts et al. 2006
        lambda seed: make_pipeline(ExtraTreesClassifier(TREES, random_state=seed)),
        {"extratreesclassifier__min_samples_leaf": [1]},
    ),
    "gradient boosting": Recipe(  # Friedman 2001, on histograms
        lambda seed: make_pipeline(HistGradientBoostingClassifier(
            max_iter=30, max_bins=63, l2_regularization=1.0, max_features=0.05, early_stopping=False, random_state=seed
        )),
        {"histgradientboostingclassifier__max_leaf_nodes": [6]},
    ),
    "logistic regression": Recipe(
        lambda seed: _whitened(LogisticRegression(max_iter=300)), {"logisticregression__C": [1e-3, 3e-3, 1e-2]}
    ),
}  # fmt: skip


@dataclass
class ClassicModel:
    """A fitted pipeline with all that is needed to use it and to know where it comes from."""

    name: str  # key of MODELS
    pipeline: Any
    classes: list[str]
    columns: list[str]  # of the features, by name
    offsets: list[float]  # [C], added to log probabilities: other priors than those of the training notes
    details: dict[str, Any] = field(default_factory=dict)  # plain values: parameters, data, seed, scores

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        """Log probabilities [n, C] of features [n, D] under the priors; rows of probabilities sum to 1.

        A class that was not in training gets LEAST. Of a support-vector machine, the softmax of its decisions is taken.
        """
        if hasattr(self.pipeline, "predict_proba"):
            seen = self.pipeline.predict_proba(matrix)
        else:
            margin = self.pipeline.decision_function(matrix)
            margin = np.stack([-margin, margin], 1) if margin.ndim == 1 else margin  # two classes have one between them
            seen = softmax(margin, axis=1)
        probability = np.full((len(matrix), len(self.offsets)), LEAST)
        probability[:, self.pipeline.classes_] = np.maximum(seen, LEAST)
        scores = np.log(probability) + np.array(self.offsets)
        return scores - logsumexp(scores, axis=1, keepdims=True)


def fit(
    pipeline: Pipeline, matrix: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Pipeline:  # fmt: skip
    """Fit to features [n, D], class indices [n], and groups and weights [n], where a step takes them."""
    passed = {}
    for name, step in pipeline.steps:
        whitens = isinstance(step, WithinGroupWhitening)
        if whitens:
            passed[f"{name}__groups"] = groups
        if whitens or (step is pipeline[-1] and weighs(pipeline)):
            passed[f"{name}__sample_weight"] = weights
    return pipeline.fit(matrix, labels, **passed)


def weighs(pipeline: Pipeline) -> bool:
    """Whether the classifier takes weights of notes."""
    return has_fit_parameter(pipeline[-1], "sample_weight")


def fold(model: ClassicModel) -> Layer:
    """A fitted StandardScaler, whitening and logistic regression in one, up to a constant for each note."""
    scaler, whitening, regression = (step for _, step in model.pipeline.steps)
    rows, offset = class_columns(regression, len(model.classes), np.log(LEAST))
    return Layer(scaler.mean_, scaler.scale_, whitening.matrix_ @ rows, offset + np.array(model.offsets))


def save(path: Path, model: ClassicModel) -> None:
    """Write a model with its classes, columns and details to a .skops file, atomically and without pickle."""
    from skops import io

    with atomic(path) as temporary:
        io.dump({"format": FORMAT, **vars(model)}, temporary, compression=zipfile.ZIP_DEFLATED, compresslevel=9)


def load(path: Path) -> ClassicModel:
    """Read a model.

    An InputError if the file is missing, is no model of this format, or holds types that are not trusted.
    """
    from skops import io

    remedy = "make it with `python -m helpers classic`"
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; {remedy}")
    try:
        unknown = set(io.get_untrusted_types(file=path)) - set(TRUSTED)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: is no skops file or is damaged; {remedy}") from None
    if unknown:
        raise InputError(f"{path}: holds types that are not trusted ({', '.join(sorted(unknown))}); do not use it")
    content = io.load(path, trusted=TRUSTED)
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(f"{path}: is no classic model of format {FORMAT}; {remedy}")
    return ClassicModel(**content)


def frame_votes(
    train: Sequence[np.ndarray], labels: Sequence[int], clips: Sequence[np.ndarray], n_classes: int, neighbours: int
) -> np.ndarray:
    """Share of each clip's frames [frames, D] whose nearest training frames are of a class: [clips, n_classes].

    Gong et al. (ICBDT 2021) do so with 20 MFCCs a frame. Coefficients are standardised over the training frames.
    """
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(neighbours))
    model.fit(np.concatenate(train), np.repeat(labels, [len(clip) for clip in train]))
    return np.stack([np.bincount(model.predict(clip), minlength=n_classes) / len(clip) for clip in clips])


def single_window(features: np.ndarray, targets: np.ndarray) -> Pipeline:
    """Logistic regressions, one a class, fitted to features [N, D] of windows; labels [N, C] may be unknown (NaN)."""
    known = ~np.isnan(targets).any(axis=1)
    model = make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression(max_iter=300)))
    return model.fit(features[known], targets[known].astype(int))
