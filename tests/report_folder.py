"""A report folder with made-up results of every part, for tests of the slides and the hand-in."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from helpers.config import DataLabel
from helpers.evaluation import results as metrics
from helpers.evaluation.results import Result, Score

FAMILIES = ["bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead", "vocal"]
CHMUSIC = ["erhu", "pipa", "sanxian", "dizi", "suona", "zhuiqin", "zhongruan", "liuqin", "guzheng", "yangqin", "sheng"]
GENRES = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180"><rect width="320" height="180"/></svg>'
PICTURE = base64.b64decode(  # one white pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="
)


def score(value: float, spread: float = 0.06) -> Score:
    return Score(value=value, low=value - spread, high=min(1.0, value + spread))


def confusion(n_classes: int, right: int, seed: int) -> list[list[int]]:
    matrix = np.random.default_rng(seed).integers(0, 3, (n_classes, n_classes))
    np.fill_diagonal(matrix, right)
    matrix[FAMILIES.index("synth_lead") if n_classes == 11 else -1] = 0
    return matrix.tolist()


def result(title: str, data: DataLabel = "demo", **fields) -> Result:
    known = dict(
        corpus="NSynth", n=100, groups=30, group_kind="instrument", fingerprint="0123456789abcdef", seed=0,
        budget="smoke", command="python -m helpers run", scores={}, baselines={}, classes=FAMILIES,
        versions={"python": "3.11.4", "torch": "2.11.0"},
    )  # fmt: skip
    return Result(title=title, data=data, **(known | fields))


def two(top1: float, top3: float) -> dict[str, Score]:
    return {"top1": score(top1), "top3": score(top3)}


MAJORITY = {"largest family": {"top1": 0.1, "top3": 0.3}}
COUNTS = {s: {name: n for name in FAMILIES} for s, n in (("train", 90), ("valid", 20), ("test", 10))}
OFFICIAL = {"train": 289_205, "valid": 12_678, "test": 4_096}
READINGS = [{"instrument": name, "pitch": pitch, "fundamental (Hz)": 165, "attack (ms)": attack,
             "level after 2 s (dB)": hold, "change 0.3 s after release (dB)": end}
            for name, attack, hold, end in (("guitar_acoustic_009", 10, -57, 9), ("vocal_acoustic_003", 200, -1, -8))
            for pitch in (52, 60, 72)]  # fmt: skip
PLAIN = {name: 0.7 for name in ("knn", "svm", "extra_trees")}
CLASSIC = {
    "chosen": "extra_trees", "chosen_by": "top-1 accuracy on validation notes", "cv_folds": 5, "counts": COUNTS,
    "features": {"columns": 500, "n_fft": 2048, "hop_length": 512, "sample_rate": 16_000, "n_mfcc": 20},
    "blocks": {f"block {n}": {"columns": 50, "holds": "what the columns of this block hold"} for n in range(10)},
    "estimators": {"svm": ["StandardScaler()", "WithinGroupWhitening()", "SVC(C=10, gamma=0.0003, random_state=0)"]},
    "parameters": {"svm": {"classify__gamma": 0.0003}}, "grids": {"svm": {"classify__gamma": [0.0001, 0.0003]}},
    "cv_accuracy": {"svm": 0.71}, "valid": {"extra_trees": {"top1": 0.8}, "svm": {"top1": 0.7, "weighted top1": 0.66}},
    "ablations": {"pooling": {"mean": PLAIN, "+ quantiles": {name: 0.8 for name in PLAIN}},
                  "scaling of columns": {"none": PLAIN, "standardised": {name: 0.75 for name in PLAIN}},
                  "level of the note": {"peak 1": PLAIN, "as recorded": PLAIN}},
    "by_instrument": {"bass_electronic_018": 1.0, "organ_electronic_007": 0.2},
}  # fmt: skip
ARCHITECTURE = [
    {"layer": "mel", "shape": [1, 96, 251]}, {"layer": "stem", "shape": [16, 48, 126]},
    {"layer": "block 1", "shape": [32, 24, 63]}, {"layer": "block 2", "shape": [64, 12, 31]},
    {"layer": "block 3", "shape": [128, 6, 15]}, {"layer": "pooling", "shape": [256]},
    {"layer": "linear", "shape": [11]},
]  # fmt: skip

NSYNTH = {
    "architecture": ARCHITECTURE, "model": {"name": "compact_cnn", "parameters": 512_345},
    "mel": {"n_mels": 96, "n_fft": 1024, "hop_length": 256, "sample_rate": 16_000},
    "recipe": {"optimizer": "adamw", "schedule": "one_cycle", "epochs": 40, "batch_size": 32, "weight_decay": 0.05,
               "loss": "cross_entropy", "label_smoothing": 0.1, "balanced": True, "monitor": "loss"},
    "augmentation": ["resample", "equalise"], "learning_rates": {"log": 0.002, "linear": 0.001},
    "log_minus_linear_top1": {"value": 0.06, "low": -0.02, "high": 0.13},
    "over_seeds": {name: {"top1": [0.9, 0.8], "mean": 0.85, "std": 0.05} for name in ("log", "linear")},
    "rates": {name: {"0.001": 0.9, "0.002": 0.8, "0.004": 1.1} for name in ("log", "linear")},
    "networks": {name: {"parameters": 1_234_567, "seconds": 99, "epochs": 24,
                        **{key: {"value": 0.8, "low": 0.7, "high": 0.9} for key in ("valid", "top1", "top3")}}
                 for name in ("compact_cnn", "short_chunk_cnn", "short_chunk_cnn_res", "spectrogram_transformer")},
    "published": {"best": {"value": 0.75, "source": "Wang et al., ICASSP 2022"},
                  "other": {"value": 0.7, "source": "MULE, MERT and MusicCNN"}},
    "counts": COUNTS, "official": OFFICIAL,
    "noise_only": {name: {"with": 0.91, "without": 0.92, "notes": 2} for name in ("log", "linear")},
}  # fmt: skip

IRMAS = {"classes": {code: {"f1": 0.3 + 0.05 * n, "support": n} for n, code in enumerate(("cel", "cla", "flu", "gac"))}}
DESIGNS = (("1.0", "nine spectrograms", 0.5), ("2.0", "three spectrograms", 0.6), ("2.3", "three, from NSynth", 0.7))

PROTOCOLS = {name: {"value": v, "low": v - 0.05, "high": v + 0.05}
             for name, v in (("track", 0.7), ("leaky", 0.9), ("leaky minus track", 0.2))}  # fmt: skip


def results(data: DataLabel = "demo") -> dict[str, Result]:
    """One result for every part of the report."""
    classic = {"gradient_boosting": two(0.84, 0.88),
               "extra_trees": two(0.83, 0.89), "svm": two(0.8, 0.9),
               "random_forest": two(0.79, 0.9), "knn": two(0.7, 0.85)}  # fmt: skip
    irmas = {name: {"micro_f1": score(v), "macro_f1": score(v - 0.1), "lrap": score(v + 0.1)}
             for name, v in (("mixing", 0.62), ("no_mixing", 0.5))}  # fmt: skip
    return {
        "01_mel": result(
            "Mel spectrograms", data, figures=["01_nine.svg", "01_scales.svg"],
            details={"counts": COUNTS, "instruments": {"train": 43, "valid": 32, "test": 30}, "shared": 0,
                     "notes": ["n"] * 9, "visible": {"linear": 0.034, "log": 0.61}, "range_db": 60,
                     "readings": READINGS, "official": OFFICIAL,
                     "picture": {"n_fft": 2048, "hop_length": 512, "n_mels": 128, "library": "torchaudio"}}),
        "02_classic": result(
            "Classic machine learning", data, scores=classic, baselines=MAJORITY,
            confusion={"extra_trees": confusion(11, 8, 1)}, figures=["02_importance.svg", "02_ablations.svg"],
            details=CLASSIC),
        "03_nsynth": result(
            "Log and linear mel", data, scores={"cnn, log mel": two(0.91, 0.98), "cnn, linear mel": two(0.85, 0.97)},
            baselines=MAJORITY, figures=["03_curves.svg", "03_saliency.svg"], details=NSYNTH,
            confusion={"cnn, log mel": confusion(11, 9, 2), "cnn, linear mel": confusion(11, 7, 3)}),
        "04_irmas": result("IRMAS, multi-label", data, scores=irmas, group_kind="track", details=IRMAS,
                           baselines={"always voi": {"micro_f1": 0.27}, "always voi pia gel": {"micro_f1": 0.44}}),
        "04_films": result("Chinese instruments in films", data, classes=["gong", "erhu", "dizi", "pipa"], n=180,
                           groups=1, group_kind="film", figures=["04_films_tags.png"],
                           scores={"from NSynth": {"segment_micro_f1": score(0.8), "segment_f1_erhu": score(0.7)},
                                   "from scratch": {"segment_micro_f1": score(0.7)}},
                           baselines={"best constant": {"segment_micro_f1": 0.4}}),
        "04_chmusic": result("ChMusic", data,
                             scores={"20 MFCCs, k-NN": {"top1": score(0.7)}, "compact CNN": {"top1": score(0.8)}},
                             baselines={"largest class": {"top1": 0.1}}, confusion={"compact CNN": confusion(11, 6, 4)},
                             classes=CHMUSIC),
        "05_predominant": result("Predominant instrument", data, figures=["05_bands.png"], group_kind="recording",
                                 scores={f"{v}: {w}": {"hit_at_1": score(s)} for v, w, s in DESIGNS},
                                 details={"chosen": "2.3: three, from NSynth", "full size": False, "channels": [4, 8],
                                          "test excerpts": {"2.0: three": {"hit_at_1": score(0.5)}},
                                          "test data": "demo, n=45", "seconds of training": {"2.0: three": 12.3},
                                          "parameters": {f"{v}: {w}": 8_598_603 for v, w, _ in DESIGNS}},
                                 baselines={"always voi": {"hit_at_1": 0.363}}),
        "06_gtzan": result("GTZAN genres", data, figures=["06_table.svg"], group_kind="track", classes=GENRES,
                           scores={"4L-2D CNN": {"accuracy": score(0.8)},
                                   "4L-2D CNN, augmented": {"accuracy": score(0.82)}},
                           baselines={"majority class": {"accuracy": 0.1}},
                           details={"best_on_validation": "4L-2D CNN, augmented", "protocols": PROTOCOLS,
                                    "recipe": {"epochs": 12},
                                    "nested": {"neighbours": score(0.8).model_dump() | {"n": 60}},
                                    "rows": [{"plain": {"n": {"train": 42, "valid": 9, "test": 9}}}]}),
    }  # fmt: skip


def write_report(folder: Path, data: DataLabel = "demo", parts: tuple[str, ...] = ()) -> Path:
    """A folder with metrics/ and figures/ of the given parts, or of all."""
    for name, content in results(data).items():
        if parts and name not in parts:
            continue
        metrics.write(folder / "metrics" / f"{name}.json", content)
        (folder / "figures").mkdir(exist_ok=True)
        for figure in content.figures:
            (folder / "figures" / figure).write_bytes(PICTURE if figure.endswith("png") else FIGURE.encode())
    return folder
