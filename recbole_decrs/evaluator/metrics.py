"""RecBole metrics of bias amplification: CKL, Hellinger, Euclidean (paper, Sec. 4.1; Steck 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from recbole.evaluator.collector import DataStruct

from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.evaluator.registry import UserMetric, metric


class HistoryDistance(UserMetric):
    """Measures the distance between d_u from training and the mean of q^i over the user's list; smaller is better.

    Users without d_u have no value and are left out of the mean.

    Attributes:
        distance: a function of the two distributions, shapes [n_users, N], [n_users, N] -> [n_users].
    """

    smaller = True
    metric_need = ("rec.items", "rec.users", "rec.ranked", "data.membership", "data.user_distribution")
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def by_user(self, collected: DataStruct) -> dict[int, np.ndarray]:
        """Measure each user's list at each length of ``topk``; NaN where the user has no d_u: shape [n_users] each."""
        items, users = collected.get("rec.items").numpy(), collected.get("rec.users").numpy()
        ranked = collected.get("rec.ranked").numpy()  # a list is shorter where the candidates run out
        history = collected.get("data.user_distribution")[users]
        membership = collected.get("data.membership")
        known = history.any(axis=1)
        values = {}
        for k in self.topk:
            in_list = ranked[:, :k, None]
            totals = (membership[items[:, :k]] * in_list).sum(axis=1)
            recommended = totals / np.maximum(in_list.sum(axis=1), 1)
            values[k] = np.where(known, type(self).distance(history, recommended), np.nan)
        return values


@metric
class CKL(HistoryDistance):
    """C_KL (Steck 2018) with smoothing 0.01: the KL divergence of the list's groups from those of the history."""

    distance = staticmethod(calibration_kl)


@metric
class Hellinger(HistoryDistance):
    """Hellinger distance between the same two distributions, in [0, 1]."""

    distance = staticmethod(hellinger)


@metric
class Euclidean(HistoryDistance):
    """Euclidean distance between the same two distributions."""

    distance = staticmethod(euclidean)
