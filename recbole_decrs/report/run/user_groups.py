"""Tabulates and draws the metrics by group of users, as the key ``user_groups`` parts them."""

from __future__ import annotations

import math

import numpy as np

from recbole_decrs.evaluator.by_group import groups_shown, results_by_group
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.charts.forest import Difference, forest
from recbole_decrs.report.charts.svg import sample
from recbole_decrs.report.intervals import mean_over_users
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number
from recbole_decrs.report.run.finished import FinishedRun


def user_groups_section(run: FinishedRun) -> Section | None:
    """Tabulate every metric by group, and draw those of the longest lists; None where there are no groups or lists."""
    by_user = run.by_user
    if not by_user:
        return None
    drift = run.any_collected.get("data.user_drift")
    by, groups = groups_shown(drift, run.config["drift_thresholds"], run.part.user_groups)
    groups = {name: members for name, members in groups.items() if members[run.users].any()}
    if not groups:
        return None
    metrics = [metric for metric in next(iter(by_user.values())) if metric.endswith(f"@{run.length}")]
    text = (
        f"Users by {by}. In the drawings are means with 95% intervals over the users of a group, as above, each by "
        "itself: they are not corrected for their number."
    )
    figures = [_figure(run, groups, metric) for metric in metrics]
    return Section("Groups of users", [text], [_table(run, by, groups), *figures])


def _table(run: FinishedRun, by: str, groups: dict[str, np.ndarray]) -> Table:
    found = results_by_group(run.evaluator, run.collected, groups)
    metrics = list(next(iter(run.results.values())))
    rows = [
        [Cell(name), Cell(str(group["users"]), group["users"]), Cell(recommender, about=run.labels[recommender])]
        + [number(group[recommender][metric]) for metric in metrics]
        for name, group in found.items()
        for recommender in run.collected
    ]
    columns = [Column(by, is_number=False), Column("users"), Column("recommender", is_number=False)]
    return Table("Metrics by group of users", [*columns, *(Column(title_of(metric)) for metric in metrics)], rows)


def _figure(run: FinishedRun, groups: dict[str, np.ndarray], metric: str) -> Figure:
    """Draw the mean of each recommender in each group, and tabulate it with its interval."""
    lines, rows = [], []
    for name, members in groups.items():
        of_group = members[run.users]
        heading = f"{name} (n={len(np.unique(run.users[of_group]))})"
        for recommender, values in run.by_user.items():
            mean, low, high, n_users = mean_over_users(values[metric][of_group], run.users[of_group])
            label = run.labels[recommender]
            interval = Cell("–") if math.isnan(low) else Cell(f"{low:.4f} to {high:.4f}", low)
            ends = "" if math.isnan(low) else f", {interval.shown}"
            tip = f"{name}, {label}: {mean:.4f}{ends}, n={n_users}"
            lines.append(Difference(heading, recommender, run.style(recommender), mean, low, high, tip))
            rows.append([Cell(name), Cell(str(n_users), n_users), Cell(label), number(mean), interval])
    title = title_of(metric)
    about = f"{title} by group of users, with 95% intervals over those of the n users for whom it is known."
    legend = [(sample(run.style(name), has_line=False), run.labels[name]) for name in run.by_user]
    columns = [Column("group", is_number=False), Column("users"), Column("recommender", is_number=False)]
    numbers = Table("Means over the users of a group", [*columns, Column("mean"), Column("interval")], rows)
    return Figure(f"{title} by group", about, forest(lines, title, about, has_zero=False), legend, numbers)
