"""Groups items by popularity, where they have no groups of their own: head, middle and tail."""

from __future__ import annotations

import numpy as np

GROUPS = ("head", "middle", "tail")
"""The groups, from the most popular items to the least."""
SHARE = 0.2
"""The share of all clicks that the head has, and that the tail has."""


def popularity_groups(clicks: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Put each item into the head, the middle or the tail of popularity.

    After Abdollahpouri et al. (User-centered Evaluation of Popularity Bias in Recommender Systems, UMAP 2021) the head
    is the most popular items that together have a fifth of the clicks, the tail the least popular ones that together
    have a fifth, and the middle is between. Items with as many clicks are in the same group, so that no order among
    them decides: an item is of the head if the items with more clicks have less than ``share`` of all, else of the
    tail if the items with at most as many have at most ``share``.

    Args:
        clicks: how often each item is clicked, shape [n_items]; at least one of them.
        share: in (0, 0.5].

    Returns:
        places in :data:`GROUPS`, shape [n_items].

    Example:
        The first item has 6 of 10 clicks, the last three have 2.

        >>> [GROUPS[group] for group in popularity_groups(np.array([6, 2, 1, 1, 0]))]
        ['head', 'middle', 'tail', 'tail', 'tail']
    """
    numbers, places, n_items = np.unique(clicks, return_inverse=True, return_counts=True)
    of_number = numbers * n_items
    up_to = np.cumsum(of_number)  # of items with as many clicks, or fewer
    total = up_to[-1]
    is_head, is_tail = total - up_to < share * total, up_to <= share * total
    return np.where(is_head, 0, np.where(is_tail, 2, 1))[places]
