"""Computes d_u, the user history distribution over item groups (Eq. 3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from recbole_decrs.causal.parts import in_parts


def user_history_distribution(clicks: sparse.csr_matrix, membership: np.ndarray) -> np.ndarray:
    """Compute d_u (Eq. 3), the mean of q^i over the items that user u has clicked.

    A click counts once per (user, item); items without a group (an all-zero row of ``membership``) are left out.

    Args:
        clicks: any non-zero value is a click, shape [n_users, n_items].
        membership: q^i, shape [n_items, N]; dense, or sparse where there are many groups.

    Returns:
        [n_users, N]; a row sums to 1, or to 0 where the user has no click on a grouped item.

    Example:
        User 1 has clicked on item 1, of the first group, and on item 2, of both.

        >>> membership = np.array([[0, 0], [1, 0], [0.5, 0.5]])
        >>> user_history_distribution(sparse.csr_matrix([[0, 0, 0], [0, 1, 1]]), membership).tolist()
        [[0.0, 0.0], [0.75, 0.25]]
    """
    return sparse_user_history(clicks, membership).toarray()


def sparse_user_history(clicks: sparse.csr_matrix, membership: np.ndarray | sparse.csr_matrix) -> sparse.csr_matrix:
    """Compute d_u as :func:`user_history_distribution` does, as a CSR matrix.

    Example:
        >>> clicks, membership = sparse.csr_matrix([[0, 1, 1]]), np.array([[0, 0], [1, 0], [0.5, 0.5]])
        >>> sparse_user_history(clicks, membership).toarray().tolist()
        [[0.75, 0.25]]
    """
    clicks, membership = clicked_once(clicks), sparse.csr_matrix(membership)
    distribution = clicks @ membership
    distribution.sort_indices()
    distribution.data /= np.repeat(grouped_clicks(clicks, membership), np.diff(distribution.indptr))
    return distribution


def grouped_clicks(clicks: sparse.csr_matrix, membership: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Count |H_u| of Eq. 3, the items with a group that each user has clicked.

    Args:
        clicks: any non-zero value is a click, shape [n_users, n_items].
        membership: q^i, shape [n_items, N].

    Returns:
        [n_users].

    Example:
        Item 2 has no group.

        >>> grouped_clicks(sparse.csr_matrix([[1, 1], [0, 1]]), np.array([[1], [0]])).tolist()
        [1.0, 0.0]
    """
    return clicked_once(clicks) @ has_group(membership).astype(np.float64)


def has_group(membership: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Tell which items have a group, shape [n_items].

    Args:
        membership: q^i, shape [n_items, N].

    Example:
        >>> has_group(np.array([[0.0, 0.0], [0.5, 0.5]])).tolist()
        [False, True]
    """
    return np.asarray(membership.sum(axis=1)).ravel() > 0


def first_grouped_clicks(
    users: np.ndarray, items: np.ndarray, membership: np.ndarray | sparse.csr_matrix
) -> np.ndarray:
    """Tell which clicks are the first of a user on an item that has a group, shape [n_clicks].

    Args:
        users, items: the clicks in the order of time, shape [n_clicks] each.
        membership: q^i, shape [n_items, N].

    Example:
        The second click repeats the first, and item 0 has no group.

        >>> membership = np.array([[0.0, 0.0], [0.5, 0.5]])
        >>> first_grouped_clicks(np.array([1, 1, 1]), np.array([1, 1, 0]), membership).tolist()
        [True, False, False]
    """
    counted = has_group(membership)[items]
    places = np.flatnonzero(counted)
    size = (users.max(initial=0) + 1, membership.shape[0])
    once = sparse.csr_matrix((np.ones(len(places), dtype=np.int8), (users[places], items[places])), shape=size)
    if once.nnz < len(places):  # rare, and the only step that sorts all clicks
        codes = users[places].astype(np.int64) * membership.shape[0] + items[places]
        counted[:] = False
        counted[places[np.unique(codes, return_index=True)[1]]] = True
    return counted


def group_totals(weights: sparse.csr_matrix, membership: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Sum weight * q^i over the items of each user, some users at a time.

    Args:
        weights: of items for users, shape [n_users, n_items].
        membership: q^i, shape [n_items, N].

    Yields:
        The rows of some users, and their sums, shape [n rows, N].

    Example:
        >>> weights, membership = sparse.csr_matrix([[2.0, 1.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
        >>> [(rows, totals.tolist()) for rows, totals in group_totals(weights, membership)]
        [(slice(0, 1, None), [[2.5, 0.5]])]
    """
    membership = sparse.csr_matrix(membership)
    for rows in in_parts(weights.shape[0], membership.shape[1]):
        yield rows, (weights[rows] @ membership).toarray()


def normalized(totals: np.ndarray, n_clicks: np.ndarray) -> np.ndarray:
    """Divide each row of totals [n, N] by its number of clicks [n]; a row without clicks becomes 0.

    Example:
        >>> normalized(np.array([[3.0, 1.0], [0.0, 0.0]]), np.array([4, 0])).tolist()
        [[0.75, 0.25], [0.0, 0.0]]
    """
    n_clicks = n_clicks[:, None]
    return np.divide(totals, n_clicks, out=np.zeros_like(totals), where=n_clicks > 0)


def clicked_once(clicks: sparse.csr_matrix) -> sparse.csr_matrix:
    """Put 1 in the place of every click, so that each counts once per (user, item).

    Args:
        clicks: any non-zero value is a click, shape [n_users, n_items].

    Example:
        >>> clicked_once(sparse.csr_matrix([[0, 3, 1]])).toarray().tolist()
        [[0.0, 1.0, 1.0]]
    """
    clicks = sparse.csr_matrix(clicks)
    return sparse.csr_matrix(((clicks.data != 0).astype(np.float64), clicks.indices, clicks.indptr), shape=clicks.shape)
