"""Tests DecRS against each of its controls, and beside them one set of seeds of the backbone against another (A/A)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import holm, paired_difference
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown

AGAIN = "other_seed"
"""The control that is the backbone once more, and so is held against it and not against DecRS."""


def _pairs_of_methods(names: list[str]) -> list[tuple[str, str]]:
    """Name who is held against whom."""
    controls = [name for name in names if METHODS[name].role == "control" and name != AGAIN]
    pairs = [("decrs", name) for name in controls if "decrs" in names]
    return pairs + ([(AGAIN, "backbone")] if AGAIN in names else [])


def controls_frame(results: Results) -> pd.DataFrame:
    """Test DecRS against each control over its backbone, and the backbone with other seeds against the backbone.

    Returns:
        A row for each backbone, pair and metric: ``backbone``, ``method``, ``against``, ``metric``, ``difference``, its
        95% interval ``low`` and ``high``, ``p``, and ``p_holm``, corrected over all p-values of DecRS; NaN for the
        A/A rows.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    rows = []
    for backbone, names in results.methods.items():
        for method, against in _pairs_of_methods(names):
            for metric in results.metrics:
                _, pairs = differences_by_user(results, backbone, method, against, metric)
                if len(pairs):
                    rows.append([backbone, method, against, metric, *paired_difference(pairs)[:4]])
    columns = ["backbone", "method", "against", "metric", "difference", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["p_holm"] = np.nan
    of_decrs = frame["method"] != AGAIN
    frame.loc[of_decrs, "p_holm"] = holm(frame.loc[of_decrs, "p"].tolist())
    return frame


def controls_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone: a row for each pair, the metrics of the longest list beside each other."""
    several = len(results.seeds) > 1
    longest = [metric for metric in frame["metric"].unique() if metric.endswith(f"@{results.longest_list}")]
    texts = []
    for backbone, part in frame.groupby("backbone", sort=False):
        rows = []
        for (method, against), found in part.groupby(["method", "against"], sort=False):
            of_metric = found.set_index("metric")
            cells = [_cell(of_metric.loc[metric], several) for metric in longest]
            rows.append([f"{title(backbone, method)} - {title(backbone, against)}", *cells])
        texts.append(as_markdown(rows, [f"over {backbone}", *map(title_of, longest)]))
    remarks = ["Differences of the means, with 95% intervals" + (" and p-values" if several else " over users") + "."]
    if several:
        corrected = frame["p_holm"].dropna()
        if len(corrected):
            below = (corrected < 0.05).sum()
            remarks.append(
                f"Of {len(corrected)} p-values of DecRS against controls, over all metrics, {below} "
                f"{'is' if below == 1 else 'are'} below 0.05 once corrected by Holm (controls.csv)."
            )
    if AGAIN in frame["method"].tolist():
        remarks.append(
            f"{METHODS[AGAIN].title} is the backbone trained again (A/A): what stands there is chance and nothing else."
        )
    return "\n\n".join([*texts, " ".join(remarks)]) + "\n"


def _cell(row: pd.Series, several: bool) -> str:
    p = "p < 0.001" if row.p < 0.001 else f"p {row.p:.3f}"
    return f"{row.difference:+.4f} [{row.low:+.4f}, {row.high:+.4f}]" + (f" {p}" if several else "")


def _no_pair(results: Results) -> str | None:
    if any(map(_pairs_of_methods, results.methods.values())):
        return None
    return "it holds DecRS against controls, and no backbone has both"


register_output(
    Output(
        "controls",
        about="tests of DecRS against each control, and of the backbone against itself with other seeds (A/A)",
        numbers=controls_frame,
        text=controls_text,
        lacks=_no_pair,
    )
)
