"""Measures bias amplification by RecBole metrics: CKL, Hellinger, Euclidean (paper, Sec. 4.1; Steck 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from recbole.evaluator.collector import DataStruct
from scipy import sparse

from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.causal.lists import list_distributions
from recbole_decrs.evaluator.registry import UserMetric, metric

USERS_AT_ONCE = 1 << 11
"""Users who are measured at a time, so that memory does not grow with their number."""


class HistoryDistance(UserMetric):
    """Measures the distance between d_u from training and the mean of q^i over the user's list; smaller is better.

    Users without d_u have no value and are left out of the mean.

    Attributes:
        distance: a function of the two distributions, CSR matrices of shape [n, N] each -> [n].
    """

    smaller = True
    metric_need = ("rec.items", "rec.users", "rec.ranked", "data.confounder")
    distance: Callable[[sparse.csr_matrix, sparse.csr_matrix], np.ndarray]

    def by_user(self, collected: DataStruct) -> dict[int, np.ndarray]:
        """Measure each user's list at each length of ``topk``; NaN where the user has no d_u: shape [n_users] each."""
        items, users = collected.get("rec.items").numpy(), collected.get("rec.users").numpy()
        ranked = collected.get("rec.ranked").numpy()  # a list is shorter where the candidates run out
        confounder = collected.get("data.confounder")
        membership = confounder.sparse_membership
        values = {k: np.full(len(users), np.nan) for k in self.topk}
        for start in range(0, len(users), USERS_AT_ONCE):
            rows = slice(start, start + USERS_AT_ONCE)
            history = confounder.sparse_user_distribution[users[rows]]
            known = np.diff(history.indptr) > 0
            for k, recommended in list_distributions(items[rows], ranked[rows], membership, self.topk):
                values[k][rows] = np.where(known, type(self).distance(history, recommended), np.nan)
        return values


@metric
class CKL(HistoryDistance):
    """Measures C_KL (Steck 2018) with smoothing 0.01: the KL divergence of the list's groups from the history's."""

    distance = staticmethod(calibration_kl)


@metric
class Hellinger(HistoryDistance):
    """Measures the Hellinger distance between the same two distributions, in [0, 1]."""

    distance = staticmethod(hellinger)


@metric
class Euclidean(HistoryDistance):
    """Measures the Euclidean distance between the same two distributions."""

    distance = staticmethod(euclidean)
