"""Draws how far methods are from their backbone: a row for each, its 95% interval, and what is left once corrected."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.drawing import panels
from recbole_decrs.compare.outputs.pairs import AGAIN
from recbole_decrs.compare.significance import LEVEL
from recbole_decrs.evaluator.report import is_better, is_smaller_better, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BETTER, WORSE, NEITHER = "#0072B2", "#D55E00", "#7F7F7F"
"""The colours of intervals beside 0, of Okabe and Ito's, told apart by the colour-blind."""
ROW, TITLES, HEADING = 0.23, 0.9, 0.7
"""The heights of a method's row, of what stands above and below a panel, and of the heading, in inches."""
PANEL, NAMES = 2.7, 2.2
"""The widths of a panel and of the names at the left, in inches."""


def draw_intervals(frame: pd.DataFrame) -> Figure:
    """Draw the differences of methods from their backbone, with a panel for each metric of the longest list.

    Better is to the right in each panel. What has an interval beside 0 is coloured, and filled where p is below 0.05
    once corrected as well. The backbone with other seeds, whose differences are chance, is neither, and not counted.

    Args:
        frame: tests of :func:`~recbole_decrs.compare.outputs.pairs.pairs_frame`.
    """
    parts = [part for _, part in frame.groupby("backbone", sort=False)]
    longest = max((metric.partition("@")[2] for metric in frame["metric"]), key=lambda k: int(k or 0))
    metrics = [metric for metric in frame["metric"].unique() if metric.partition("@")[2] == longest]
    height = ROW * max(part["method"].nunique() for part in parts) + TITLES + HEADING / len(parts)
    figure, axes = panels(len(metrics), width=PANEL + NAMES / len(metrics), height=height, rows=len(parts))
    for axis, (part, metric) in zip(axes, itertools.product(parts, metrics), strict=True):
        _draw_panel(axis, part[part["metric"] == metric], metric, with_names=metric == metrics[0])
    over = "" if frame["p"].notna().any() else " over users"
    explained = f"blue is better and orange worse by the 95% interval{over}; right is better"
    if AGAIN in set(frame["method"]):
        explained += f"; {METHODS[AGAIN].title}, which is chance, stays grey"
    if n_corrected := frame["p_holm"].notna().sum():
        explained += f"\nfilled: p < 0.05 once corrected over the {n_corrected} tests of all methods and metrics"
    figure.suptitle(f"Differences from the backbone: {explained}", fontsize=10)
    return figure


def _draw_panel(axis: Axes, tests: pd.DataFrame, metric: str, *, with_names: bool) -> None:
    backbone, has_p = tests["backbone"].iloc[0], tests["p"].notna().any()
    found = {BETTER: [], WORSE: [], NEITHER: []}
    for place, test in enumerate(tests.itertuples()):
        colour = NEITHER
        if test.method != AGAIN and (test.low > 0 or test.high < 0):
            colour = BETTER if is_better(metric, test.low) else WORSE
        is_filled = colour != NEITHER and test.p_holm < LEVEL
        found[colour].append(is_filled)
        face = colour if is_filled else "white"
        axis.plot([test.low, test.high], [place, place], color=colour, linewidth=1.3)
        axis.plot(test.difference, place, "o", markersize=5, color=colour, markerfacecolor=face)
    axis.axvline(0, color="black", linewidth=0.8, zorder=0)
    axis.set_ylim(len(tests) - 0.5, -0.5)
    names = [title(backbone, method) for method in tests["method"]] if with_names else []
    axis.set_yticks(range(len(tests)), names or [""] * len(tests), fontsize=8.5)
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(axis="y", linewidth=0.3)
    if is_smaller_better(metric):
        axis.invert_xaxis()
    counts = [
        f"{len(found[colour])} {word}" + (f", {sum(found[colour])} filled" if has_p and found[colour] else "")
        for colour, word in ((BETTER, "better"), (WORSE, "worse"))
    ]
    axis.set_title(f"{title_of(metric)}\n{'; '.join(counts)}", fontsize=8.5)
    smaller = ", smaller is better" if is_smaller_better(metric) else ""
    axis.set_xlabel(f"{title_of(metric)} less {backbone}'s{smaller}", fontsize=8.5)
