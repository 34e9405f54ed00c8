"""Holds each method against whole curves of re-rankers: C_KL at its Recall or more, Recall at its C_KL or less."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.outputs.tradeoff import trade_off_points
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown


def best_beyond(curve: np.ndarray, least: float) -> float:
    """Find the highest y of a curve where its x is at least so much.

    Args:
        curve: points (x, y) that straight lines join in their order, shape [n, 2].
        least: the least x that counts.

    Returns:
        That y, on a point or between two; NaN where no x is so high.
    """
    found = [y for x, y in curve if x >= least]
    for (a, from_y), (b, to_y) in itertools.pairwise(curve):
        if min(a, b) < least <= max(a, b):
            found.append(from_y + (least - a) / (b - a) * (to_y - from_y))
    return max(found, default=np.nan)


def matched_frame(results: Results) -> pd.DataFrame:
    """Compute, for each method and each re-ranker over the same backbone, what the re-ranker reaches where they meet.

    The curve of a re-ranker are its means over the seeds by weight, from the backbone itself on; no weight is chosen.

    Returns:
        The columns ``backbone``, ``method``, the metrics Recall and C_KL of the longest list, ``reranker``, and for
        the re-ranker ``<C_KL> at its <Recall> or more`` and ``<Recall> at its <C_KL> or less``; NaN where its curve
        does not go so far.
    """
    points = trade_off_points(results)
    recall, ckl = points.columns[3:5]
    rows = []
    for backbone, part in points.groupby("backbone", sort=False):
        start = part[part["method"] == "backbone"]
        for reranker, curve in part[part["weight"].notna()].groupby("method", sort=False):
            curve = pd.concat([start, curve.sort_values("weight")])[[recall, ckl]].to_numpy()
            for _, one in part[part["weight"].isna()].iterrows():
                if one["method"] in METHODS and METHODS[one["method"]].reranker:
                    continue
                at_recall = -best_beyond(curve * [1, -1], one[recall])
                at_ckl = best_beyond(curve[:, ::-1] * [-1, 1], -one[ckl])
                rows.append([backbone, one["method"], one[recall], one[ckl], reranker, at_recall, at_ckl])
    reached = [f"{ckl} at its {recall} or more", f"{recall} at its {ckl} or less"]
    return pd.DataFrame(rows, columns=["backbone", "method", recall, ckl, "reranker", *reached])


def matched_text(results: Results, frame: pd.DataFrame) -> str:
    """Write a table for each backbone: its methods, and beside them each re-ranker at the same Recall or C_KL."""
    recall, ckl = frame.columns[2:4]
    texts = []
    for backbone, part in frame.groupby("backbone", sort=False):
        rerankers = list(dict.fromkeys(part["reranker"]))
        headers = [backbone, title_of(recall), title_of(ckl)]
        for reranker in rerankers:
            name = title(backbone, reranker)
            headers += [f"{name}: {title_of(ckl)} at this Recall or more", f"{title_of(recall)} at this C_KL or less"]
        rows = []
        for method, found in part.groupby("method", sort=False):
            row = [title(backbone, method), *(f"{value:.4f}" for value in found.iloc[0][[recall, ckl]])]
            for reranker in rerankers:
                (values,) = found[found["reranker"] == reranker].to_numpy()[:, -2:].tolist()
                row += ["not reached" if np.isnan(value) else f"{value:.4f}" for value in values]
            rows.append(row)
        texts.append(as_markdown(rows, headers))
    remark = (
        "Means over the seeds on test. A re-ranker's curve runs over all of its weights, from the backbone on, with "
        "straight lines between them. Of it counts the best point on test that has the method's Recall or more, or its "
        "C_KL or less: no weight is chosen on validation here, in favour of the re-ranker. `not reached`: no weight "
        "gives such a Recall, or so small a C_KL."
    )
    return "\n\n".join([*texts, remark]) + "\n"


def _no_curve(results: Results) -> str | None:
    for names in results.methods.values():
        others = [*results.lists, *(name for name in names[1:] if not METHODS[name].reranker)]
        if others and any(METHODS[name].reranker for name in names):
            return None
    return "it holds methods against the curves of re-rankers, and no backbone has both"


register_output(
    Output(
        "matched",
        about="each method against each re-ranker's whole curve: C_KL at its Recall, and Recall at its C_KL",
        numbers=matched_frame,
        text=matched_text,
        lacks=_no_curve,
    )
)
