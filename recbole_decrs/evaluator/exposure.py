"""Measures by RecBole metrics what lists show: how many groups, how evenly, and how popular their items are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from recbole.evaluator.base_metric import TopkMetric
from recbole.evaluator.collector import DataStruct
from scipy import sparse

from recbole_decrs.causal import (
    aggregate_group_coverage,
    group_coverage,
    group_entropy,
    list_popularity,
    popularity_lift,
)
from recbole_decrs.evaluator.list_groups import NEEDED, groups_of_lists
from recbole_decrs.evaluator.registry import UserMetric, check_is_collected, metric


class GroupsOfLists(UserMetric):
    """Measures the mean of q^i over a user's list by itself; larger is better.

    Attributes:
        measure: a function of these means, CSR of shape [n, N] -> [n].
    """

    metric_need = NEEDED
    measure: Callable[[sparse.csr_matrix], np.ndarray]

    def by_user(self, collected: DataStruct) -> dict[int, np.ndarray]:
        """Measure each user's list at each length of ``topk``, shape [n_users] each."""
        values = {k: np.empty(len(collected.get("rec.users"))) for k in self.topk}
        for rows, k, recommended in groups_of_lists(collected, self.topk):
            values[k][rows] = type(self).measure(recommended)
        return values


@metric
class GroupCoverage(GroupsOfLists):
    """Measures the share of all groups that a list shows, as a mean over users (S-recall of Zhai et al. 2003)."""

    measure = staticmethod(group_coverage)


@metric
class GroupEntropy(GroupsOfLists):
    """Measures the entropy of a list's groups in nats, 0 where all is in one group, as a mean over users."""

    measure = staticmethod(group_entropy)


@metric
class AggregateGroupCoverage(TopkMetric):
    """Measures the share of all groups that the lists of all users together show (Ge et al. 2010)."""

    metric_need = NEEDED

    def calculate_metric(self, dataobject: DataStruct) -> dict[str, float]:
        """Measure the lists of all users at each length of ``topk``.

        Raises:
            DecRSError: item groups have not been collected.
        """
        check_is_collected(type(self), dataobject)
        shares: dict[int, list[np.ndarray]] = {k: [] for k in self.topk}
        for _, k, recommended in groups_of_lists(dataobject, self.topk):
            shares[k].append(np.asarray(recommended.sum(axis=0)).ravel())
        return {
            f"aggregategroupcoverage@{k}": round(aggregate_group_coverage(np.array(parts)), self.decimal_place)
            for k, parts in shares.items()
        }


@metric
class PopularityLift(TopkMetric):
    """Measures by how much lists are more popular than the users' training clicks (Abdollahpouri et al. 2019).

    It is the ratio of two means over users, and so has no value for a single one.
    """

    smaller = True
    metric_need = ("rec.items", "rec.users", "rec.ranked", "data.item_popularity", "data.profile_popularity")

    def calculate_metric(self, dataobject: DataStruct) -> dict[str, float]:
        """Measure the lists of all users at each length of ``topk``; NaN where nobody has training clicks and a list.

        Raises:
            DecRSError: the popularity of items and profiles has not been collected.
        """
        check_is_collected(type(self), dataobject)
        items, ranked = dataobject.get("rec.items").numpy(), dataobject.get("rec.ranked").numpy()
        profile = dataobject.get("data.profile_popularity")[dataobject.get("rec.users").numpy()]
        lists = list_popularity(items, ranked, dataobject.get("data.item_popularity"), self.topk)
        return {
            f"popularitylift@{k}": round(popularity_lift(profile, of_lists), self.decimal_place)
            for k, of_lists in lists.items()
        }
