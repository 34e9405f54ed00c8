"""Makes Table 4 of the paper: the metrics over users whose interests drift more than a threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import improvement, title_of
from recbole_decrs.tables import as_markdown, percent

SHOWN = ("backbone", "decrs", "ensemble", "ensemble_equal", "intervention")
"""The methods in the text; the numbers have all."""


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
    """Write the means of :data:`SHOWN` over the users with eta_u above each threshold; None without DecRS."""
    metrics = [metric for metric in results.metrics if metric.endswith(f"@{results.longest_list}")]
    parts = []
    for backbone, names in results.methods.items():
        if "decrs" not in names:
            continue
        shown = [name for name in SHOWN if name in names]
        rows = []
        for threshold in results.thresholds:
            row = [f"> {threshold:g}", ""]
            for metric in metrics:
                values = {}
                for name in shown:
                    row[1], values[name] = results.in_group(backbone, name, metric, threshold)
                row += [f"{values['backbone']:.4f}", f"{values['decrs']:.4f}"]
                row.append(percent(improvement(metric, values["backbone"], values["decrs"])))
                row += [f"{values[name]:.4f}" for name in shown if name not in ("backbone", "decrs")]
            rows.append(row)
        headers = ["eta_u", "users"]
        for metric in metrics:
            short = title_of(metric)
            headers += [f"{short} {backbone}", f"{short} DecRS", "%improv."]
            headers += [f"{short} {title(backbone, name)}" for name in shown if name not in ("backbone", "decrs")]
        parts.append(as_markdown(rows, headers))
    return "\n\n".join(parts) + "\n" if parts else None


register_output(
    Output("table4", about="by groups of users with more and more drift", numbers=by_drift_frame, text=by_drift_text)
)
