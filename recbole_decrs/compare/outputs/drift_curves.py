"""Figure 4 and Figure 5 of the paper: the metrics of a few methods over users of more and more drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from recbole_decrs.compare.outputs.drawing import legend_title, line_style, metric_title, panels, with_legend
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _calibrations(results: Results) -> pd.DataFrame:
    return drift_curves(results, ("backbone", "calibration", "decrs"), ("ckl",))


def _accuracies(results: Results) -> pd.DataFrame:
    return drift_curves(results, ("backbone", "decrs_wo", "decrs"), ("recall", "ndcg"))


def drift_curves(results: Results, names: tuple[str, ...], metrics: tuple[str, ...]) -> pd.DataFrame:
    """Compute means over the seeds by drift group, of those of the methods that there are.

    Args:
        results: the results of the comparison.
        names: names of methods.
        metrics: names of metrics without K; the longest list is taken.
    """
    rows = [
        [backbone, metric, name, threshold, *results.in_group(backbone, name, metric, threshold)]
        for backbone, known in results.methods.items()
        for metric in (f"{name}@{results.longest_list}" for name in metrics)
        for name in names
        if name in known
        for threshold in results.thresholds
    ]
    return pd.DataFrame(rows, columns=["backbone", "metric", "method", "threshold", "users", "mean"])


def draw_drift_curves(frame: pd.DataFrame) -> Figure:
    """Draw a panel for each backbone and metric, with a line for each method over the drift groups."""
    parts = list(frame.groupby(["backbone", "metric"], sort=False))
    figure, axes = panels(len(parts))
    for axis, ((backbone, metric), part) in zip(axes, parts, strict=True):
        for number, (name, line) in enumerate(part.groupby("method", sort=False)):
            axis.plot(
                [f"> {threshold:g}" for threshold in line["threshold"]],
                line["mean"],
                label=legend_title(name, frame["backbone"]),
                **line_style(number),
            )
        axis.set(title=backbone, xlabel="users with drift $\\eta_u$", ylabel=metric_title(metric))
    return with_legend(figure, axes)


register_output(Output("figure4", about="C_KL by groups of users", numbers=_calibrations, draw=draw_drift_curves))
register_output(
    Output("figure5", about="Recall and NDCG by groups of users", numbers=_accuracies, draw=draw_drift_curves)
)
