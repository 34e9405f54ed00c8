"""Computes q^i, the probability of an item belonging to each group (Sec. 2.2.2)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recbole_decrs.causal.parts import in_parts


def membership_from_labels(items: np.ndarray, groups: np.ndarray, n_items: int, n_groups: int) -> np.ndarray:
    """Make q^i of items that name their groups: each group that an item names has the same probability.

    Args:
        items: item ids, shape [n_labels].
        groups: the group that the item at the same place names, shape [n_labels], values in 0 ... N-1. A group
            named twice by one item counts once.
        n_items: number of rows of the result, the padding row 0 included.
        n_groups: N.

    Returns:
        [n_items, N]; a row sums to 1, or to 0 where the item names no group.

    Example:
        Item 1 names the groups 0 and 1, item 2 the group 1; item 0 is padding.

        >>> membership_from_labels([1, 1, 2], [0, 1, 1], n_items=3, n_groups=2).tolist()
        [[0.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    return sparse_membership(items, groups, n_items, n_groups).toarray()


def sparse_membership(items: np.ndarray, groups: np.ndarray, n_items: int, n_groups: int) -> sparse.csr_matrix:
    """Make q^i of items that name their groups, as a CSR matrix, which is small where an item names few of many groups.

    Args:
        items, groups, n_items, n_groups: as of :func:`membership_from_labels`, whose array this is.

    Returns:
        [n_items, n_groups]; a row sums to 1, or to 0 where the item names no group.

    Example:
        >>> sparse_membership([1, 1, 1], [0, 1, 1], n_items=2, n_groups=2).toarray().tolist()
        [[0.0, 0.0], [0.5, 0.5]]
    """
    named = sparse.csr_matrix((np.ones(len(items)), (items, groups)), shape=(n_items, n_groups))
    named.data[:] = 1.0  # where a group is named twice, its two are summed
    return membership_from_weights(named)


def membership_from_weights(weights: np.ndarray | sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
    """Make q^i of items that weigh their groups: each row of weights is divided by its sum.

    Args:
        weights: >= 0, shape [n_items, N]; an array or a CSR matrix.

    Returns:
        [n_items, N], of the kind of ``weights``; a row sums to 1, or to 0 where all its weights are 0.

    Raises:
        ValueError: a weight is negative or not finite.

    Example:
        >>> membership_from_weights([[0, 0], [3, 1]]).tolist()
        [[0.0, 0.0], [0.75, 0.25]]
    """
    is_sparse = sparse.issparse(weights)
    weights = weights.astype(np.float64) if is_sparse else np.asarray(weights, dtype=np.float64)
    values = weights.data if is_sparse else weights
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("group weights must be finite numbers >= 0")
    if is_sparse:
        weights.eliminate_zeros()
        # Summed as dense rows are, so that q^i is the same to the last digit.
        totals = [weights[rows].toarray().sum(axis=1) for rows in in_parts(*weights.shape)]
        weights.data /= np.repeat(np.concatenate([np.empty(0), *totals]), np.diff(weights.indptr))
        return weights
    totals = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
