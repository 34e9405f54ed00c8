"""Draws the figures of the page: differences with their intervals, and the trade-off of accuracy and bias."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.paired import differences_by_user
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import p_in_words, paired_difference
from recbole_decrs.evaluator.report import improvement, title_of
from recbole_decrs.report.charts.forest import Difference, forest
from recbole_decrs.report.charts.scatter import Point, legend_of, scatter
from recbole_decrs.report.charts.svg import sample
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number

FAR_BEHIND = 0.8
"""Methods with less than this share of the best Recall are left out of the close-up."""


def forest_figures(results: Results, tests: pd.DataFrame) -> list[Figure]:
    """Draw the differences of DecRS to its opponents in percent of theirs, positive where DecRS is better.

    Each metric has a figure of its own, since differences of C_KL may be a hundred times those of Recall.
    """
    figures = []
    for (backbone, metric), rows in tests.groupby(["backbone", "metric"], sort=False):
        lines, styles = [], {}
        for row in rows.itertuples():
            other = results.lists.get(row.method)
            before = other.info["test"][row.metric] if other else results.mean(backbone, row.method, row.metric)
            percent = [improvement(row.metric, before, before + value) for value in (row.difference, row.low, row.high)]
            low, high = sorted(percent[1:])
            name = title(backbone, row.method)
            tip = f"{title_of(row.metric)} against {name}: {percent[0]:+.2f}%, {low:+.2f}% to {high:+.2f}%"
            tip += "" if np.isnan(row.p_holm) else f", p (Holm) {p_in_words(row.p_holm, 3)}"
            style = styles.setdefault(name, len(styles))
            lines.append(Difference(title_of(row.metric), f"against {name}", style, percent[0], low, high, tip))
        about = "Differences of DecRS in percent, with 95% intervals over users" + (
            " and seeds" if len(results.seeds) > 1 else " alone, with one seed"
        )
        about += "; right of the line DecRS is better."
        drawing = forest(lines, "DecRS against others, %", about)
        legend = [(sample(style, has_line=False), f"against {name}") for name, style in styles.items()]
        figures.append(Figure(f"{title_of(metric)} of DecRS over {backbone}", about, drawing, legend))
    return figures


def trade_off_section(results: Results) -> Section | None:
    """Draw Recall against C_KL for each backbone, close to the models and whole; None where one is not measured."""
    bias, accuracy = (f"{name}@{results.longest_list}" for name in ("ckl", "recall"))
    if not {accuracy, bias} <= set(results.metrics):
        return None
    figures = []
    for backbone in results.methods:
        points = _points(results, backbone, bias, accuracy)
        near = [point for point in points if point.y > FAR_BEHIND * max(one.y for one in points)]
        for shown, what in ((near, "close-up"), (points, "all")):
            if what == "all" and len(near) == len(points):
                continue
            about = (
                f"{title_of(accuracy)} against {title_of(bias)} of {len(shown)} methods over {backbone}; up and left "
                "is better. Crosses: 95% interval of the difference to the backbone. Re-rankers: a spot for each "
                "weight, from the backbone on."
            )
            titles = f"{title_of(bias)}, smaller is better", title_of(accuracy)
            numbers = _numbers(shown, title_of(bias), title_of(accuracy))
            name = f"Trade-off over {backbone}, {what}"
            figures.append(Figure(name, about, scatter(shown, titles, about), legend_of(shown), numbers, is_wide=True))
    return Section("Accuracy against bias", (), figures)


def _points(results: Results, backbone: str, bias: str, accuracy: str) -> list[Point]:
    start = tuple(results.mean(backbone, "backbone", metric) for metric in (bias, accuracy))
    points = []
    for style, name in enumerate(results.methods[backbone]):
        x, y = (results.mean(backbone, name, metric) for metric in (bias, accuracy))
        ends = [_ends(results, backbone, name, metric, mean) for metric, mean in ((bias, x), (accuracy, y))]
        curves = [outcome.info.get("curve", []) for outcome in results.all_seeds(backbone, name)]
        curve = []
        for of_seeds in zip(*curves, strict=True):
            place = [float(np.mean([metrics[metric] for _, metrics in of_seeds])) for metric in (bias, accuracy)]
            parameter = METHODS[name].parameter or "weight"
            curve.append((*place, f"{title(backbone, name)}: {parameter} {of_seeds[0][0]:g}"))
        if curve:
            curve.insert(0, (*start, f"{title(backbone, 'backbone')}, not re-ranked"))
        points.append(Point(title(backbone, name), style, x, y, *ends, curve))
    for style, (name, outcome) in enumerate(results.lists.items(), start=len(points)):
        points.append(Point(name, style, outcome.info["test"][bias], outcome.info["test"][accuracy]))
    return points


def _ends(results: Results, backbone: str, name: str, metric: str, mean: float) -> tuple[float, float] | None:
    """Give the interval of a method's difference to the backbone, laid around its mean."""
    if name == "backbone":
        return None
    _, found = differences_by_user(results, backbone, name, "backbone", metric)
    if not len(found):
        return None
    difference = paired_difference(found)
    if np.isnan(difference.low):
        return None
    return mean + difference.low - difference.mean, mean + difference.high - difference.mean


def _numbers(points: list[Point], bias: str, accuracy: str) -> Table:
    """Tabulate the points with their intervals, and below them the curves of the re-rankers."""
    rows = [[Cell(one.label), number(one.y), _span(one.y_ends), number(one.x), _span(one.x_ends)] for one in points]
    none = Cell("–")
    rows += [[Cell(told), number(y), none, number(x), none] for one in points for x, y, told in one.curve[1:]]
    columns = [Column(accuracy), Column("interval"), Column(bias), Column("interval")]
    return Table("Means over the seeds", [Column("method", is_number=False), *columns], rows)


def _span(ends: tuple[float, float] | None) -> Cell:
    return Cell("–") if ends is None else Cell(f"{ends[0]:.4f} to {ends[1]:.4f}", ends[0])
