"""Shows the trade-off of accuracy and bias: Recall and C_KL of every method, and a curve for each re-ranker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.drawing import colour_of, dashes_of, legend_title, marker_of, panels, with_legend
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.spread import bars_text, deviation, gain, is_beyond
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAR_BEHIND = 0.8
"""Models with less than this share of the best Recall are not in the close-up of the trade-off."""
SIZES = {"backbone": 12, "decrs": 10}
"""The sizes of the markers of those who are compared, by role; the backbone is seen behind those who hide it."""


def trade_off_points(results: Results) -> pd.DataFrame:
    """Compute Recall and C_KL of every method, and of every weight of the re-rankers: means and deviations over seeds.

    Returns:
        The columns ``backbone``, ``method``, ``weight`` (NaN of what was chosen on validation), both metrics, the
        standard deviation of both, and the number of ``seeds``; a list made elsewhere has one.
    """
    metrics = [f"recall@{results.longest_list}", f"ckl@{results.longest_list}"]
    rows = []
    for backbone, names in results.methods.items():
        for name in names:
            rows.append([backbone, name, np.nan, *_over_seeds([results.values(backbone, name, m) for m in metrics])])
            curves = [outcome.info.get("curve", []) for outcome in results.all_seeds(backbone, name)]
            for points in zip(*curves, strict=True):
                values = [[point[1][metric] for point in points] for metric in metrics]
                rows.append([backbone, name, points[0][0], *_over_seeds(values)])
        for name, outcome in results.lists.items():
            values = [[outcome.info["test"][metric]] for metric in metrics]
            rows.append([backbone, name, np.nan, *_over_seeds(values)])
    columns = ["backbone", "method", "weight", *metrics, *(f"{metric} std" for metric in metrics), "seeds"]
    return pd.DataFrame(rows, columns=columns)


def _over_seeds(values: list[list[float]]) -> list[float]:
    return [*(np.mean(found) for found in values), *map(deviation, values), len(values[0])]


def draw_trade_off(frame: pd.DataFrame) -> Figure:
    """Draw a column for each backbone: each re-ranker's curve, each model a point; C_KL on a logarithmic axis.

    The lower panel is the upper one's part around the models, those far behind left out. Controls are hollow.
    """
    parts = list(frame.groupby("backbone", sort=False))
    figure, axes = panels(len(parts), width=6.0, height=4.8, rows=2)
    accuracy, bias = frame.columns[3:5]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(frame["method"]))}
    for place, (axis, (backbone, part)) in enumerate(zip(axes, parts * 2, strict=True)):
        is_close = place >= len(parts)
        for name, points in part.groupby("method", sort=False):
            label = legend_title(name, frame["backbone"])
            _draw_method(axis, name, numbers[name], points, label, [bias, accuracy], with_bars=is_close)
        axis.set(ylabel=title_of(accuracy), xlabel=f"{title_of(bias)}, smaller is better")
        if is_close:
            _zoom(axis, part, accuracy, bias)
            axis.set_title(_seen(backbone, part, accuracy, bias), fontsize=9.5)
        else:
            if (part[bias] > 0).all():
                _make_logarithmic(axis)
            axis.set_title(_reached(backbone, part, accuracy, bias), fontsize=9.5)
    of_what = f"{title_of(accuracy)} against {title_of(bias)}"
    figure.suptitle(f"{of_what}: {bars_text(int(frame['seeds'].max()))}; below, close up")
    has_controls = any(_role(name) == "control" for name in numbers)
    return with_legend(figure, axes, "hollow: controls" if has_controls else None)


def _draw_method(
    axis: Axes, name: str, number: int, points: pd.DataFrame, label: str, metrics: list[str], with_bars: bool
) -> None:
    """Draw the curve of a re-ranker, if it is one, and the point that was chosen on validation."""
    colour = colour_of(number)
    curve, point = points[points["weight"].notna()], points[points["weight"].isna()]
    if len(curve):
        axis.plot(*curve[metrics].to_numpy().T, linestyle=dashes_of(number), linewidth=1.1, color=colour, zorder=1)
    if with_bars:
        errors = (point[f"{metric} std"] for metric in metrics)
        bars = dict(zip(("xerr", "yerr"), errors, strict=True))
        axis.errorbar(*point[metrics].to_numpy().T, **bars, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.45)
    role = _role(name)
    axis.plot(
        *point[metrics].to_numpy().T,
        linestyle="",
        marker=marker_of(number),
        markersize=SIZES.get(role, 8),
        color=colour,
        markerfacecolor="white" if role == "control" else colour,
        markeredgecolor=colour if role == "control" else "white",
        markeredgewidth=1.6 if role == "control" else 0.6,
        label=label,
        zorder={"backbone": 2, "decrs": 4}.get(role, 3),
    )


def _role(name: str) -> str:
    return METHODS[name].role if name in METHODS else "list"


def _zoom(axis: Axes, part: pd.DataFrame, accuracy: str, bias: str) -> None:
    """Show the surroundings of the models that are not far behind, with their error bars."""
    models = part[part["weight"].isna()]
    near = models[models[accuracy] > FAR_BEHIND * models[accuracy].max()]
    for metric, set_limits in ((bias, axis.set_xlim), (accuracy, axis.set_ylim)):
        bar = near[f"{metric} std"].fillna(0)
        low, high = (near[metric] - bar).min(), (near[metric] + bar).max()
        margin = 0.05 * (high - low) + 1e-3
        set_limits(low - margin, high + margin)


def _make_logarithmic(axis: Axes) -> None:
    from matplotlib.ticker import LogLocator

    axis.set_xscale("log")
    axis.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")


def _reached(backbone: str, part: pd.DataFrame, accuracy: str, bias: str) -> str:
    """Say which method, with any weight, goes lowest in C_KL, and at which Recall."""
    lowest = part.loc[part[bias].idxmin()]
    values = f"{title_of(bias)} {lowest[bias]:.2g} at {title_of(accuracy)} {lowest[accuracy]:.3f}"
    return f"{backbone}: {title(backbone, lowest['method'])} goes lowest, {values}"


def _seen(backbone: str, part: pd.DataFrame, accuracy: str, bias: str) -> str:
    """Say how many methods are better than the backbone in both metrics, and how many beyond the spread of seeds."""
    models = part[part["weight"].isna()].set_index("method")
    if "backbone" not in models.index or len(models) < 2:
        return f"{backbone}, close up"
    before, others = models.loc["backbone"], models.drop(index="backbone")
    gains = {m: [gain(m, before[m], after) for after in others[m]] for m in (accuracy, bias)}
    better = sum(min(both) > 0 for both in zip(*gains.values(), strict=True))
    clear = [map(is_beyond, gains[m], others[f"{m} std"], [before[f"{m} std"]] * len(others)) for m in gains]
    beyond = sum(all(both) for both in zip(*clear, strict=True))
    text = f"Better than {backbone} in both: {better} of {len(others)}"
    return text + (f", {beyond} beyond the spread of seeds" if models[f"{bias} std"].notna().any() else "")


register_output(
    Output(
        "tradeoff",
        about="Recall against C_KL: each method a point, each re-ranker a curve",
        numbers=trade_off_points,
        draw=draw_trade_off,
    )
)
