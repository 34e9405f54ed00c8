"""Computes the history distribution before each click, which goes with it while d_u is still in the making.

Eq. 2 sums over what d_u may be. In training M(d-bar, u) has one and the same d-bar for every click, so nothing can be
learned about what d does. With the distribution that a user had *before* a click, d differs between clicks of one
user, and what it does can be told from what the user is.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recbole_decrs.causal.history import first_grouped_clicks


def history_before(
    users: np.ndarray,
    items: np.ndarray,
    membership: np.ndarray | sparse.csr_matrix,
    prior: np.ndarray,
    n_users: int,
    periods: int = 4,
    smoothing: float = 10.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the distribution over groups of each user's clicks before a click, by periods.

    A user's n grouped clicks (the first on each item, items without a group left out) are cut into periods as Eq. 10
    cuts them: period k begins after floor(k n / periods) of them. Of a click in period k the clicks before period k
    count, and ``smoothing`` more that are distributed as ``prior``: the fewer clicks there are, the nearer to it.

    Args:
        users, items: the clicks in the order of time, shape [n_clicks] each.
        membership: q^i, shape [n_items, N].
        prior: d-bar, shape [N].
        n_users: the padding row 0 included.
        periods: >= 1.
        smoothing: > 0, in clicks.

    Returns:
        The distributions, shape [periods, n_users, N], whose rows sum to 1; and the period of each click, [n_clicks].

    Example:
        Item 1 is of one group, item 2 of the other, and one click of smoothing is half of each. Before the first click
        of user 1 there is only that; before the second a click on item 1.

        >>> membership = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> before, period = history_before([1, 1], [1, 2], membership, np.array([0.5, 0.5]), 2, periods=2, smoothing=1)
        >>> before[:, 1].tolist(), period.tolist()
        ([[0.5, 0.5], [0.75, 0.25]], [0, 1])
    """
    users, items, membership = np.asarray(users), np.asarray(items), sparse.csr_matrix(membership)
    counted, n_before, n_counted = _counted(users, items, membership, n_users)
    begins = [number * n_counted // periods for number in range(periods)]
    before = np.stack(
        [
            _smoothed(users, items, counted & (n_before < begin[users]), membership, prior, n_users, smoothing)
            for begin in begins
        ]
    )
    period = np.zeros(len(users), dtype=np.int64)
    for begin in begins[1:]:
        period += n_before >= begin[users]
    return before, period


def recent_distribution(
    users: np.ndarray,
    items: np.ndarray,
    membership: np.ndarray | sparse.csr_matrix,
    prior: np.ndarray,
    n_users: int,
    smoothing: float = 10.0,
) -> np.ndarray:
    """Compute the distribution over groups of the later half of each user's history, smoothed towards d-bar.

    Args:
        users, items, membership, prior, n_users, smoothing: as of :func:`history_before`.

    Returns:
        [n_users, N], rows sum to 1; the later half is what Eq. 10 compares the first floor(n / 2) clicks with.

    Example:
        >>> membership = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> recent_distribution([1, 1], [1, 2], membership, np.array([0.5, 0.5]), 2, smoothing=1).tolist()
        [[0.5, 0.5], [0.25, 0.75]]
    """
    users, items, membership = np.asarray(users), np.asarray(items), sparse.csr_matrix(membership)
    counted, n_before, n_counted = _counted(users, items, membership, n_users)
    late = counted & (n_before >= (n_counted // 2)[users])
    return _smoothed(users, items, late, membership, prior, n_users, smoothing)


def _counted(
    users: np.ndarray, items: np.ndarray, membership: sparse.csr_matrix, n_users: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell which clicks count, how many of the same user do before each click, and how many of each user in all."""
    counted = first_grouped_clicks(users, items, membership)
    return counted, _count_before(users, counted), np.bincount(users[counted], minlength=n_users)


def _smoothed(
    users: np.ndarray,
    items: np.ndarray,
    chosen: np.ndarray,
    membership: sparse.csr_matrix,
    prior: np.ndarray,
    n_users: int,
    smoothing: float,
) -> np.ndarray:
    """Take the mean of q^i over the chosen clicks of each user and ``smoothing`` clicks of ``prior``: [n_users, N]."""
    shape = (n_users, membership.shape[0])
    clicks = sparse.csr_matrix((np.ones(chosen.sum()), (users[chosen], items[chosen])), shape=shape)
    n_chosen = np.bincount(users[chosen], minlength=n_users)
    return ((clicks @ membership).toarray() + smoothing * prior) / (n_chosen + smoothing)[:, None]


def _count_before(users: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Count the earlier clicks of the same user that are counted, shape [n_clicks]; clicks are in the order of time."""
    by_user = np.argsort(users, kind="stable")
    sums = np.cumsum(counted[by_user]) - counted[by_user]
    starts = np.searchsorted(users[by_user], users[by_user], side="left")
    n_before = np.empty(len(users), dtype=np.int64)
    n_before[by_user] = sums - sums[starts]
    return n_before
