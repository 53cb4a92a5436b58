"""Arrays in, a figure out. Here: the one style of all figures, that of the slides, and the one way to save them."""

import io
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from helpers.files import atomic

# Okabe and Ito's palette, which colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
SEQUENTIAL = "viridis"
WIDE = (9.6, 4.6)  # inches: a figure that fills a 16:9 slide below its title
HALF = (4.7, 4.3)  # inches: one of two beside each other
DPI = 160

RC = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib; on slides the text of an SVG takes the font of the slides
    "font.size": 13,  # a figure of the size WIDE or HALF on its slide has text of 14 pt
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "axes.grid": False,
    "figure.dpi": 100,
    "image.cmap": SEQUENTIAL,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "instrument-recognition",
    "pdf.fonttype": 42,
}
styled = mpl.rc_context(RC)  # decorates every function that draws: outside of them nothing is changed


class Picture(Figure):
    """A figure that a notebook shows as it is: pyplot does not know it, so nothing has to be closed."""

    @styled
    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


@styled
def new_figure(size: tuple[float, float] = WIDE, rows: int = 1, columns: int = 1, **keywords) -> tuple[Figure, object]:
    """A figure in the project's style, and one axes or an array of them as `Figure.subplots` gives it."""
    figure = Picture(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, **keywords)


@styled
def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure atomically, as SVG, PNG or PDF by its suffix; the same figure gives the same bytes."""
    with atomic(Path(path)) as temporary:
        metadata = {"Date": None} if temporary.suffix == ".svg" else None
        figure.savefig(temporary, dpi=DPI, metadata=metadata)
    return Path(path)
