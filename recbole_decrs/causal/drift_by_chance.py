"""Measures the drift that users show by chance: eta_u (Eq. 10) of histories with clicks in random order.

Few clicks make two unlike halves even where nothing drifts, so eta_u rises as histories get shorter.
"""

from __future__ import annotations

import numpy as np

from recbole_decrs.causal.drift import interest_drift


def drift_by_chance(
    users: np.ndarray,
    items: np.ndarray,
    membership: np.ndarray,
    n_users: int,
    smoothing: float = 0.01,
    periods: int = 2,
    shuffles: int = 100,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Hold eta_u against that of the same clicks in random orders: a permutation test for each user.

    Args:
        users, items, membership, n_users, smoothing, periods: as :func:`~recbole_decrs.causal.drift.interest_drift`
            takes them.
        shuffles: how many random orders, >= 1.
        seed: of the random orders.

    Returns:
        The mean of eta_u over the random orders; and the p-value that eta_u is no more than chance, the share of the
        orders, the true one counted among them, with an eta_u as large; shape [n_users] each.

    Example:
        User 1 has clicked on three items of one group, then on three of the other, which is the most that two halves
        can differ, and comes about in 1 of 10 random orders; with the true order, which counts too, that is about 0.1.

        >>> membership = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
        >>> mean, p = drift_by_chance(np.zeros(6, int), np.arange(6), membership, n_users=1, shuffles=500)
        >>> round(float(p[0]), 1)
        0.1
    """
    users, items = np.asarray(users), np.asarray(items)
    true, _ = interest_drift(users, items, membership, n_users, smoothing, periods)
    total, as_large = np.zeros(n_users), np.ones(n_users)
    rng = np.random.default_rng(seed)
    for _ in range(shuffles):
        order = rng.permutation(len(users))
        drift, _ = interest_drift(users[order], items[order], membership, n_users, smoothing, periods)
        total += drift
        as_large += drift >= true * (1 - 1e-9)  # equal but for the order of additions
    return total / shuffles, as_large / (shuffles + 1)
