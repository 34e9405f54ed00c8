"""Measures bias amplification by RecBole metrics: CKL, Hellinger, Euclidean (paper, Sec. 4.1; Steck 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from recbole.evaluator.collector import DataStruct
from scipy import sparse

from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.evaluator.list_groups import NEEDED, groups_of_lists
from recbole_decrs.evaluator.registry import UserMetric, metric


class HistoryDistance(UserMetric):
    """Measures the distance between d_u from training and the mean of q^i over the user's list; smaller is better.

    Users without d_u have no value and are left out of the mean.

    Attributes:
        distance: a function of the two distributions, CSR matrices of shape [n, N] each -> [n].
    """

    smaller = True
    metric_need = NEEDED
    distance: Callable[[sparse.csr_matrix, sparse.csr_matrix], np.ndarray]

    def by_user(self, collected: DataStruct) -> dict[int, np.ndarray]:
        """Measure each user's list at each length of ``topk``; NaN where the user has no d_u: shape [n_users] each."""
        users, confounder = collected.get("rec.users").numpy(), collected.get("data.confounder")
        values = {k: np.full(len(users), np.nan) for k in self.topk}
        for rows, k, recommended in groups_of_lists(collected, self.topk):
            history = confounder.sparse_user_distribution[users[rows]]
            known = np.diff(history.indptr) > 0
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
