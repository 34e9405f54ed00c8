"""Draws the curves of training: loss and validation by epoch with the epoch chosen, and validation by alpha."""

from __future__ import annotations

from recbole_decrs.curves import SCORE, chosen_epoch
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.charts.lines import Flag, Line, legend_of, line_chart
from recbole_decrs.report.parts import Cell, Column, Figure, Section, Table, number
from recbole_decrs.report.run.finished import Curve, FinishedRun

LOSS = "Loss/Train"


def learning_section(run: FinishedRun) -> Section | None:
    """Draw the curves of each half, and that of alpha where it was chosen; None where no curve is known."""
    figures = []
    for name, curve in run.curves.items():
        if any(name.startswith(LOSS) for name in curve):
            figures.append(_losses(run, name, curve))
        if curve.get(SCORE):
            figures.append(_scores(run, name, curve))
    if run.alpha_scores:
        figures.append(_alphas(run))
    if not figures:
        return None
    text = []
    if run.alpha is not None and not run.alpha_scores:
        is_auto = run.config["drift_alpha"] == "auto"
        why = ": drift_alpha_grid has no other" if is_auto else "; --drift_alpha=auto does, and draws that curve"
        text.append(f"alpha is {run.alpha:g}, and was not chosen on validation{why}.")
    return Section("Training", text, figures)


def _scores(run: FinishedRun, name: str, curve: Curve) -> Figure:
    points = curve[SCORE]
    n_trained = 1 + int(max(epoch for part in curve.values() for epoch, _ in part))
    metric, epoch = (
        title_of(run.config["valid_metric"].lower()),
        chosen_epoch(points, run.config["valid_metric_bigger"]),
    )
    line = _line(run, name, points)
    about = f"{metric} on validation by epoch; epoch {epoch} was chosen, of {n_trained} trained."
    drawing = line_chart([line], ("epoch", f"{metric} on validation"), about, [Flag(line.style, epoch)])
    return Figure(
        f"{_named(run, name)}: validation",
        about,
        drawing,
        numbers=_table(f"{metric} by epoch", "epoch", metric, points),
    )


def _losses(run: FinishedRun, name: str, curve: Curve) -> Figure:
    losses = {key: points for key, points in curve.items() if key.startswith(LOSS)}
    lines = [
        Line(key.replace(LOSS, "loss "), run.style(name) + number, *_sides(points))
        for number, (key, points) in enumerate(losses.items())
    ]
    points = next(iter(losses.values()))
    about = f"Training loss by epoch, from {points[0][1]:.4g} to {points[-1][1]:.4g}."
    drawing = line_chart(lines, ("epoch", "training loss"), about)
    legend = legend_of(lines) if len(lines) > 1 else ()
    return Figure(
        f"{_named(run, name)}: loss", about, drawing, legend, _table("Loss by epoch", "epoch", "loss", points)
    )


def _alphas(run: FinishedRun) -> Figure:
    metric = title_of(run.config["valid_metric"].lower())
    places = {float(place): f"{alpha:g}" for place, (alpha, _) in enumerate(run.alpha_scores)}
    scores = [score for _, score in run.alpha_scores]
    line = Line("fused", 2, list(places), scores)  # candidates side by side: they are at no even distances
    chosen = next(place for place, name in places.items() if name == f"{run.alpha:g}")
    about = f"{metric} on validation by alpha of Eq. 12; alpha {run.alpha:g} was chosen."
    drawing = line_chart([line], ("alpha", f"{metric} on validation"), about, [Flag(2, chosen)], x_names=places)
    table = _table(f"{metric} by alpha", "alpha", metric, run.alpha_scores)
    return Figure("The choice of alpha", about, drawing, numbers=table)


def _named(run: FinishedRun, name: str) -> str:
    return run.labels.get(name, name)


def _line(run: FinishedRun, name: str, points: list[list[float]]) -> Line:
    return Line(_named(run, name), run.style(name), *_sides(points))


def _sides(points: list[list[float]]) -> tuple[list[float], list[float]]:
    return [float(one) for one, _ in points], [float(other) for _, other in points]


def _table(title: str, x: str, y: str, points: list[list[float]]) -> Table:
    rows = [[Cell(f"{one:g}", one), number(other, 6)] for one, other in points]
    return Table(title, [Column(x), Column(y)], rows)
