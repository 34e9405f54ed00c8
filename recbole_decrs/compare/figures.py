"""The paper's figures from the outcomes of a comparison: the numbers of each, and how it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.tables import Results, longest_list, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart by the colour-blind; markers and dashes tell lines apart in print.
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A7F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h", "p")
DASHES = ("-", "--", "-.", ":")
MOST_RATINGS = 10
FAR_BEHIND = 0.8
"""Models with less than this share of the best Recall are not in the close-up of the trade-off."""


def drift_curves(results: Results, names: tuple[str, ...], metrics: list[str]) -> pd.DataFrame:
    """Means over the seeds by drift group: the numbers of Figure 4 and Figure 5."""
    rows = [
        [backbone, metric, name, threshold, *results.in_group(backbone, name, metric, threshold)]
        for backbone, known in results.methods.items()
        for metric in metrics
        for name in names
        if name in known
        for threshold in results.thresholds
    ]
    return pd.DataFrame(rows, columns=["backbone", "metric", "method", "threshold", "users", "mean"])


def trade_off_points(results: Results) -> pd.DataFrame:
    """Recall and C_KL of every method, and of every weight of the re-rankers, over the seeds."""
    longest = longest_list(results)
    accuracy, bias = f"recall@{longest}", f"ckl@{longest}"
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


def share_curves(ratings: np.ndarray, shares: np.ndarray, scores: np.ndarray, n_bins: int = 5) -> pd.DataFrame:
    """Mean score by the share of an item's groups in its user's history, among items of equal rating.

    Args:
        ratings, shares, scores: of rated pairs, shape [n] each; shares are sum over groups g of q^i_g d_u(g). More
            than ten different ratings are put into bins, too.
        n_bins: of as many pairs each.
    """
    if len(np.unique(ratings)) > MOST_RATINGS:
        levels = _quantile_bins(ratings, n_bins)
        ratings = pd.Series(ratings).groupby(levels).transform("mean").to_numpy()
    bins = _quantile_bins(shares, n_bins)
    frame = pd.DataFrame({"rating": ratings, "bin": bins, "share": shares, "score": scores})
    grouped = frame.groupby(["rating", "bin"]).agg(
        pairs=("score", "size"), share=("share", "mean"), score=("score", "mean")
    )
    return grouped.reset_index().drop(columns="bin")


def _quantile_bins(values: np.ndarray, n_bins: int) -> np.ndarray:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))


def draw_drift_curves(frame: pd.DataFrame) -> Figure:
    """One panel a backbone and metric: lines over the drift groups."""
    panels = list(frame.groupby(["backbone", "metric"], sort=False))
    figure, axes = _panels(len(panels))
    for axis, ((backbone, metric), part) in zip(axes, panels, strict=True):
        for number, (name, line) in enumerate(part.groupby("method", sort=False)):
            axis.plot(
                [f"> {threshold:g}" for threshold in line["threshold"]],
                line["mean"],
                color=COLOURS[number],
                marker=MARKERS[number],
                linestyle=DASHES[number % len(DASHES)],
                label=_label(name, panels),
            )
        axis.set(title=backbone, xlabel="users with drift $\\eta_u$", ylabel=_name(metric))
    return _with_legend(figure, axes)


def draw_trade_off(frame: pd.DataFrame) -> Figure:
    """A column a backbone: each re-ranker's curve, each model a point; C_KL on a logarithmic axis.

    The lower panel is the upper one's part around the models, those far behind left out.
    """
    from matplotlib.ticker import LogLocator

    panels = list(frame.groupby("backbone", sort=False))
    figure, axes = _panels(len(panels), width=6.0, height=4.2, rows=2)
    accuracy, bias = frame.columns[-2:]
    names = list(dict.fromkeys(frame["method"]))
    for place, (axis, (backbone, part)) in enumerate(zip(axes, panels * 2, strict=True)):
        for name, points in part.groupby("method", sort=False):
            number = names.index(name)
            style = {"color": COLOURS[number % len(COLOURS)]}
            label = _label(name, panels)
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
        axis.set(title=backbone, ylabel=_name(accuracy), xlabel=f"{_name(bias)}, smaller is better")
        if place >= len(panels):
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
    return _with_legend(figure, axes)


def draw_share_curves(frame: pd.DataFrame) -> Figure:
    """One panel a backbone: a line a rating."""
    panels = list(frame.groupby("backbone", sort=False))
    figure, axes = _panels(len(panels))
    for axis, (backbone, part) in zip(axes, panels, strict=True):
        for number, (rating, line) in enumerate(part.groupby("rating", sort=True)):
            axis.plot(
                line["share"],
                line["score"],
                color=COLOURS[number % len(COLOURS)],
                marker=MARKERS[number % len(MARKERS)],
                linestyle=DASHES[number % len(DASHES)],
                label=f"rating {rating:g}",
            )
        axis.set(title=backbone, xlabel="share of the item's groups in the user's history", ylabel="mean score")
    return _with_legend(figure, axes)


def _panels(number: int, width: float = 4.6, height: float = 3.6, rows: int = 1) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * number, height * rows), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, number, squeeze=False).flatten())


def _with_legend(figure: Figure, axes: list[Axes]) -> Figure:
    """The figure with one legend beside its panels, where it covers no line."""
    handles = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles.keys(), loc="outside right center", fontsize=8)
    return figure


def _label(name: str, panels: list) -> str:
    """Of a method in the legend that all panels share."""
    backbones = {key if isinstance(key, str) else key[0] for key, _ in panels}
    if name not in METHODS:
        return name
    return title(backbones.pop() if len(backbones) == 1 else "Backbone", name)


def _name(metric: str) -> str:
    return metric.replace("ckl@", "$C_{KL}$@").replace("recall", "Recall").replace("ndcg", "NDCG")
