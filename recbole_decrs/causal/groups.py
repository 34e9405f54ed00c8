"""q^i: the probability of an item belonging to each group (Sec. 2.2.2)."""

from __future__ import annotations

import numpy as np


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
    membership = np.zeros((n_items, n_groups))
    membership[items, groups] = 1.0
    return membership_from_weights(membership)


def membership_from_weights(weights: np.ndarray) -> np.ndarray:
    """Make q^i of items that weigh their groups: each row of weights is divided by its sum.

    Args:
        weights: >= 0, shape [n_items, N].

    Returns:
        [n_items, N]; a row sums to 1, or to 0 where all its weights are 0.

    Raises:
        ValueError: a weight is negative or not finite.

    Example:
        >>> membership_from_weights([[0, 0], [3, 1]]).tolist()
        [[0.0, 0.0], [0.75, 0.25]]
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("group weights must be finite numbers >= 0")
    totals = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
