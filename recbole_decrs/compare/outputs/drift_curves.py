"""Makes Figures 4 and 5 of the paper: the metrics of a few methods over users of more and more drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_decrs.compare.outputs.drawing import legend_title, line_style, panels, with_legend
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.spread import bars_text, deviation, gain, is_beyond
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import title_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _calibrations(results: Results) -> pd.DataFrame:
    return drift_curves(results, ("backbone", "calibration", "decrs"), ("ckl",))


def _accuracies(results: Results) -> pd.DataFrame:
    return drift_curves(results, ("backbone", "decrs_wo", "decrs", "intervention"), ("recall", "ndcg"))


def drift_curves(results: Results, names: tuple[str, ...], metrics: tuple[str, ...]) -> pd.DataFrame:
    """Compute means and standard deviations over the seeds by drift group, of those of the methods that there are.

    Args:
        results: the results of the comparison.
        names: names of methods.
        metrics: names of metrics without K; the longest list is taken.
    """
    rows = [
        [backbone, metric, name, threshold, users, mean, deviation(values), len(results.seeds)]
        for backbone, known in results.methods.items()
        for metric in (f"{name}@{results.longest_list}" for name in metrics)
        for name in names
        if name in known
        for threshold in results.thresholds
        for users, mean in [results.in_group(backbone, name, metric, threshold)]
        for values in [results.values_in_group(backbone, name, metric, threshold)]
    ]
    columns = ["backbone", "metric", "method", "threshold", "users", "mean", "std", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def draw_drift_curves(frame: pd.DataFrame) -> Figure:
    """Draw a panel for each backbone and metric, with a line for each method over the drift groups."""
    parts = list(frame.groupby(["backbone", "metric"], sort=False))
    figure, axes = panels(len(parts), width=4.8, height=4.0)
    for axis, ((backbone, metric), part) in zip(axes, parts, strict=True):
        for number, (name, line) in enumerate(part.groupby("method", sort=False)):
            places = np.arange(len(line)) + 0.06 * number  # beside each other, so that all bars are seen
            label = legend_title(name, frame["backbone"])
            axis.errorbar(places, line["mean"], line["std"].fillna(0), label=label, **line_style(number))
        groups = part.drop_duplicates("threshold")
        of_groups = zip(groups["threshold"], groups["users"], strict=True)
        ticks = [f"> {threshold:g}\n{users}" for threshold, users in of_groups]
        axis.set_xticks(np.arange(len(groups)), ticks, fontsize=8)
        axis.set(xlabel="users with drift $\\eta_u$, and how many", ylabel=_axis_title(metric))
        axis.set_title(_seen(backbone, metric, part), fontsize=10)
    figure.suptitle(f"By the drift of users: {bars_text(int(frame['seeds'].max()))}")
    return with_legend(figure, axes)


def _axis_title(metric: str) -> str:
    return title_of(metric) + (", smaller is better" if gain(metric, 1, 0) > 0 else "")


def _seen(backbone: str, metric: str, part: pd.DataFrame) -> str:
    """Say in how many groups DecRS is better than the backbone, and in how many by more than the seeds' spread."""
    lines = {name: line.set_index("threshold") for name, line in part.groupby("method")}
    if not {"backbone", "decrs"} <= lines.keys():
        return f"{backbone}, {title_of(metric)}"
    before, after = (lines[name][lines[name]["users"] > 0] for name in ("backbone", "decrs"))
    gains = [gain(metric, *pair) for pair in zip(before["mean"], after["mean"], strict=True)]
    beyond = sum(map(is_beyond, gains, before["std"], after["std"]))
    better = sum(one > 0 for one in gains)
    text = f"DecRS has better {title_of(metric)} than {backbone}\nin {better} of {len(gains)} groups"
    return text + (f", in {beyond} beyond the spread of seeds" if part["std"].notna().any() else "")


register_output(Output("figure4", about="C_KL by groups of users", numbers=_calibrations, draw=draw_drift_curves))
register_output(
    Output("figure5", about="Recall and NDCG by groups of users", numbers=_accuracies, draw=draw_drift_curves)
)
