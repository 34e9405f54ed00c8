"""Shows who gains: users parted by drift, by history length, by drift at like length, and by drift beyond chance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.text import intervals_by_themselves
from recbole_decrs.compare.paired import differences_by_user, means_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import LEVEL, paired_difference
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown

LIKE, THIRDS = 10, ("low", "middle", "high")
"""Groups of like history length, within each of which users are parted by drift into thirds."""
SPLITS = {
    "eta": "drift eta_u",
    "clicks": "history length, in quarters of the users",
    "eta at like length": f"drift among users of like history length (thirds within each of {LIKE} lengths)",
    "beyond chance": (
        f"drift beyond chance (p < {LEVEL:g} against the user's clicks in random orders, as {LEVEL:.0%} have by chance)"
    ),
}
"""The ways in which users are parted, and what they are."""
PAIRS = (
    ("decrs", "backbone"),
    ("ensemble", "backbone"),
    ("decrs", "ensemble"),
    ("ensemble_equal", "backbone"),
    ("decrs", "ensemble_equal"),
)
"""The gains: of DecRS, of two conventional models fused in the same way or half and half, and of the one over these."""


def groups_of(drifts: pd.DataFrame, thresholds: list[float]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Part users in each of the :data:`SPLITS`: its name, that of the group, and the group's rows.

    Args:
        drifts: see :func:`~recbole_decrs.compare.drifts.drifts_of`; of the test users alone.
        thresholds: of eta_u, between which its groups lie.
    """
    edges = [-np.inf, *sorted(thresholds), np.inf]
    for low, high in pairwise(edges):
        name = "all" if high - low == np.inf and not thresholds else f"at most {high:g}"
        if low > -np.inf:
            name = f"over {low:g}" + (f" to {high:g}" if high < np.inf else "")
        yield "eta", name, drifts[(drifts["eta"] > low) & (drifts["eta"] <= high)]
    quartiles = np.unique(np.quantile(drifts["clicks"], [0.25, 0.5, 0.75])) if len(drifts) else []
    for _, part in drifts.groupby(np.searchsorted(quartiles, drifts["clicks"])):
        fewest, most = part["clicks"].min(), part["clicks"].max()
        yield "clicks", f"{fewest:g}" + (f" to {most:g}" if most > fewest else ""), part
    by_length = [_parts(part, "eta", len(THIRDS)) for part in _parts(drifts, "clicks", LIKE)]
    for name, third in zip(THIRDS, zip(*by_length, strict=True), strict=True):
        yield "eta at like length", name, pd.concat(third)
    beyond = drifts["p"] < LEVEL
    yield "beyond chance", "no", drifts[~beyond]
    yield "beyond chance", "yes", drifts[beyond]


def _parts(drifts: pd.DataFrame, column: str, number: int) -> list[pd.DataFrame]:
    """Part users into so many groups of about the same size, from low values of a column to high ones."""
    in_order = drifts.sort_values(column, kind="stable")
    return [in_order.iloc[places] for places in np.array_split(np.arange(len(in_order)), number)]


def drift_bins_frame(results: Results) -> pd.DataFrame:
    """Compare every method with the backbone, and the other :data:`PAIRS`, within each group of users.

    Returns:
        A row for each backbone, group, metric of the longest list and pair of methods: users, their mean clicks and
        eta_u, the mean of the method that is compared with, the difference with its 95% interval, and its p-value.
        Users for whom that method has no value are left out.
    """
    rows = []
    metrics = results.longest_metrics
    for backbone, names in results.methods.items():
        pairs = [(name, "backbone") for name in names if name != "backbone"]
        pairs += [pair for pair in PAIRS if pair[1] != "backbone" and set(pair) <= set(names)]
        for metric in metrics:
            for name, opponent in pairs:
                users, differences = differences_by_user(results, backbone, name, opponent, metric)
                if not len(differences):
                    continue
                of_opponent = means_by_user(results, backbone, opponent, metric)
                tested = results.drifts[results.drifts["user"].isin(users)]
                for split, group, part in groups_of(tested, results.thresholds):
                    if len(part):
                        places = np.searchsorted(users, part["user"])
                        known = part.assign(value=of_opponent[places]).dropna(subset=["value"])
                        about = [len(known), *known[["clicks", "eta", "value"]].mean()]
                        found = paired_difference(differences[:, places])[:4]
                        rows.append([backbone, split, group, metric, name, opponent, *about, *found])
    columns = ["backbone", "split", "group", "metric", "method", "against", "users", "clicks", "eta", "mean"]
    return pd.DataFrame(rows, columns=[*columns, "difference", "low", "high", "p"])


def drift_bins_text(results: Results, frame: pd.DataFrame) -> str | None:
    """Write who gains by the :data:`PAIRS` and by Intervention; None where no backbone has DecRS and two averaged."""
    with_both = frame.loc[frame["against"] != "backbone", "backbone"]
    frame = frame[frame["backbone"].isin(with_both)]
    if frame.empty:
        return None
    parts = []
    for (backbone, metric, split), part in frame.groupby(["backbone", "metric", "split"], sort=False):
        known = set(zip(part["method"], part["against"], strict=True))
        pairs = [pair for pair in (*PAIRS, ("intervention", "backbone")) if pair in known]
        rows = []
        for group, of_group in part.groupby("group", sort=False):
            by_pair = of_group.set_index(["method", "against"]).to_dict("index")
            first = by_pair["decrs", "backbone"]
            about = {"users": ".0f", "clicks": ".0f", "eta": ".2f", "mean": ".4f"}
            cells = [group, *("" if np.isnan(first[name]) else f"{first[name]:{form}}" for name, form in about.items())]
            for pair in pairs:
                one = by_pair[pair]
                ends = "" if np.isnan(one["low"]) else f" [{one['low']:+.4f}, {one['high']:+.4f}]"
                cells.append("" if np.isnan(one["difference"]) else f"{one['difference']:+.4f}{ends}")
            rows.append(cells)
        headers = ["users", "n", "clicks", "eta_u", backbone]
        headers += [f"{title(backbone, name)} - {title(backbone, against)}" for name, against in pairs]
        parts.append(f"{title_of(metric)}, {backbone}, by {SPLITS[split]}\n\n{as_markdown(rows, headers)}")
    parts.append(intervals_by_themselves(len(results.seeds)))
    return "\n\n".join(parts) + "\n"


register_output(
    Output(
        "drift_bins",
        about="who gains: by drift in disjoint groups, history length, drift at like length, drift beyond chance",
        numbers=drift_bins_frame,
        text=drift_bins_text,
        lacks=lambda results: results.why_no_drifts,
    )
)
