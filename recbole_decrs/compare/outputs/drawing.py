"""Gives all figures one look: colours, markers and dashes of which none comes twice, panels, the legend, and names."""

from __future__ import annotations

import colorsys
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from recbole_decrs.compare.methods import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours first, told apart by the colour-blind; then darker and paler ones between them.
COLOURS = (
    "#000000",
    "#E69F00",
    "#0072B2",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#8A7F00",
    "#7A1F5C",
    "#B00020",
    "#332288",
    "#8C564B",
    "#99CC33",
    "#7F7F7F",
    "#44AAAA",
    "#C9A36B",
    "#1B5E20",
    "#AA66FF",
)
MARKERS = (
    *("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h", "p", "d", "H", "8", (4, 1, 0), (6, 1, 0), (3, 1, 0)),
    *((8, 1, 0), (4, 1, 45), (3, 1, 180), (3, 1, 90), (3, 1, 270), (7, 0, 0)),
)
TITLE_SIZE = 11
DASHES = ("-", "--", "-.", ":", (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (1, 4)), (0, (10, 2, 4, 2)))


def colour_of(number: int) -> str:
    """Give the colour of a line or point by its number in the figure; no two numbers have the same."""
    if number < len(COLOURS):
        return COLOURS[number]
    # Steps of the golden ratio around the circle of hues never meet.
    red, green, blue = colorsys.hls_to_rgb(number * 0.618034 % 1, 0.45, 0.9)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def marker_of(number: int) -> Any:
    """Give the marker of a line or point by its number in the figure; beyond the shapes it is the number itself."""
    return MARKERS[number] if number < len(MARKERS) else f"${number}$"


def dashes_of(number: int) -> Any:
    """Give the dashes of a line by its number in the figure; no two numbers have the same."""
    return DASHES[number] if number < len(DASHES) else (0, (number, 2, 1, 2))


def line_style(number: int) -> dict[str, Any]:
    """Give the colour, marker and dashes of a line by its number in the figure, and the look of its error bars."""
    look = {"color": colour_of(number), "marker": marker_of(number), "linestyle": dashes_of(number)}
    return look | {"markersize": 6, "linewidth": 1.4, "capsize": 2.5, "elinewidth": 0.9}


def panels(number: int, width: float = 4.6, height: float = 3.6, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Make a figure with so many panels in a row, each so many inches wide and high, and so many rows of them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * number, height * rows), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, number, squeeze=False).flatten())


def with_legend(figure: Figure, axes: list[Axes], heading: str | None = None) -> Figure:
    """Give the figure one legend beside its panels, where it covers no line, and break titles that are too long.

    Args:
        figure, axes: of :func:`panels`, with their titles.
        heading: may explain the legend.
    """
    handles = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(), handles.keys(), loc="outside right center", fontsize=8, title=heading, title_fontsize=8
    )
    width = figure.get_figwidth()
    figure.suptitle(_broken(figure.get_suptitle(), width, TITLE_SIZE), fontsize=TITLE_SIZE)
    figure.draw_without_rendering()  # the longer the names in the legend, the narrower the panels
    for axis in axes:
        size = axis.title.get_fontsize()
        panel = axis.get_window_extent().width / figure.dpi
        axis.set_title(_broken(axis.get_title(), panel, size), fontsize=size)
    return figure


def _broken(title: str, width: float, size: float) -> str:
    """Break a title into lines of so many inches, in letters of so many points, of which a mean one is 0.6 wide."""
    return textwrap.fill(title, int(width * 72 / (0.6 * size)))


def legend_title(name: str, backbones: Iterable[str]) -> str:
    """Give the title of a method in the legend that the panels of all these backbones share."""
    different = set(backbones)
    return title(different.pop() if len(different) == 1 else "Backbone", name)
