"""Gives the verdict in words on DecRS over a backbone, by rule from the tests."""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.results import Results
from recbole_decrs.compare.significance import LEVEL, few_seeds
from recbole_decrs.evaluator.report import is_better, title_of
from recbole_decrs.report.parts import Section

AVERAGES = ("ensemble", "ensemble_constant", "ensemble_equal")
"""The controls that average two conventional models: deconfounding is the reason only where DecRS beats them."""


def verdict_section(results: Results, tests: pd.DataFrame, controls: pd.DataFrame) -> Section:
    """Say for each backbone what the tests show, and what few seeds cannot.

    Args:
        results: the results.
        tests: what :func:`~recbole_decrs.compare.outputs.table3_tests.differences_frame` gives of them.
        controls: the numbers of the output ``controls`` of them.
    """
    text = []
    for backbone in results.methods:
        of_backbone = tests[tests["backbone"] == backbone]
        if len(of_backbone):
            of_controls = controls[controls["backbone"] == backbone]
            text.append(headline(backbone, of_backbone, of_controls, len(results.seeds)))
            text.append(_details(results, backbone, of_backbone))
    if not text:
        text = ["DecRS was not among the methods, so nothing was tested."]
    warning = few_seeds(len(results.seeds))
    return Section("Verdict", [*text, *([warning] if warning and len(tests) else [])])


def headline(backbone: str, tests: pd.DataFrame, controls: pd.DataFrame, n_seeds: int) -> str:
    """Say in a sentence what the tests show of DecRS over one backbone.

    Better or worse is what has a p-value below 0.05 once corrected by Holm. Deconfounding is said to be the reason only
    where DecRS is also better than each average of two conventional models among the controls, and nowhere worse.

    Args:
        backbone: its name.
        tests: the rows of :func:`~recbole_decrs.compare.outputs.table3_tests.differences_frame` of this backbone.
        controls: those of the output ``controls``.
        n_seeds: the number of seeds.
    """
    if n_seeds == 1:
        return f"Over {backbone} there is no verdict: one seed tells nothing of training."
    if tests["p_holm"].isna().all():
        return f"Over {backbone} there is no verdict: of so few users nothing can be told."
    better, worse = significant(tests[tests["against"] == "backbone"])
    if better and worse:
        return (
            f"Over {backbone} DecRS trades: it is better in {_names(better)} and worse in {_names(worse)}, each by "
            "more than chance."
        )
    if worse:
        return f"DecRS is worse than {backbone} in {_names(worse)}, by more than chance."
    if not better:
        return f"No difference between DecRS and {backbone} is more than chance."
    said = f"DecRS is better than {backbone} in {_names(better)}, by more than chance"
    averages = controls[(controls["method"] == "decrs") & controls["against"].isin(AVERAGES)]
    if averages.empty:
        return f"{said}; without the control ensemble nothing tells if deconfounding is the reason."
    known = [name for name in AVERAGES if name in set(averages["against"])]
    found = [significant(averages[averages["against"] == name]) for name in known]
    beyond = [metric for metric in found[0][0] if all(metric in ahead for ahead, _ in found)]
    behind = [metric for metric in averages["metric"].unique() if any(metric in less for _, less in found)]
    names = "; ".join(title(backbone, name) for name in known)  # some have commas
    two = f"two {backbone}s averaged ({names}: controls.md)"
    if beyond and not behind:
        return f"{said}, and better than {two} in {_names(beyond)}."
    if beyond:
        return (
            f"{said}; against {two} it is better in {_names(beyond)} and worse in {_names(behind)}, so that the tests "
            "leave open if deconfounding is the reason."
        )
    worse = f" and worse in {_names(behind)}" if behind else ""
    return (
        f"{said}; but it is not better than {two}{worse}, so that the tests do not show deconfounding to be the reason."
    )


def significant(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """List the metrics in which DecRS is better, and those in which it is worse, by more than chance."""
    rows = rows[rows["p_holm"] < LEVEL]
    better = [row.metric for row in rows.itertuples() if is_better(row.metric, row.difference)]
    return better, [metric for metric in rows["metric"] if metric not in better]


def _details(results: Results, backbone: str, tests: pd.DataFrame) -> str:
    """Count against each opponent in how many metrics DecRS is ahead, and in how many by more than chance."""
    sentences = []
    for (against, name), rows in tests.groupby(["against", "method"], sort=False):
        ahead = sum(is_better(row.metric, row.difference) for row in rows.itertuples())
        said = f"Against {title(backbone, name)}" + (
            " (the best competitor on validation)" if "best" in against else ""
        )
        said += f" DecRS is ahead in {ahead} of {len(rows)} metrics"
        if len(results.seeds) > 1:
            better, worse = significant(rows)
            said += f", by more than chance in {len(better) or 'none'}"
            said += f", and behind by more than chance in {len(worse)}" if worse else ""
        sentences.append(f"{said}.")
    metric = f"recall@{results.longest_list}"
    if metric in results.metrics:
        means = {name: results.mean(backbone, name, metric) for name in results.methods[backbone]}
        ahead = [
            title(backbone, name) for name in means if METHODS[name].role == "control" and means[name] > means["decrs"]
        ]
        if ahead:
            sentences.append(f"Controls with a greater mean of {title_of(metric)} than DecRS: {'; '.join(ahead)}.")
    return " ".join(sentences)


def _names(metrics: list[str]) -> str:
    return ", ".join(map(title_of, metrics))
