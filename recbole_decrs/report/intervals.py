"""Computes the interval of a mean over users, by the normal approximation; lists of one user count together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NORMAL = 1.959964
"""The 97.5% quantile of the normal distribution."""


class Interval(NamedTuple):
    """Holds a mean with its 95% interval; the ends are NaN with fewer than two users."""

    mean: float
    low: float
    high: float
    n_users: int


def mean_over_users(values: np.ndarray, users: np.ndarray) -> Interval:
    """Estimate the mean of values, and the 95% interval that other users would have had.

    The mean is over lists, as the metrics are. Its variance is that of sums over users, so that a user with many lists
    counts as one: U / (U - 1) times the sum over users of (sum over their lists of (x - mean))^2, over n^2. With one
    list a user that is the sample variance over n.

    Args:
        values: of each list, shape [n]; those that are NaN are left out.
        users: of each list, shape [n].
    """
    known = ~np.isnan(values)
    values, users = values[known], users[known]
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    mean = float(values.mean())
    _, place = np.unique(users, return_inverse=True)
    sums = np.bincount(place, weights=values - mean)
    n_users = len(sums)
    if n_users < 2:
        return Interval(mean, float("nan"), float("nan"), n_users)
    margin = NORMAL * float(np.sqrt(n_users / (n_users - 1) * np.sum(sums**2))) / len(values)
    return Interval(mean, mean - margin, mean + margin, n_users)
