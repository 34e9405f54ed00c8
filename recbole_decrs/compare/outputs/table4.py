"""Makes Table 4 of the paper: the metrics over users whose interests drift more than a threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import improvement, title_of
from recbole_decrs.tables import as_markdown, percent

OTHERS = ("ensemble", "ensemble_equal", "intervention")
"""The methods in the text beside the backbone and DecRS; the numbers have all."""


def by_drift_frame(results: Results) -> pd.DataFrame:
    """Compute means over the seeds by drift group, of every method and metric; lists are of no backbone."""
    rows = [
        [backbone, threshold, users, name, metric, value]
        for backbone, names in results.methods.items()
        for threshold in results.thresholds
        for name in names
        for metric in results.metrics
        for users, value in [results.in_group(backbone, name, metric, threshold)]
    ]
    rows += [
        ["", threshold, users, name, metric, values.get(metric, np.nan)]
        for name, outcome in results.lists.items()
        for threshold, users, values in outcome.info["by_drift"]
        for metric in results.metrics
    ]
    return pd.DataFrame(rows, columns=["backbone", "threshold", "users", "method", "metric", "mean"])


def by_drift_text(results: Results, frame: pd.DataFrame) -> str | None:
    """Write means of the backbone, DecRS and :data:`OTHERS` over users with more and more eta_u; None without DecRS."""
    frame = frame[frame["metric"].isin(results.longest_metrics)]
    parts = []
    for backbone, part in frame.groupby("backbone", sort=False):
        names = set(part["method"])
        if "decrs" not in names:
            continue
        others = [name for name in OTHERS if name in names]
        metrics = part["metric"].unique()
        rows = []
        for threshold, group in part.groupby("threshold", sort=False):
            means = group.set_index(["metric", "method"])["mean"]
            row = [f"> {threshold:g}", str(group["users"].iloc[0])]
            for metric in metrics:
                before, after = means[metric, "backbone"], means[metric, "decrs"]
                row += [_mean(before), _mean(after), percent(improvement(metric, before, after))]
                row += [_mean(means[metric, name]) for name in others]
            rows.append(row)
        headers = ["eta_u", "users"]
        for metric in metrics:
            short = title_of(metric)
            headers += [f"{short} {backbone}", f"{short} DecRS", "%improv."]
            headers += [f"{short} {title(backbone, name)}" for name in others]
        parts.append(as_markdown(rows, headers))
    return "\n\n".join(parts) + "\n" if parts else None


def _mean(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"


register_output(
    Output("table4", about="by groups of users with more and more drift", numbers=by_drift_frame, text=by_drift_text)
)
