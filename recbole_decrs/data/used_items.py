"""Knows the items that each user has clicked by one sorted array, where RecBole's samplers hold sets for each user."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from recbole.sampler import Sampler

from recbole_decrs.errors import DecRSError


class UsedItems:
    """Holds the items of each user. In brackets it gives sets, as the array of sets does that RecBole makes.

    A set is made when it is first asked for: full sort and training by ids never ask.

    Args:
        pairs: user * ``n_items`` + item of each click, in any order; repeated ones count once.
        n_users, n_items: sizes of the id ranges, the padding row 0 included.
    """

    def __init__(self, pairs: np.ndarray, n_users: int, n_items: int) -> None:
        pairs = np.sort(pairs)  # numpy's unique hashes first, which takes several times as long
        self.pairs, self.n_items = pairs[np.diff(pairs, prepend=-1) > 0], n_items
        self.starts = np.searchsorted(self.pairs, np.arange(n_users + 1) * n_items)
        self._sets, self._is_made = np.full(n_users, None), np.zeros(n_users, dtype=bool)

    @classmethod
    def of(cls, users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> UsedItems:
        """Take the users and items of clicks, shape [n_clicks] each."""
        return cls(users.astype(np.int64) * n_items + items, n_users, n_items)

    def __len__(self) -> int:
        return len(self._sets)

    def __iter__(self) -> Iterator[set[int]]:
        return map(self._set_of, range(len(self)))

    def __getitem__(self, users: int | np.ndarray | list[int]) -> set[int] | np.ndarray:
        if np.ndim(users) == 0:
            return self._set_of(int(users))
        users = np.asarray(users, dtype=np.int64)
        for user in np.unique(users[~self._is_made[users]]):
            self._set_of(int(user))
        return self._sets[users]

    def _set_of(self, user: int) -> set[int]:
        if not self._is_made[user]:
            some = self.pairs[self.starts[user] : self.starts[user + 1]] % self.n_items
            self._sets[user], self._is_made[user] = set(some.tolist()), True
        return self._sets[user]

    @property
    def counts(self) -> np.ndarray:
        """Count the items that each user has clicked, shape [n_users]."""
        return np.diff(self.starts)

    def without(self, others: UsedItems) -> UsedItems:
        """Leave out the items that others hold of the same user."""
        kept = self.pairs[~np.isin(self.pairs, others.pairs, assume_unique=True)]
        return UsedItems(kept, len(self), self.n_items)

    def joined(self, others: UsedItems) -> UsedItems:
        """Take the items that others hold as well."""
        return UsedItems(np.concatenate([self.pairs, others.pairs]), len(self), self.n_items)

    def tensors(self) -> np.ndarray:
        """Give the items of each user as a tensor, in ascending order; an object array, shape [n_users]."""
        items = torch.from_numpy(self.pairs % self.n_items)
        return np.fromiter(items.split(self.counts.tolist()), dtype=object, count=len(self))


class DecRSSampler(Sampler):
    """Lets RecBole's Sampler know the clicks of users by arrays; it draws what it draws.

    It goes over ``get_used_ids``, which makes three sets for each user, click by click.
    """

    def get_used_ids(self) -> dict[str, UsedItems]:
        """Give the items that each user has clicked up to each phase.

        Raises:
            DecRSError: a user has clicked every item.
        """
        found, used = {}, UsedItems(np.empty(0, dtype=np.int64), self.user_num, self.item_num)
        for phase, dataset in zip(self.phases, self.datasets, strict=True):
            clicks = (dataset.inter_feat[field].numpy() for field in (self.uid_field, self.iid_field))
            used = found[phase] = used.joined(UsedItems.of(*clicks, self.user_num, self.item_num))
        if len(users := np.flatnonzero(used.counts + 1 == self.item_num)):
            others = f" and {len(users) - 1} more" if len(users) > 1 else ""
            raise DecRSError(
                f"user {self.datasets[0].id2token(self.uid_field, users[0])}{others} clicked all {self.item_num - 1} "
                "items, so that none is left to draw as not clicked; leave out who has so many clicks by "
                f"--user_inter_num_interval='[0,{self.item_num - 1})'"
            )
        return found
