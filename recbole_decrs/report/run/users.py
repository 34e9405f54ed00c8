"""Lists the users that can be looked up on the page: their history, d_u, and the lists side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_decrs.data.clicks import clicks_of
from recbole_decrs.data.titles import titles_of_items
from recbole_decrs.report.parts import Section, UserSearch
from recbole_decrs.report.run.finished import FinishedRun

N_USERS = 200
SEED = 2021
LATEST = 20
"""So many clicks of a history are shown, the latest first."""
MOST_GROUPS = 8
"""So many groups of d_u are shown."""


def users_section(run: FinishedRun, n_users: int = N_USERS) -> Section | None:
    """Gather some of the evaluated users, drawn by a fixed seed; None where nothing was ranked.

    Args:
        run: the run.
        n_users: how many, at most.
    """
    if not run.has_lists:
        return None
    everyone, first = np.unique(run.users, return_index=True)
    chosen = np.arange(len(everyone))
    if len(everyone) > n_users:
        chosen = np.sort(np.random.default_rng(SEED).choice(len(everyone), n_users, replace=False))
    users, rows = everyone[chosen], first[chosen]
    gathered = _Gathered(run, titles_of_items(run.config, run.part))
    data = {
        "recommenders": [run.labels[name] for name in run.collected],
        "length": run.length,
        "latest": LATEST,
        "users": gathered.users(users, rows),
        "items": gathered.items,
        "evaluated": len(everyone),
    }
    data["groups"] = [] if run.confounder is None else list(run.confounder.group_names)
    if len(users) == len(everyone):
        remark = f"All {len(users)} evaluated users."
    else:
        remark = (
            f"{len(users)} of {len(everyone)} evaluated users, drawn by the seed {SEED}; more by --users, see below."
        )
    return Section("Look up a user", (), [UserSearch(data, remark)])


class _Gathered:
    """Gathers users in plain data, with items as places in one list of titles.

    Args:
        run: the run.
        titles: of the items by id.
    """

    def __init__(self, run: FinishedRun, titles: np.ndarray) -> None:
        self.run, self.titles = run, titles
        self.items: list[str] = []
        self._places: dict[int, int] = {}

    def users(self, users: np.ndarray, rows: np.ndarray) -> list[dict[str, Any]]:
        """Gather some users.

        Args:
            users: their ids, shape [n].
            rows: the place of the first list of each, shape [n].
        """
        tokens = self.run.part.field2id_token[self.run.part.uid_field]
        history, test = _items_by_user(self.run.part, users), _items_by_user(self.run.test, users)
        lists = [self.run.lists(name) for name in self.run.collected]
        drift = None if self.run.confounder is None else self.run.confounder.drift
        return [
            {
                "id": str(tokens[user]),
                "clicks": len(history[user]),
                "history": [self._place(item) for item in history[user][::-1][:LATEST]],
                "test": [self._place(item) for item in test[user]],
                "d": self._distribution(user),
                "drift": None if drift is None else round(float(drift[user]), 4),
                "weight": None if self.run.weight is None else round(float(self.run.weight[user]), 4),
                "lists": [[self._place(item) for item in items[row][listed[row]]] for items, listed in lists],
            }
            for user, row in zip(users.tolist(), rows.tolist(), strict=True)
        ]

    def _place(self, item: int) -> int:
        place = self._places.setdefault(int(item), len(self.items))
        if place == len(self.items):
            self.items.append(str(self.titles[int(item)]))
        return place

    def _distribution(self, user: int) -> list[list[float]]:
        """List the groups of d_u with the greatest shares, and for each the shares in the user's histories."""
        if self.run.confounder is None:
            return []
        d = self.run.confounder.distribution_of(np.array([user]))[0]
        return [[int(place), round(float(d[place]), 4)] for place in np.argsort(-d)[:MOST_GROUPS] if d[place] > 0]


def _items_by_user(part, users: np.ndarray) -> dict[int, np.ndarray]:
    """Gather the items that users have clicked in a part, in the order of time where it is known, by user."""
    who, items = clicks_of(part)
    order = part.click_order if part is part.training_part else None  # loaders sort the rows of the other parts
    if order is not None and len(order) == len(who):
        by_time = np.argsort(order, kind="stable")
        who, items = who[by_time], items[by_time]
    wanted = np.isin(who, users)
    who, items = who[wanted], items[wanted]
    by_user = np.argsort(who, kind="stable")
    bounds = np.searchsorted(who[by_user], [users, users + 1])
    return {user: items[by_user[start:end]] for user, start, end in zip(users.tolist(), *bounds.tolist(), strict=True)}
