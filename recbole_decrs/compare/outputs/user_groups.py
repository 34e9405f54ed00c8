"""Compares methods within the groups of users of the key ``user_groups``, where these are not those by drift."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.text import intervals_by_themselves
from recbole_decrs.compare.paired import differences_by_user, means_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import paired_difference
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown

SHOWN = ("decrs", "ensemble", "ensemble_equal", "calibration", "intervention")
"""The methods that the text and the page set against the backbone, where they are there; the numbers have all."""


def user_groups_frame(results: Results) -> pd.DataFrame:
    """Measure every method within each group, and compare it with the backbone.

    Returns:
        A row for each backbone, metric of the longest list, method and group: the users, the mean over users and seeds,
        and the difference to the backbone with its 95% interval and p-value, which the backbone itself has not. Users
        without a value are left out, and so are metrics that have no value per user.
    """
    rows = []
    for backbone, names in results.methods.items():
        for metric in results.longest_metrics:
            for name in names:
                users, differences = differences_by_user(results, backbone, name, "backbone", metric)
                if not len(differences):
                    continue
                means = means_by_user(results, backbone, name, metric)
                for group, members in results.user_groups:
                    inside = members[users]
                    known = means[inside & ~np.isnan(means)]
                    found = [np.nan] * 4 if name == "backbone" else paired_difference(differences[:, inside])[:4]
                    if len(known):
                        about = [backbone, results.user_groups.title, group, metric, name, len(known), known.mean()]
                        rows.append([*about, *found])
    columns = ["backbone", "by", "group", "metric", "method", "users", "mean", "difference", "low", "high", "p"]
    return pd.DataFrame(rows, columns=columns)


def user_groups_text(results: Results, frame: pd.DataFrame) -> str | None:
    """Write the means of the backbone, and what :data:`SHOWN` change in them; None where there is none of these."""
    parts = []
    for (backbone, metric), part in frame.groupby(["backbone", "metric"], sort=False):
        shown = [name for name in SHOWN if name in set(part["method"])]
        if not shown:
            continue
        rows = []
        for group, of_group in part.groupby("group", sort=False):
            by_method = of_group.set_index("method").to_dict("index")
            first = by_method.get("backbone")
            about = [str(first["users"]), f"{first['mean']:.4f}"] if first else ["0", ""]
            changes = [_change(**by_method[name]) if first and name in by_method else "" for name in shown]
            rows.append([group, *about, *changes])
        by = results.user_groups.title
        headers = [by, "users", backbone, *(f"{title(backbone, name)} - {backbone}" for name in shown)]
        parts.append(f"{title_of(metric)}, {backbone}, by {by}\n\n{as_markdown(rows, headers)}")
    parts.append(intervals_by_themselves(len(results.seeds)))
    return "\n\n".join(parts) + "\n" if len(parts) > 1 else None


def _change(difference: float, low: float, high: float, **_) -> str:
    return f"{difference:+.4f}" + ("" if np.isnan(low) else f" [{low:+.4f}, {high:+.4f}]")


def _lacks(results: Results) -> str | None:
    if results.user_groups is None:
        return "user_groups is drift, by which table4 and drift_bins part the users"
    return None


register_output(
    Output(
        "user_groups",
        about="every method within the groups of `user_groups`, where these are not by drift",
        numbers=user_groups_frame,
        text=user_groups_text,
        lacks=_lacks,
    )
)
