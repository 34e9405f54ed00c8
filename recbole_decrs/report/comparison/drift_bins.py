"""Metrics over users of more and more drift, in bins that have no user in common."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.results import Outcome, Results
from recbole_decrs.compare.significance import Difference, paired_difference
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.charts.lines import Line, legend_of, line_chart
from recbole_decrs.report.comparison.verdict import is_better
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number

SHOWN = ("backbone", "decrs", "ensemble", "calibration")
"""The methods that are drawn, where they are there."""
METRICS = ("recall", "ndcg", "ckl")
FEWEST_USERS = 10
"""Bins of fewer users are in the table of numbers, and are not drawn."""


def drift_section(results: Results) -> Section | None:
    """Draw the metrics by bin of drift for each backbone; None where no drift is known."""
    if not results.thresholds:
        return None
    figures = [
        _figure(results, backbone, metric)
        for backbone, names in results.methods.items()
        if "decrs" in names and all("drift" in one.by_user for one in results.all_seeds(backbone, "decrs"))
        for metric in (f"{name}@{results.longest_list}" for name in METRICS)
        if metric in results.metrics
    ]
    over = "users and seeds" if len(results.seeds) > 1 else "users alone, with one seed"
    text = [f"Each user is in one bin, by eta_u (Eq. 10). Bands: 95% intervals of the difference, over {over}."]
    if not figures:
        text = [
            "The pieces do not say how much users drift: they are of an older version. The compare command adds it."
        ]
    return Section("Users by drift", text, figures)


def bins_of(drift: np.ndarray, thresholds: list[float]) -> np.ndarray:
    """Number the bins of users: bin b has those above b thresholds; a drift on a threshold is not above it.

    Args:
        drift: eta_u, shape [n_users].
        thresholds: shape [B - 1], rising.

    Returns:
        The bins, 0 to B - 1, shape [n_users].
    """
    return np.searchsorted(np.asarray(thresholds), drift, side="left")


def names_of_bins(thresholds: list[float]) -> list[str]:
    """Name the bins: at most the first threshold, between two of them, above the last."""
    between = [f"{low:g}–{high:g}" for low, high in pairwise(thresholds)]
    return [f"≤ {thresholds[0]:g}", *between, f"> {thresholds[-1]:g}"]


def _figure(results: Results, backbone: str, metric: str) -> Figure:
    """Draw how far methods are from the backbone in each bin, and tabulate their means."""
    thresholds = sorted(results.thresholds)
    outcomes = {name: results.all_seeds(backbone, name) for name in SHOWN if name in results.methods[backbone]}
    first = outcomes["backbone"][0].by_user
    bins = bins_of(first["drift"], thresholds)
    counts = np.bincount(bins, minlength=len(thresholds) + 1)
    names = [f"{name} n={count}" for name, count in zip(names_of_bins(thresholds), counts, strict=True)]
    drawn = [place for place, count in enumerate(counts) if count >= FEWEST_USERS]
    values = {name: _values(of_seeds, metric, first["users"]) for name, of_seeds in outcomes.items()}
    rows = [[Cell(name)] for name, count in zip(names, counts, strict=True) if count]
    lines = []
    for style, (name, of_method) in enumerate(values.items()):
        for row, place in zip(rows, np.flatnonzero(counts), strict=True):
            row.append(number(paired_difference(of_method[:, bins == place]).mean))
        if name == "backbone":
            continue
        found = {place: paired_difference((of_method - values["backbone"])[:, bins == place]) for place in drawn}
        for row, place in zip(rows, np.flatnonzero(counts), strict=True):
            row.append(_interval(found.get(place)))
        means, low, high = ([getattr(one, end) for one in found.values()] for end in ("mean", "low", "high"))
        lines.append(Line(title(backbone, name), style, list(map(float, range(len(drawn)))), means, low, high))
    known = title_of(metric)
    better = "below 0 is better" if is_better(metric, -0.5) else "above 0 is better"
    about = f"{known} minus that of {backbone}, by drift; {better}. n counts the users of a bin."
    x_names = {float(x): names[place] for x, place in enumerate(drawn)}
    drawing = line_chart(lines, ("drift eta_u", f"{known} minus {backbone}'s"), about, zero=True, x_names=x_names)
    columns = [Column("eta_u", is_number=False), Column(backbone)]
    columns += [Column(text) for line in lines for text in (line.label, f"minus {backbone}")]
    return Figure(
        f"{known} over {backbone}", about, drawing, legend_of(lines), Table(f"{known} by drift", columns, rows)
    )


def _interval(difference: Difference | None) -> Cell:
    if difference is None or np.isnan(difference.low):
        return Cell("–")
    return Cell(f"{difference.mean:+.4f}\n{difference.low:+.4f} to {difference.high:+.4f}", difference.mean)


def _values(outcomes: list[Outcome], metric: str, users: np.ndarray) -> np.ndarray:
    """Give a metric of users in the same order for all seeds, shape [n_seeds, n_users]."""
    rows = []
    for outcome in outcomes:
        order = np.argsort(outcome.by_user["users"], kind="stable")
        rows.append(outcome.by_user[metric][order][np.argsort(np.argsort(users, kind="stable"), kind="stable")])
    return np.array(rows)
