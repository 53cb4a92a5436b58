"""Labels of a confusion matrix do not overlap, with 11 classes and with 78."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.plotting.scores import confusion_figure


@pytest.mark.parametrize("n_classes", [11, 78])
@pytest.mark.parametrize("matrices", [1, 2])
def test_labels_do_not_overlap(n_classes, matrices):
    names = [f"instrument {number:02d}" for number in range(n_classes)]
    counts = np.eye(n_classes, dtype=int)
    figure = confusion_figure({f"system {number}": counts for number in range(matrices)}, names)
    FigureCanvasAgg(figure).draw()
    for axis in figure.axes[:matrices]:
        for labels, low, high in ((axis.get_xticklabels(), "x0", "x1"), (axis.get_yticklabels(), "y0", "y1")):
            boxes = [label.get_window_extent() for label in labels if label.get_text()]
            spans = sorted((getattr(box, low), getattr(box, high)) for box in boxes)
            assert all(before[1] <= after[0] + 0.5 for before, after in pairwise(spans))
