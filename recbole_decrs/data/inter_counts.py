"""Keeps users and items by how many interactions they have (k-core): the rows that RecBole's Counters keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

Intervals = Sequence[tuple[str, float, float, str]]
"""As RecBole parses them: opening bracket, least, most, closing bracket of each; a number in any of them is kept."""


@dataclass
class Side:
    """Holds the users, or the items, of interactions, by which these are filtered.

    Attributes:
        ids: number of the user or item of each interaction that is left, shape [n_interactions].
        rows: number of that of each row of the .user or .item file, -1 where it has no interaction; None without file.
        n: how many there are.
        intervals: in which the number of interactions must lie; None where any number will do.
        is_left: whether a row of the file is left, shape [n rows].
    """

    ids: np.ndarray
    rows: np.ndarray | None
    n: int
    intervals: Intervals | None
    is_left: np.ndarray

    @classmethod
    def of(cls, cells: pd.Series, feat_cells: pd.Series | None, intervals: Intervals | None) -> Side:
        """Number the users or items of interactions, and find the rows of their own file among them."""
        if _keep_all(intervals):
            return cls(np.zeros(len(cells), dtype=np.int64), None, 1, None, np.ones(0, dtype=bool))
        ids, tokens = _numbered(cells)
        rows = None
        if feat_cells is not None:
            places, texts = _numbered(feat_cells)
            rows = np.append(tokens.get_indexer(texts), -1)[places]
        return cls(ids, rows, len(tokens), intervals, np.ones(0 if rows is None else len(rows), dtype=bool))

    def drop_out_of_range(self) -> tuple[np.ndarray, bool]:
        """Find who has too few or too many of the interactions that are left, and drop their rows of the file.

        As in RecBole, those with a row of the file must also reach the least of the first of several intervals, and a
        row without interactions goes where that is above 0.

        Returns:
            whether each user or item is out of range, shape [n], and whether any of them or of the rows is.
        """
        if self.intervals is None:
            return np.zeros(self.n, dtype=bool), False
        counts = np.bincount(self.ids, minlength=self.n)
        out = (counts > 0) & ~within(counts, self.intervals)
        if self.rows is None:
            return out, bool(out.any())
        too_few = self.is_left & (np.append(counts, 0)[self.rows] < self.intervals[0][1])
        out[self.rows[too_few & (self.rows >= 0)]] = True
        dropped = self.is_left & (too_few | np.append(out, False)[self.rows])
        self.is_left &= ~dropped
        return out, bool(out.any() or dropped.any())


def places_within(users: Side, items: Side) -> np.ndarray:
    """Drop interactions of users and on items out of range, until none is left that is; rounds are RecBole's.

    Args:
        users, items: their rows of files are dropped as well.

    Returns:
        the places of the interactions that are left, shape [n], in order.
    """
    places = np.arange(len(users.ids))
    while True:
        (no_user, some_users), (no_item, some_items) = users.drop_out_of_range(), items.drop_out_of_range()
        if not (some_users or some_items):
            return places
        keep = ~(no_user[users.ids] | no_item[items.ids])
        places, users.ids, items.ids = places[keep], users.ids[keep], items.ids[keep]


def _numbered(cells: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Number the texts of a column, each of which the categories of a large file have once already."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        numbers, places = pd.factorize(cells.cat.codes.to_numpy())
        return numbers, cells.cat.categories[places]
    numbers, texts = pd.factorize(cells)
    return numbers, pd.Index(texts)


def within(numbers: np.ndarray, intervals: Intervals) -> np.ndarray:
    """Tell which numbers lie in one of some intervals; a missing one lies in none."""
    found = np.zeros(len(numbers), dtype=bool)
    for left, least, most, right in intervals:
        above = numbers >= least if left == "[" else numbers > least
        found |= above & (numbers <= most if right == "]" else numbers < most)
    return found


def _keep_all(intervals: Intervals | None) -> bool:
    """Tell if intervals keep everybody, as RecBole's default [0,inf) does."""
    return not intervals or (intervals[0][0] == "[" and intervals[0][1] <= 0 and intervals[0][2] == np.inf)
