"""Tests pairs of methods over the same users and seeds, and writes the tests as tables, a row for each pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import holm, p_in_words, paired_difference
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PairsOf = Callable[[list[str]], list[tuple[str, str]]]
"""Names pairs, from the names of the methods of a backbone."""
AGAIN = "other_seed"
"""The control that is the backbone once more (A/A): what its tests find is chance, so that they are not corrected."""


def pairs_frame(results: Results, pairs_of: PairsOf) -> pd.DataFrame:
    """Test pairs of methods over each backbone, in every metric.

    Args:
        results: the comparison.
        pairs_of: names the pairs, from the names of the methods of a backbone; a difference is of the first less the
            second.

    Returns:
        A row for each backbone, pair and metric: ``backbone``, ``method``, ``against``, ``metric``, ``difference``, its
        95% interval ``low`` and ``high``, ``p``, and ``p_holm``, corrected over all p-values but those of ``AGAIN``,
        which has NaN.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    rows = []
    for backbone, names in results.methods.items():
        for method, against in pairs_of(names):
            for metric in results.metrics:
                _, pairs = differences_by_user(results, backbone, method, against, metric)
                if len(pairs):
                    rows.append([backbone, method, against, metric, *paired_difference(pairs)[:4]])
    columns = ["backbone", "method", "against", "metric", "difference", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["p_holm"] = np.nan
    corrected = frame["method"] != AGAIN
    frame.loc[corrected, "p_holm"] = holm(frame.loc[corrected, "p"].tolist())
    return frame


def register_pairs(
    name: str,
    *,
    about: str,
    pairs_of: PairsOf,
    corrected: str,
    missing: str,
    remarks: Callable[[pd.DataFrame], list[str]] = lambda frame: [],
    draw: Callable[[pd.DataFrame], Figure] | None = None,
) -> None:
    """Register an output that tests pairs of methods.

    Args:
        name: that of its files.
        about: what it shows, for the table of outputs in the README.
        pairs_of: names the pairs; see :func:`pairs_frame`.
        corrected: see :func:`pairs_text`.
        missing: why it is not made, in words, where no backbone has a pair.
        remarks: says more, from the tests.
        draw: draws the tests.
    """

    def text(results: Results, numbers: pd.DataFrame) -> str:
        return pairs_text(results, numbers, corrected, f"{name}.csv", *remarks(numbers))

    def lacks(results: Results) -> str | None:
        return None if any(map(pairs_of, results.methods.values())) else missing

    def numbers(results: Results) -> pd.DataFrame:
        return pairs_frame(results, pairs_of)

    register_output(Output(name, about=about, numbers=numbers, text=text, draw=draw, lacks=lacks))


def pairs_text(results: Results, frame: pd.DataFrame, corrected: str, file: str, *remarks: str) -> str:
    """Write a table for each backbone: a row for each pair, the metrics of the longest list beside each other.

    Args:
        results: the comparison.
        frame: its tests, of :func:`pairs_frame`.
        corrected: which p-values are corrected, in words that follow upon `Of 42 p-values` as they stand.
        file: the file that has all of them.
        remarks: more sentences to stand below the tables.
    """
    several = frame["p"].notna().any()
    tested_metrics = set(frame["metric"])
    longest = [metric for metric in results.longest_metrics if metric in tested_metrics]
    tables = []
    for backbone, part in frame.groupby("backbone", sort=False):
        rows = []
        for (method, against), found in part.groupby(["method", "against"], sort=False):
            of_metric = found.set_index("metric")
            cells = [tested(of_metric.loc[metric]) for metric in longest]
            rows.append([f"{title(backbone, method)} - {title(backbone, against)}", *cells])
        tables.append(as_markdown(rows, [f"over {backbone}", *map(title_of, longest)]))
    said = ["Differences of the means, with 95% intervals" + (" and p-values" if several else " over users") + "."]
    return "\n\n".join([*tables, " ".join([*said, *left_once_corrected(frame, corrected, file), *remarks])]) + "\n"


def left_once_corrected(frame: pd.DataFrame, corrected: str, file: str) -> list[str]:
    """Say in a sentence how many p-values are below 0.05 once corrected; none where there is no p-value."""
    left = frame["p_holm"].dropna()
    if left.empty:
        return []
    if (frame["p"].notna() & frame["p_holm"].isna()).any():
        corrected += " and without those of other seeds"
    n_below = (left < 0.05).sum()
    verb = "is" if n_below == 1 else "are"
    return [f"Of {len(left)} p-values{corrected}, {n_below} {verb} below 0.05 once corrected by Holm ({file})."]


def tested(row: pd.Series) -> str:
    """Write a difference with its interval and p-value, as far as they are known."""
    interval = "" if np.isnan(row["low"]) else f" [{row['low']:+.4f}, {row['high']:+.4f}]"
    p = "p < 0.001" if row["p"] < 0.001 else f"p {p_in_words(row['p'], 3)}"
    return f"{row['difference']:+.4f}{interval}" + ("" if np.isnan(row["p"]) else f" {p}")
