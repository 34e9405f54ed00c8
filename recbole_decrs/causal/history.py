"""d_u: the user history distribution over item groups (Eq. 3)."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def user_history_distribution(clicks: sparse.csr_matrix, membership: np.ndarray) -> np.ndarray:
    """d_u (Eq. 3): the mean of q^i over the items that user u has clicked.

    A click counts once per (user, item); items without a group (an all-zero row of ``membership``) are left out.

    Args:
        clicks: any non-zero value is a click, shape [n_users, n_items].
        membership: q^i, shape [n_items, N].

    Returns:
        [n_users, N]; a row sums to 1, or to 0 where the user has no click on a grouped item.
    """
    n_clicks = grouped_clicks(clicks, membership)[:, None]
    totals = (clicks != 0).astype(np.float64) @ np.asarray(membership, dtype=np.float64)
    return np.divide(totals, n_clicks, out=np.zeros_like(totals), where=n_clicks > 0)


def grouped_clicks(clicks: sparse.csr_matrix, membership: np.ndarray) -> np.ndarray:
    """|H_u| of Eq. 3: how many items with a group each user has clicked, shape [n_users]."""
    grouped = (np.asarray(membership).sum(axis=1) > 0).astype(np.float64)
    return (clicks != 0).astype(np.float64) @ grouped
