"""Tests every method against its backbone, so that an average of two models can be judged as DecRS is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.outputs.controls import AGAIN
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.text import about_intervals, tables_of_pairs
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import holm, paired_difference


def against_backbone_frame(results: Results) -> pd.DataFrame:
    """Test each method against the backbone of the same seed; lists are no methods, and take no part.

    Returns:
        A row for each backbone, method and metric: ``backbone``, ``method``, ``against`` (the backbone), ``metric``,
        ``difference``, its 95% interval ``low`` and ``high``, ``p``, and ``p_holm``, corrected over all p-values but
        those of the backbone with other seeds (A/A), which has NaN.

    Raises:
        DecRSError: two methods were measured on different users.
    """
    rows = []
    for backbone, names in results.methods.items():
        for method in (name for name in names if name != "backbone" and "backbone" in names):
            for metric in results.metrics:
                _, pairs = differences_by_user(results, backbone, method, "backbone", metric)
                if len(pairs):
                    rows.append([backbone, method, "backbone", metric, *paired_difference(pairs)[:4]])
    columns = ["backbone", "method", "against", "metric", "difference", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["p_holm"] = np.nan
    other = frame["method"] != AGAIN
    frame.loc[other, "p_holm"] = holm(frame.loc[other, "p"].tolist())
    return frame


def against_backbone_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone, and which differences are left once corrected."""
    remarks = [about_intervals(results)]
    corrected = frame.dropna(subset="p_holm")
    if len(corrected):
        below = (corrected["p_holm"] < 0.05).sum()
        remarks.append(
            f"Of {len(corrected)} p-values, over all metrics and without those of other seeds, {below} "
            f"{'is' if below == 1 else 'are'} below 0.05 once corrected by Holm (against-backbone.csv)."
        )
    return "\n\n".join([*tables_of_pairs(results, frame), " ".join(remarks)]) + "\n"


def _no_pair(results: Results) -> str | None:
    if any("backbone" in names and len(names) > 1 for names in results.methods.values()):
        return None
    return "it holds methods against their backbone, and no backbone has one beside it"


register_output(
    Output(
        "against-backbone",
        about="tests of every method against its backbone",
        numbers=against_backbone_frame,
        text=against_backbone_text,
        lacks=_no_pair,
    )
)
