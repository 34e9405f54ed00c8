"""q^i: the probability of an item belonging to each group (Sec. 2.2.2)."""

from __future__ import annotations

import numpy as np


def membership_from_labels(items: np.ndarray, groups: np.ndarray, n_items: int, n_groups: int) -> np.ndarray:
    """q^i of items that name their groups: the same probability for each group an item names.

    Args:
        items: item ids, shape [n_labels].
        groups: the group that the item at the same place names, shape [n_labels], values in 0 ... N-1. A group
            named twice by one item counts once.
        n_items: number of rows of the result, the padding row 0 included.
        n_groups: N.

    Returns:
        [n_items, N]; a row sums to 1, or to 0 where the item names no group.
    """
    membership = np.zeros((n_items, n_groups))
    membership[items, groups] = 1.0
    return membership_from_weights(membership)


def membership_from_weights(weights: np.ndarray) -> np.ndarray:
    """q^i of items that weigh their groups: each row of non-negative weights [n_items, N], divided by its sum.

    Raises:
        ValueError: a weight is negative or not finite.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("group weights must be finite numbers >= 0")
    totals = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
