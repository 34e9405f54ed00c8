"""Makes the first section of the page of a run: its result, and whether the difference is more than chance."""

from __future__ import annotations

import math

from recbole_decrs.counts import counted
from recbole_decrs.evaluator.report import improvement, is_better, title_of
from recbole_decrs.report.intervals import Interval, mean_over_users
from recbole_decrs.report.parts import Cell, Column, Section, Table, number
from recbole_decrs.report.run.finished import FinishedRun

INTERVALS = (
    "Below each mean is its 95% interval over users, by the normal approximation: where the mean of other users of the "
    "same kind may lie. A difference is paired, each user with themselves. Intervals speak of users alone: another "
    "seed trains another model, so repeat with --seed=1, --seed=2, ... before you believe a difference."
)


def result_section(run: FinishedRun) -> Section:
    """Tabulate each recommender's metrics with their intervals, and the difference."""
    metrics = list(next(iter(run.results.values())))
    by_user, rows = run.by_user, []
    for name, result in run.results.items():
        values = by_user.get(name, {})
        cells = [_mean(result[metric], _interval(run, values.get(metric))) for metric in metrics]
        rows.append([Cell(run.labels[name]), *cells])
    text = [INTERVALS] if by_user else []
    if run.compared and by_user:
        before, after = run.compared
        differences = {
            metric: mean_over_users(by_user[after][metric] - by_user[before][metric], run.users)
            for metric in metrics
            if metric in by_user[before]
        }
        rows.append([Cell("difference"), *(_difference(run, metric, differences.get(metric)) for metric in metrics)])
        text = [_in_words(run, differences), *text]
    columns = [Column("recommender", is_number=False), *(Column(title_of(metric)) for metric in metrics)]
    return Section("Result", text, [Table("Metrics on test", columns, rows)])


def _interval(run: FinishedRun, values) -> Interval | None:
    return None if values is None else mean_over_users(values, run.users)


def _mean(value: float, interval: Interval | None) -> Cell:
    if interval is None or math.isnan(interval.low):
        return number(value)
    return Cell(f"{value:.4f}\n{interval.low:.4f} to {interval.high:.4f}", value)


def _difference(run: FinishedRun, metric: str, interval: Interval | None) -> Cell:
    if interval is None or math.isnan(interval.low):
        return Cell("–")
    before, after = (run.results[name][metric] for name in run.compared)
    change = improvement(metric, before, after)
    better = "" if math.isnan(change) else f" ({change:+.2f}%)"
    return Cell(
        f"{interval.mean:+.4f}{better}\n{interval.low:+.4f} to {interval.high:+.4f}",
        interval.mean,
        about="in percent: positive where better",
    )


def _in_words(run: FinishedRun, differences: dict[str, Interval]) -> str:
    """Say which differences have an interval without 0."""
    before, after = (run.labels[name] for name in run.compared)
    differences = {metric: interval for metric, interval in differences.items() if not math.isnan(interval.low)}
    if not differences:
        return f"Whether {after} and {before} differ by more than chance cannot be told of so few users."
    better, worse = [], []
    for metric, interval in differences.items():
        if interval.low > 0 or interval.high < 0:
            (better if is_better(metric, interval.mean) else worse).append(title_of(metric))
    told = [f"{word} in {', '.join(names)}" for word, names in (("better", better), ("worse", worse)) if names]
    if not told:
        return f"{after} and {before} do not differ by more than chance of users in any metric."
    others = len(differences) - len(better) - len(worse)
    rest = f"; of {counted(others, 'metric')} the interval has 0 in it" if others else ""
    return f"{after} is {' and '.join(told)} than {before} by more than chance of users{rest}."
