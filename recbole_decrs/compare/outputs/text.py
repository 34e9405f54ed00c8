"""Writes the numbers in tables."""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown


def listed(values: list) -> str:
    """Write numbers with commas between."""
    return ", ".join(f"{value:g}" for value in values)


def tables_of_pairs(results: Results, frame: pd.DataFrame) -> list[str]:
    """Write tests as a table for each backbone: a row for each pair, the metrics of the longest list side by side.

    Args:
        results: the comparison that was tested.
        frame: a row for each test, with ``backbone``, ``method``, ``against``, ``metric``, ``difference``, ``low``,
            ``high`` and ``p``.
    """
    several = len(results.seeds) > 1
    longest = [metric for metric in frame["metric"].unique() if metric.endswith(f"@{results.longest_list}")]
    tables = []
    for backbone, part in frame.groupby("backbone", sort=False):
        rows = []
        for (method, against), found in part.groupby(["method", "against"], sort=False):
            of_metric = found.set_index("metric")
            cells = [_cell(of_metric.loc[metric], several) for metric in longest]
            rows.append([f"{title(backbone, method)} - {title(backbone, against)}", *cells])
        tables.append(as_markdown(rows, [f"over {backbone}", *map(title_of, longest)]))
    return tables


def about_intervals(results: Results) -> str:
    """Say what the cells of :func:`tables_of_pairs` hold."""
    return "Differences of the means, with 95% intervals" + (
        " and p-values." if len(results.seeds) > 1 else " over users."
    )


def _cell(row: pd.Series, several: bool) -> str:
    p = "p < 0.001" if row.p < 0.001 else f"p {row.p:.3f}"
    return f"{row.difference:+.4f} [{row.low:+.4f}, {row.high:+.4f}]" + (f" {p}" if several else "")
