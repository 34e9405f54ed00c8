"""Tests DecRS against each of its controls, and beside them one set of seeds of the backbone against another (A/A)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.text import about_intervals, tables_of_pairs
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import holm, paired_difference

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
    """Write a table for each backbone, and how many differences are left once corrected."""
    remarks = [about_intervals(results)]
    if len(results.seeds) > 1:
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
    return "\n\n".join([*tables_of_pairs(results, frame), " ".join(remarks)]) + "\n"


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
