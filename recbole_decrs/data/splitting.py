"""Splits interactions by user in arrays, to the rows and the order that RecBole's lists of each user's rows give."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from recbole.data.interaction import Interaction

from recbole_decrs.data.time_order import CLICK_ORDER


class Groups:
    """Lists the places of the rows of each user: users as they first appear, rows in order.

    Args:
        keys: of the rows, shape [n_rows].
    """

    def __init__(self, keys: np.ndarray) -> None:
        codes, users = pd.factorize(keys)
        self.places = np.argsort(codes, kind="stable")
        self.sizes = np.bincount(codes, minlength=len(users))
        self.starts = np.cumsum(self.sizes) - self.sizes

    def __iter__(self) -> Iterator[np.ndarray]:
        """Hand out the places of each group, as RecBole's lists do."""
        return iter(np.split(self.places, self.starts[1:]) if len(self.sizes) else [])

    def split(self, bounds_of: Callable[[int], list[int]], n_parts: int) -> list[np.ndarray]:
        """Split each group at bounds that depend on its size.

        Args:
            bounds_of: a size -> the numbers of rows in the first part, in the first two, ..., in all parts but one.
            n_parts: how many parts there are.

        Returns:
            the places of the rows of each part, group by group.
        """
        sizes, which = np.unique(self.sizes, return_inverse=True)
        bounds = np.array([bounds_of(int(size)) for size in sizes], dtype=np.int64).reshape(len(sizes), n_parts - 1)
        rank = np.arange(len(self.places)) - np.repeat(self.starts, self.sizes)
        part = np.zeros(len(rank), dtype=np.int64)
        for bound in bounds.T:
            part += rank >= np.repeat(bound[which], self.sizes)
        return [self.places[part == number] for number in range(n_parts)]


class SplitMixin:
    """Lets a RecBole Dataset split in arrays; the parts have the same rows in the same order.

    It goes over these methods of RecBole's, which are Python for each interaction:

    - ``_grouped_index``, a list of each user's rows;
    - ``split_by_ratio``, ``leave_one_out`` and ``time_based_split``, which join pieces of these lists, and take rows by
      lists; the last also takes times as float32, a minute for a moment.

    Attributes:
        times_in_order: the times of the clicks as float64, in their order, while they are split by ``TS``; else None.
    """

    times_in_order: np.ndarray | None = None

    def _grouped_index(self, group_by_list: np.ndarray) -> Groups:
        return Groups(np.asarray(group_by_list))

    def split_by_ratio(self, ratios: list[float], group_by: str | None = None) -> list:
        """Split interactions by ratios, within each group of the field ``group_by`` where one is given."""
        shares = [ratio / sum(ratios) for ratio in ratios]
        keys = np.zeros(len(self.inter_feat), dtype=np.int64) if group_by is None else self.inter_feat[group_by].numpy()
        return self._parts_at(
            Groups(keys).split(lambda size: self._calcu_split_ids(tot=size, ratios=shares), len(shares))
        )

    def leave_one_out(self, group_by: str | None, leave_one_mode: str) -> list:
        """Hold out the last interaction of each group, or the last two, of a group that keeps one for training."""
        held_out = HELD_OUT.get(leave_one_mode)
        if group_by is None or held_out is None:
            return super().leave_one_out(group_by, leave_one_mode)

        def bounds_of(size: int) -> list[int]:
            return [size - min(left, size - 1) for left in range(len(held_out), 0, -1)]

        places = [np.empty(0, dtype=np.int64)] * 3
        found = Groups(self.inter_feat[group_by].numpy()).split(bounds_of, len(held_out) + 1)
        for part, some in zip((0, *held_out), found, strict=True):
            places[part] = some
        return self._parts_at(places)

    def time_based_split(self, ratios: list[float], group_by: str) -> list:
        """Hold out what comes after a moment, and of the rows before it the last of each group for validation.

        Args:
            ratios: of training, validation and test; by the last of them the moment is chosen.
            group_by: a field; rows are in the order of time.
        """
        shares = [ratio / sum(ratios) for ratio in ratios]
        if self.times_in_order is None:
            times = self.inter_feat[self.time_field].numpy()
        else:
            times = self.times_in_order[self.inter_feat[CLICK_ORDER].numpy()]
        groups = Groups(self.inter_feat[group_by].numpy())
        is_before = (times <= np.percentile(times, 100 * (1 - shares[-1])))[groups.places]
        passed = np.append(0, np.cumsum(is_before))
        at_start = passed[groups.starts]
        n_training = ((passed[groups.starts + groups.sizes] - at_start) * (shares[0] / (1 - shares[2]))).astype(int)
        is_training = passed[:-1] - np.repeat(at_start, groups.sizes) < np.repeat(n_training, groups.sizes)
        part = np.where(is_before, np.where(is_training, 0, 1), 2)
        return self._parts_at([groups.places[part == number] for number in range(3)])

    def _parts_at(self, places: list[np.ndarray]) -> list:
        self._drop_unused_col()
        return [self.copy(rows_at(self.inter_feat, some)) for some in places]


HELD_OUT = {"valid_and_test": (1, 2), "valid_only": (1,), "test_only": (2,)}
"""Which parts get one interaction of each group: validation is 1, test 2."""


def rows_at(interaction: Interaction, places: np.ndarray) -> Interaction:
    """Give rows of an Interaction by arrays, where its own brackets make a list of the places for each column."""
    index = torch.from_numpy(places)
    return Interaction({name: column[index] for name, column in interaction.interaction.items()})
