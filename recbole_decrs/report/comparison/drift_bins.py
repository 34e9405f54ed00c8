"""Draws metrics over users of more and more drift, in bins that have no user in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.user_groups import SHOWN
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import is_better, title_of
from recbole_decrs.report.charts.lines import Line, legend_of, line_chart
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number

METRICS = ("recall", "ndcg", "ckl")
FEWEST_USERS = 10
"""Bins of fewer users are in the table of numbers, and are not drawn."""


def drift_section(results: Results, folder: Path) -> Section | None:
    """Draw the metrics by bin of drift for each backbone with DecRS, as the output ``drift_bins`` has them in numbers.

    Args:
        results: the results of the comparison.
        folder: that its tables are in.
    """
    path = folder / "drift_bins.csv"
    if not results.thresholds or not results.has("decrs"):
        return None
    figures = []
    if path.is_file():
        frame = pd.read_csv(path)
        frame = frame[(frame["split"] == "eta") & (frame["against"] == "backbone") & frame["method"].isin(SHOWN)]
        figures = [
            _figure(backbone, metric, part)
            for (backbone, metric), part in frame.groupby(["backbone", "metric"], sort=False)
            if metric.partition("@")[0] in METRICS and "decrs" in set(part["method"])
        ]
    over = "users and seeds" if len(results.seeds) > 1 else "users alone, with one seed"
    text = f"Each user is in one bin, by eta_u (Eq. 10). Bands: 95% intervals of the difference, over {over}."
    if not figures:
        text = (
            f"There is no {path.name} with DecRS in the folder: the tables are of an older version; the compare "
            "command, typed again, adds it."
        )
    return Section("Users by drift", [text], figures)


def _figure(backbone: str, metric: str, part: pd.DataFrame) -> Figure:
    """Draw how far methods are from the backbone in each bin, and tabulate their means."""
    known = [name for name in SHOWN if name in set(part["method"])]
    of_methods = {name: part[part["method"] == name].set_index("group") for name in known}
    bins = of_methods["decrs"]
    names = {group: f"{_short(group)}\nn={users}" for group, users in bins["users"].items()}
    drawn = [group for group, users in bins["users"].items() if users >= FEWEST_USERS]
    rows = [[Cell(names[group]), number(mean)] for group, mean in bins["mean"].items()]
    lines = []
    for style, (name, rows_of_method) in enumerate(of_methods.items(), start=1):
        for row, one in zip(rows, rows_of_method.itertuples(), strict=True):
            row += [number(one.mean + one.difference), _interval(one, is_known=one.Index in drawn)]
        ends = [rows_of_method.loc[drawn, column].tolist() for column in ("difference", "low", "high")]
        lines.append(Line(title(backbone, name), style, list(map(float, range(len(drawn)))), *ends))
    shown = title_of(metric)
    better = "below 0 is better" if is_better(metric, -0.5) else "above 0 is better"
    about = f"{shown} minus that of {backbone}, by drift; {better}. n counts the users of a bin."
    x_names = {float(x): names[group] for x, group in enumerate(drawn)}
    drawing = line_chart(lines, ("drift eta_u", f"{shown} minus {backbone}'s"), about, zero=True, x_names=x_names)
    columns = [Column("eta_u", is_number=False), Column(backbone)]
    columns += [Column(text) for line in lines for text in (line.label, f"minus {backbone}")]
    table = Table(f"{shown} by drift", columns, rows)
    return Figure(f"{shown} over {backbone}", about, drawing, legend_of(lines), table)


def _short(group: str) -> str:
    """Name a bin between two thresholds by these alone, as its place on the axis is narrow."""
    return group.removeprefix("over ") if " to " in group else group


def _interval(one, is_known: bool) -> Cell:
    if not is_known or np.isnan(one.low):
        return Cell("–")
    return Cell(f"{one.difference:+.4f}\n{one.low:+.4f} to {one.high:+.4f}", one.difference)
