"""RecBole metrics of bias amplification: CKL, Hellinger, Euclidean (paper, Sec. 4.1; Steck 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from recbole.evaluator.base_metric import TopkMetric

from recbole_decrs.causal import calibration_kl, euclidean, hellinger
from recbole_decrs.errors import DecRSError


class HistoryDistance(TopkMetric):
    """Distance between d_u from training and the mean of q^i over the user's list; smaller is better.

    Users without d_u have no value and are left out of the mean.
    """

    smaller = True
    metric_need = ("rec.items", "rec.users", "rec.ranked", "data.membership", "data.user_distribution")
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def calculate_metric(self, dataobject) -> dict[str, float]:
        """The mean over users at each length of ``topk``."""
        name = type(self).__name__.lower()
        return {
            f"{name}@{k}": float("nan")
            if np.isnan(values).all()
            else round(float(np.nanmean(values)), self.decimal_place)
            for k, values in self.by_user(dataobject).items()
        }

    def by_user(self, dataobject) -> dict[int, np.ndarray]:
        """One value a user at each length of ``topk``, NaN where the user has no d_u: shape [n_users] each."""
        if "data.membership" not in dataobject:
            raise DecRSError(
                f"the metric {type(self).__name__} needs the item groups, which RecBole's own Trainer does not "
                "collect; run it by recbole-decrs or run_recbole_decrs"
            )
        items, users = dataobject.get("rec.items").numpy(), dataobject.get("rec.users").numpy()
        ranked = dataobject.get("rec.ranked").numpy()  # a list is shorter where the candidates run out
        history = dataobject.get("data.user_distribution")[users]
        membership = dataobject.get("data.membership")
        known = history.any(axis=1)
        values = {}
        for k in self.topk:
            in_list = ranked[:, :k, None]
            totals = (membership[items[:, :k]] * in_list).sum(axis=1)
            recommended = totals / np.maximum(in_list.sum(axis=1), 1)
            values[k] = np.where(known, type(self).distance(history, recommended), np.nan)
        return values


class CKL(HistoryDistance):
    """C_KL@K (Steck 2018) with smoothing 0.01: the KL divergence of the list's groups from the user's history."""

    distance = staticmethod(calibration_kl)


class Hellinger(HistoryDistance):
    """Hellinger distance between the two distributions of C_KL, in [0, 1]."""

    distance = staticmethod(hellinger)


class Euclidean(HistoryDistance):
    """Euclidean distance between the two distributions of C_KL."""

    distance = staticmethod(euclidean)
