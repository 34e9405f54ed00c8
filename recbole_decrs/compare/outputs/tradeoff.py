"""The trade-off of accuracy and bias: Recall and C_KL of every method, and a curve for each re-ranker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_decrs.compare.outputs.drawing import (
    COLOURS,
    DASHES,
    MARKERS,
    legend_title,
    metric_title,
    panels,
    with_legend,
)
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAR_BEHIND = 0.8
"""Models with less than this share of the best Recall are not in the close-up of the trade-off."""


def trade_off_points(results: Results) -> pd.DataFrame:
    """Compute Recall and C_KL of every method, and of every weight of the re-rankers, over the seeds."""
    accuracy, bias = f"recall@{results.longest_list}", f"ckl@{results.longest_list}"
    rows = []
    for backbone, names in results.methods.items():
        for name in names:
            rows.append(
                [backbone, name, np.nan, *(results.mean(backbone, name, metric) for metric in (accuracy, bias))]
            )
            curves = [outcome.info.get("curve", []) for outcome in results.all_seeds(backbone, name)]
            for points in zip(*curves, strict=True):
                values = [np.mean([point[1][metric] for point in points]) for metric in (accuracy, bias)]
                rows.append([backbone, name, points[0][0], *values])
        for name, outcome in results.lists.items():
            rows.append([backbone, name, np.nan, outcome.info["test"][accuracy], outcome.info["test"][bias]])
    return pd.DataFrame(rows, columns=["backbone", "method", "weight", accuracy, bias])


def draw_trade_off(frame: pd.DataFrame) -> Figure:
    """Draw a column for each backbone: each re-ranker's curve, each model a point; C_KL on a logarithmic axis.

    The lower panel is the upper one's part around the models, those far behind left out.
    """
    from matplotlib.ticker import LogLocator

    parts = list(frame.groupby("backbone", sort=False))
    figure, axes = panels(len(parts), width=6.0, height=4.2, rows=2)
    accuracy, bias = frame.columns[-2:]
    names = list(dict.fromkeys(frame["method"]))
    for place, (axis, (backbone, part)) in enumerate(zip(axes, parts * 2, strict=True)):
        for name, points in part.groupby("method", sort=False):
            number = names.index(name)
            style = {"color": COLOURS[number % len(COLOURS)]}
            label = legend_title(name, frame["backbone"])
            curve = points[points["weight"].notna()]
            if len(curve):
                axis.plot(curve[bias], curve[accuracy], linestyle=DASHES[number % len(DASHES)], linewidth=1.2, **style)
            point = points[points["weight"].isna()]
            axis.plot(
                point[bias],
                point[accuracy],
                linestyle="",
                marker=MARKERS[number % len(MARKERS)],
                markersize=8,
                markeredgecolor="white",
                label=label,
                **style,
            )
        axis.set(title=backbone, ylabel=metric_title(accuracy), xlabel=f"{metric_title(bias)}, smaller is better")
        if place >= len(parts):
            models = part[part["weight"].isna()]
            near = models[models[accuracy] > FAR_BEHIND * models[accuracy].max()]
            low, high = near[[bias, accuracy]].min(), near[[bias, accuracy]].max()
            margin = 0.08 * (high - low) + 1e-3
            axis.set_xlim(low[bias] - margin[bias], high[bias] + margin[bias])
            axis.set_ylim(low[accuracy] - margin[accuracy], high[accuracy] + margin[accuracy])
        elif (part[bias] > 0).all():
            axis.set_xscale("log")
            axis.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
            axis.xaxis.set_major_formatter("{x:g}")
            axis.xaxis.set_minor_formatter("{x:g}")
    return with_legend(figure, axes)


register_output(
    Output(
        "tradeoff",
        about="Recall against C_KL: each method a point, each re-ranker a curve",
        numbers=trade_off_points,
        draw=draw_trade_off,
    )
)
