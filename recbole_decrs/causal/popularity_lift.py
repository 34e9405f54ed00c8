"""Measures popularity lift: how much more popular the items of lists are than those that users have clicked.

The measures are those of Abdollahpouri, Mansoury, Burke and Mobasher, "The Unfairness of Popularity Bias in
Recommendation" (RMSE workshop at RecSys 2019), who compare groups of users by them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from recbole_decrs.causal.history import clicked_once


def item_popularity(clicks: sparse.csr_matrix) -> np.ndarray:
    """Count the users who have clicked each item, phi(i).

    The paper divides it by the number of users, which no ratio depends on.

    Args:
        clicks: any non-zero value is a click, shape [n_users, n_items].

    Returns:
        [n_items].

    Example:
        >>> item_popularity(sparse.csr_matrix([[0, 1, 1], [0, 2, 0]])).tolist()
        [0.0, 2.0, 1.0]
    """
    return np.asarray(clicked_once(clicks).sum(axis=0)).ravel()


def profile_popularity(clicks: sparse.csr_matrix) -> np.ndarray:
    """Average phi(i) over the items that each user has clicked, the user's profile p_u.

    Args:
        clicks: any non-zero value is a click, shape [n_users, n_items].

    Returns:
        [n_users]; NaN where a user has no click.

    Example:
        Item 1 has two users, item 2 has one.

        >>> profile_popularity(sparse.csr_matrix([[0, 1, 1], [0, 1, 0], [0, 0, 0]])).tolist()
        [1.5, 2.0, nan]
    """
    clicks = clicked_once(clicks)
    return _ratio(clicks @ item_popularity(clicks), np.asarray(clicks.sum(axis=1)).ravel())


def list_popularity(
    items: np.ndarray, listed: np.ndarray, popularity: np.ndarray, lengths: Iterable[int]
) -> dict[int, np.ndarray]:
    """Average phi(i) over the first k items of each list, for several k.

    Args:
        items: item ids in the order of the lists, shape [n_lists, K].
        listed: False where a list has come to its end, shape [n_lists, K].
        popularity: phi(i), shape [n_items].
        lengths: the lengths k, each at most K.

    Returns:
        k -> shape [n_lists]; NaN where a list is empty.

    Example:
        >>> items, listed, popularity = np.array([[1, 2]]), np.array([[True, True]]), np.array([0.0, 4.0, 1.0])
        >>> list_popularity(items, listed, popularity, [1, 2])
        {1: array([4.]), 2: array([2.5])}
    """
    sums, counts = np.cumsum(popularity[items] * listed, axis=1), np.cumsum(listed, axis=1)
    return {k: _ratio(sums[:, k - 1], counts[:, k - 1]) for k in lengths}


def popularity_lift(profile: np.ndarray, recommended: np.ndarray) -> float:
    """Measure by how much the lists of a group of users are more popular than their profiles: delta GAP.

    GAP_p is the mean of ``profile`` over the group, GAP_q that of ``recommended``, the group average popularity of
    profiles and of recommendations; delta GAP = (GAP_q - GAP_p) / GAP_p. The same authors call it popularity lift in
    "The Connection Between Popularity Bias, Calibration, and Fairness in Recommendation" (RecSys 2020).

    Args:
        profile: the mean popularity of each user's profile, as :func:`profile_popularity`, shape [n].
        recommended: that of the user's list, as :func:`list_popularity`, shape [n].

    Returns:
        0 where lists are as popular as profiles, above 0 where they are more so, at least -1. Users without a profile
        or a list, NaN in one of the two, are left out; NaN where nobody is left.

    Example:
        Profiles have a popularity of 10 on average, lists one of 15.

        >>> popularity_lift(np.array([5.0, 15.0]), np.array([10.0, 20.0]))
        0.5
    """
    known = ~np.isnan(profile) & ~np.isnan(recommended)
    if not known.any():
        return float("nan")
    gap_p, gap_q = profile[known].mean(), recommended[known].mean()
    return float((gap_q - gap_p) / gap_p)


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
