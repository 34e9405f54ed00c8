"""Shows amplification: each group's share in histories, in each recommender's lists, and in test clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recbole_decrs.data.clicks import clicks_of
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.charts.shares import DOTS, shares_strip
from recbole_decrs.report.charts.svg import sample
from recbole_decrs.report.parts import Cell, Column, Legend, Section, Table
from recbole_decrs.report.run.finished import FinishedRun

MOST_GROUPS = 60
"""With more groups, those with the greatest shares in histories are shown."""


@dataclass(frozen=True)
class Shares:
    """Holds the share of each group, in [0, 1], as a mean over users who count the same, shape [N] each."""

    history: np.ndarray
    """In the histories of the evaluated users: the mean of d_u."""
    lists: dict[str, np.ndarray]
    """In the lists of each recommender."""
    test: np.ndarray
    """In the clicks of the test part."""


def shares_of_groups(run: FinishedRun) -> Shares:
    """Measure the shares of the groups, over the evaluated users with a history on grouped items.

    An item counts for its groups by q^i; items without a group count for none, so that shares need not sum to 1.
    """
    confounder = run.confounder
    known = confounder.n_clicks[run.users] > 0
    users = np.unique(run.users[known])
    lists = {}
    for name in run.collected:
        lists[name] = _mean_over_users(run.groups_of_lists(name)[known], run.users[known])
    who, items = clicks_of(run.test)
    of_known = np.isin(who, users)
    test = _mean_over_users(confounder.sparse_membership[items[of_known]], who[of_known])
    history = np.asarray(confounder.sparse_user_distribution[users].mean(axis=0)).ravel()
    return Shares(history, lists, test)


def _mean_over_users(rows: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
    """Average rows of q, shape [n, N], first over those of each user, then over users: shape [N]."""
    _, place, counts = np.unique(users, return_inverse=True, return_counts=True)
    weights = 1 / (counts[place] * len(counts))
    return rows.T @ weights


def amplification_section(run: FinishedRun) -> Section | None:
    """Tabulate and draw the shares; None where there are no groups, no lists, or no user with a history."""
    if run.confounder is None or not run.has_lists or not (run.confounder.n_clicks[run.users] > 0).any():
        return None
    shares = shares_of_groups(run)
    shown = np.argsort(-shares.history, kind="stable")[:MOST_GROUPS]
    beside = [array[shown] - shares.history[shown] for array in (*shares.lists.values(), shares.test)]
    most = max(float(np.abs(difference).max()) for difference in beside) or 1.0
    rows = [_row(run, shares, place, most) for place in shown]
    left = len(shares.history) - len(shown)
    remark = f"{left} groups with smaller shares in histories are not shown." if left else ""
    table = Table("Shares of the groups", _columns(run, most), rows, is_sortable=True, remark=remark)
    return Section("Bias amplification", _in_words(run, shares), [_legend(run), table])


def _columns(run: FinishedRun, most: float) -> list[Column]:
    names = list(run.collected)
    scale = f"Differences to the share in histories, {100 * most:.1f} percentage points to either end, in all rows"
    return [
        Column(f"group ({run.config['group_field']})", is_number=False),
        Column("against histories", scale),
        Column("histories", "Mean over users of the group's share in their training clicks, d_u"),
        *(
            Column(name, f"Mean over users of the share in their top {run.length} of {run.labels[name]}")
            for name in names
        ),
        Column("test clicks", "Mean over users of the group's share in what they clicked in the test part"),
        *(
            Column(f"amplification, {name}", "Share in the lists minus share in histories, in percentage points")
            for name in names
        ),
    ]


def _row(run: FinishedRun, shares: Shares, place: int, most: float) -> list[Cell]:
    history, test = float(shares.history[place]), float(shares.test[place])
    of_lists = {name: float(share[place]) for name, share in shares.lists.items()}
    against = {run.style(name): share - history for name, share in of_lists.items()}
    return [
        Cell(run.confounder.group_names[place]),
        Cell(shares_strip(against, test - history, most), list(against.values())[-1]),
        *(Cell(f"{share:.1%}", share) for share in (history, *of_lists.values(), test)),
        *(Cell(f"{100 * (share - history):+.1f}", share - history) for share in of_lists.values()),
    ]


def _in_words(run: FinishedRun, shares: Shares) -> list[str]:
    """Say by how much the largest groups grow, and how to read the picture."""
    largest = shares.history >= np.quantile(shares.history, 0.75)
    told = [
        f"{run.labels[name]} {100 * float((share - shares.history)[largest].sum()):+.1f}"
        for name, share in shares.lists.items()
    ]
    gap = {name: float(np.abs(share - shares.history).sum()) / 2 for name, share in shares.lists.items()}
    return [
        "A recommender amplifies a bias where a group has more of its lists than of histories. The quarter of the "
        f"groups that users have most of has {float(shares.history[largest].sum()):.1%} of histories; lists have, in "
        f"percentage points against that: {'; '.join(told)}. Half the sum of all absolute differences, 0 where shares "
        f"are those of histories: {'; '.join(f'{run.labels[name]} {value:.3f}' for name, value in gap.items())}.",
        "These are means over users, in which what is too much for one and too little for another evens out; "
        f"{title_of('ckl')} is measured for each user. Press a column's title to sort by it.",
    ]


def _legend(run: FinishedRun) -> Legend:
    marks = [(sample(run.style(name), has_line=False), f"in the lists of {run.labels[name]}") for name in run.collected]
    return Legend([(DOTS["history"], "in histories"), *marks, (DOTS["test"], "in test clicks")])
