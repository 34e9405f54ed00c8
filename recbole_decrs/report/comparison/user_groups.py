"""Draws what methods change within the groups of users of the key ``user_groups``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import title
from recbole_decrs.compare.outputs.user_groups import SHOWN
from recbole_decrs.evaluator.report import is_better, title_of
from recbole_decrs.report.charts.forest import Difference, forest
from recbole_decrs.report.charts.svg import sample
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number

METRICS = ("recall", "ndcg", "ckl")


def user_groups_section(folder: Path) -> Section | None:
    """Draw the differences to the backbone within each group, as the output ``user_groups`` has them in numbers.

    Args:
        folder: that the tables of the comparison are in; None is returned where the output is not among them.
    """
    path = folder / "user_groups.csv"
    if not path.is_file():
        return None
    frame = pd.read_csv(path, dtype={"group": str}, keep_default_na=False, na_values=[""])
    frame = frame[frame["method"].isin(SHOWN) & frame["metric"].str.partition("@")[0].isin(METRICS)]
    figures = [
        _figure(backbone, metric, part)
        for (backbone, metric), part in frame.groupby(["backbone", "metric"], sort=False)
    ]
    if not figures:
        return None
    text = (
        f"Each user is in one group, by {frame['by'].iloc[0]} (user_groups). Lines: 95% intervals of the difference, "
        "each by itself, not corrected for their number."
    )
    return Section("Groups of users", [text], figures)


def _figure(backbone: str, metric: str, part: pd.DataFrame) -> Figure:
    """Draw how far methods are from the backbone in each group, and tabulate that."""
    styles = {name: style for style, name in enumerate(SHOWN, start=1) if name in set(part["method"])}
    lines, rows = [], []
    for group, of_group in part.groupby("group", sort=False):
        heading = f"{group} (n={of_group['users'].iloc[0]})"
        for one in of_group.itertuples():
            label = title(backbone, one.method)
            ends = "" if np.isnan(one.low) else f", {one.low:+.4f} to {one.high:+.4f}"
            tip = f"{group}, {label}: {one.difference:+.4f}{ends}"
            lines.append(Difference(heading, label, styles[one.method], one.difference, one.low, one.high, tip))
            cells = [number(one.mean), number(one.difference, sign=True), number(one.low, sign=True)]
            rows.append([Cell(group), Cell(label), *cells, number(one.high, sign=True)])
    shown = title_of(metric)
    better = "below 0 is better" if is_better(metric, -0.5) else "above 0 is better"
    about = f"{shown} minus that of {backbone}, by group of users; {better}. n counts the users of a group."
    columns = [Column("group", is_number=False), Column("method", is_number=False), Column("mean")]
    columns += [Column("difference"), Column("from"), Column("to")]
    legend = [(sample(style, has_line=False), title(backbone, name)) for name, style in styles.items()]
    drawing = forest(lines, f"{shown} minus {backbone}'s", about)
    return Figure(f"{shown} over {backbone}", about, drawing, legend, Table(f"{shown} by group", columns, rows))
