"""Shows the distributions over users: drift, the weights of fusion, and C_KL."""

from __future__ import annotations

import numpy as np

from recbole_decrs.causal.calibration import calibration_kl
from recbole_decrs.report.charts.histogram import counts_in_bins, histogram
from recbole_decrs.report.charts.lines import Line, legend_of, line_chart
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number
from recbole_decrs.report.run.finished import FinishedRun

QUANTILES = np.linspace(0, 1, 101)
"""The parts of the users at which an ECDF is drawn, so that its size does not depend on their number."""


def distributions_section(run: FinishedRun) -> Section | None:
    """Draw the distributions that are known of the evaluated users; None where none is."""
    users, figures = np.unique(run.users) if run.has_lists else np.empty(0, int), []
    drift = None if run.confounder is None else run.confounder.drift
    if drift is not None and len(users):
        figures.append(_histogram("Drift of the users", "eta_u (Eq. 10)", drift[users]))
    if run.weight is not None and len(users):
        told = "weight of the deconfounded scores (Eq. 11)"
        figures.append(_histogram("Weights of the users in fusion", told, run.weight[users]))
    if run.confounder is not None and (run.confounder.n_clicks[users] > 0).any():
        figures.append(_ecdf(run))
    return Section("Distributions over users", (), figures) if figures else None


def _histogram(title: str, of: str, values: np.ndarray) -> Figure:
    counts, bounds = counts_in_bins(values)
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    about = f"{of} of {len(values)} users: median {middle:.3g}, a tenth at most {low:.3g}, a tenth at least {high:.3g}."
    rows = [
        [Cell(f"{left:.4g} to {right:.4g}", float(left)), Cell(str(count), float(count))]
        for left, right, count in zip(bounds[:-1], bounds[1:], counts, strict=True)
    ]
    table = Table(title, [Column(of), Column("users")], rows)
    return Figure(title, about, histogram(counts, bounds, (of, "users"), about), numbers=table)


def _ecdf(run: FinishedRun) -> Figure:
    """Draw for each recommender the part of the lists whose C_KL is at most a value."""
    known = run.confounder.n_clicks[run.users] > 0
    history = run.confounder.sparse_user_distribution[run.users[known]]
    quantiles = {
        name: np.quantile(calibration_kl(history, run.groups_of_lists(name)[known]), QUANTILES)
        for name in run.collected
    }
    lines = [
        Line(run.labels[name], run.style(name), values.tolist(), QUANTILES.tolist(), is_step=True)
        for name, values in quantiles.items()
    ]
    medians = "; ".join(f"{run.labels[name]} {values[50]:.3f}" for name, values in quantiles.items())
    about = (
        f"Part of the {int(known.sum())} lists of {run.length} with a C_KL of at most the value below; further left is "
        f"better. Medians: {medians}."
    )
    drawing = line_chart(lines, (f"C_KL of the top {run.length}", "part of the lists"), about, zero=True)
    rows = [
        [
            Cell(f"{QUANTILES[place]:.0%}", float(place)),
            *(number(float(values[place])) for values in quantiles.values()),
        ]
        for place in range(0, 101, 10)
    ]
    table = Table("Quantiles of C_KL", [Column("part"), *(Column(run.labels[name]) for name in quantiles)], rows)
    return Figure("C_KL of the lists (ECDF)", about, drawing, legend_of(lines), table)
