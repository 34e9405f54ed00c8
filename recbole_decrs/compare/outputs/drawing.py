"""Gives all figures one look: colours, panels, the legend, and the names in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from recbole_decrs.compare.methods import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart by the colour-blind; markers and dashes tell lines apart in print.
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A7F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h", "p")
DASHES = ("-", "--", "-.", ":")


def line_style(number: int) -> dict[str, str]:
    """Give the colour, marker and dashes of a line by its number in the figure."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number % len(DASHES)],
    }


def panels(number: int, width: float = 4.6, height: float = 3.6, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Make a figure with so many panels in a row, each so many inches wide and high, and so many rows of them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * number, height * rows), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, number, squeeze=False).flatten())


def with_legend(figure: Figure, axes: list[Axes]) -> Figure:
    """Give the figure one legend beside its panels, where it covers no line."""
    handles = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles.keys(), loc="outside right center", fontsize=8)
    return figure


def legend_title(name: str, backbones: Iterable[str]) -> str:
    """Give the title of a method in the legend that the panels of all these backbones share."""
    different = set(backbones)
    return title(different.pop() if len(different) == 1 else "Backbone", name)


def metric_title(metric: str) -> str:
    """Write a metric as the axes name it."""
    return metric.replace("ckl@", "$C_{KL}$@").replace("recall", "Recall").replace("ndcg", "NDCG")
