"""Estimates the paper's confounder from training clicks: d_u, P(d_u), the prior d-bar (Sec. 2.2.2, 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from recbole_decrs.causal.drift import all_alike, interest_drift, normalized_drift
from recbole_decrs.causal.history import grouped_clicks, has_group, sparse_user_history
from recbole_decrs.causal.parts import is_mostly_zeros

PRIORS = ("interaction", "item", "uniform", "user", "learned")
"""The distributions that may stand for d-bar in M; see :meth:`Confounder.prior_for`.

One more, of each user's later clicks, asks for the clicks themselves: :func:`recbole_decrs.causal.recent_distribution`.
"""


@dataclass(frozen=True)
class Confounder:
    """Holds the user history distributions over N item groups and the statistics that follow from them.

    Row 0 of every user and item axis is RecBole's padding and holds zeros. The two matrices are kept as CSR, which is
    small where a user and an item have few of all groups, and at most half as large again as an array where they have
    all of them.
    """

    group_names: tuple[str, ...]
    """Names of the N groups."""
    sparse_membership: sparse.csr_matrix
    """q^i, [n_items, N]; rows sum to 1, or to 0 where an item has no group."""
    sparse_user_distribution: sparse.csr_matrix
    """d_u (Eq. 3), [n_users, N]; rows sum to 1, or to 0 where a user has no grouped click."""
    n_clicks: np.ndarray
    """|H_u|, [n_users]: the grouped items that each user has clicked in training."""
    prior: np.ndarray
    """d-bar = sum over users of P(d_u) d_u, [N], with P(d_u) = clicks of u / all clicks."""
    drift: np.ndarray | None
    """eta_u (Eq. 10), [n_users], 0 for users with fewer grouped clicks than periods; None without timestamps."""
    drifting: np.ndarray | None
    """True for users with a grouped click or more a period, [n_users]; Eq. 12 runs over these."""

    @cached_property
    def membership(self) -> np.ndarray:
        """Give q^i of all items as an array, [n_items, N], made when it is first asked for: large where both are."""
        return self.sparse_membership.toarray()

    @cached_property
    def user_distribution(self) -> np.ndarray:
        """Give d_u of all users as an array, [n_users, N], made when it is first asked for: large where both are."""
        return self.sparse_user_distribution.toarray()

    def membership_of(self, items: np.ndarray) -> np.ndarray:
        """Hand out q^i of some items.

        Args:
            items: item ids, shape [...].

        Returns:
            [..., N].
        """
        return _rows_of(self.sparse_membership, items)

    def distribution_of(self, users: np.ndarray) -> np.ndarray:
        """Hand out d_u of some users.

        Args:
            users: user ids, shape [...].

        Returns:
            [..., N].
        """
        return _rows_of(self.sparse_user_distribution, users)

    @property
    def one_drift(self) -> bool:
        """Tell if eta_u is the same for all users that Eq. 12 runs over, so that it gives everyone the same weight."""
        return all_alike(self.drift[self.drifting])

    def normalized_drift(self, alpha: float) -> np.ndarray:
        """Bring eta_u to the weights eta-hat_u of Eq. 12, [n_users], in [0, 1]; 0 in the padding row.

        Args:
            alpha: the exponent, >= 0.
        """
        weight = normalized_drift(self.drift, alpha, self.drifting)
        weight[0] = 0.0
        return weight

    def prior_for(self, kind: str) -> np.ndarray | sparse.csr_matrix:
        """Choose the distribution that stands for d-bar in M(d-bar, u).

        Args:
            kind: ``interaction``: d-bar as the paper defines it; ``item``: the mean of q^i over the catalogue, as
                in the authors' code; ``uniform``: 1 / N. Controls: ``user``: d_u itself, the confounded twin of
                Eq. 1d; ``learned``: a single group of probability 1, that is one free vector in place of the sum
                over groups.

        Returns:
            [N]; for ``user`` [n_users, N], as CSR where that is smaller; for ``learned`` [1].

        Raises:
            ValueError: ``kind`` is none of these.
        """
        if kind == "interaction":
            return self.prior
        if kind == "item":
            n_grouped = has_group(self.sparse_membership).sum()
            return np.asarray(self.sparse_membership.sum(axis=0)).ravel() / n_grouped
        if kind == "uniform":
            return np.full_like(self.prior, 1 / len(self.prior))
        if kind == "user":
            is_sparse = is_mostly_zeros(self.sparse_user_distribution)
            return self.sparse_user_distribution if is_sparse else self.user_distribution
        if kind == "learned":
            return np.ones(1)
        raise ValueError(f"confounder_prior must be one of {', '.join(PRIORS)}, not {kind!r}")


def _rows_of(matrix: sparse.csr_matrix, ids: np.ndarray) -> np.ndarray:
    ids = np.asarray(ids)
    return matrix[ids.ravel()].toarray().reshape(*ids.shape, matrix.shape[1])


def expected_distribution(user_distribution: np.ndarray | sparse.csr_matrix, n_clicks: np.ndarray) -> np.ndarray:
    """Compute d-bar, the sum over users of P(d_u) d_u with P(d_u) = clicks of u / all clicks (Sec. 2.2.2).

    Args:
        user_distribution: d_u, shape [n_users, N]; an array or a CSR matrix.
        n_clicks: |H_u|, shape [n_users], not all zero.

    Returns:
        [N], sums to 1.

    Example:
        A user with three clicks on the first group, and one with a click on the second.

        >>> expected_distribution([[1.0, 0.0], [0.0, 1.0]], [3, 1]).tolist()
        [0.75, 0.25]
    """
    n_clicks = np.asarray(n_clicks, dtype=np.float64)
    if not sparse.issparse(user_distribution):
        user_distribution = np.asarray(user_distribution, dtype=np.float64)
    return user_distribution.T @ n_clicks / n_clicks.sum()


def estimate_confounder(
    group_names: tuple[str, ...],
    membership: np.ndarray | sparse.csr_matrix,
    users: np.ndarray,
    items: np.ndarray,
    n_users: int,
    history: tuple[np.ndarray, np.ndarray] | None = None,
    smoothing: float = 0.01,
    periods: int = 2,
) -> Confounder:
    """Compute every statistic of DecRS from the training clicks.

    Args:
        group_names: names of the N groups.
        membership: q^i, shape [n_items, N]; an array, or a CSR matrix where there are many items and groups.
        users, items: the training clicks, shape [n_clicks] each, in any order.
        n_users: number of users, the padding row 0 included.
        history: users and items of the clicks that eta_u is measured on, in the order of time; None where the
            time of clicks is unknown, and then there is no drift.
        smoothing: of the divergence in Eq. 10.
        periods: that eta_u is measured over; the paper's are two.

    Raises:
        ValueError: no click is on an item with a group.

    Example:
        Item 1 is an action film, item 2 a drama. User 1 clicks on the one, then on the other; user 2 on the drama.

        >>> users, items = np.array([1, 2, 1]), np.array([1, 2, 2])
        >>> membership = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> confounder = estimate_confounder(("action", "drama"), membership, users, items, 3, (users, items))
        >>> confounder.user_distribution.tolist()
        [[0.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
        >>> confounder.prior.round(4).tolist(), confounder.drift.round(4).tolist()
        ([0.3333, 0.6667], [0.0, 9.2103, 0.0])
    """
    membership = sparse.csr_matrix(membership, dtype=np.float64)
    clicks = sparse.csr_matrix((np.ones(len(users)), (users, items)), shape=(n_users, membership.shape[0]))
    n_clicks = grouped_clicks(clicks, membership)
    if not n_clicks.any():
        raise ValueError("no training click is on an item with a group")
    user_distribution = sparse_user_history(clicks, membership)
    drift = drifting = None
    if history is not None:
        drift, drifting = interest_drift(*history, membership, n_users, smoothing, periods)
    return Confounder(
        group_names=tuple(group_names),
        sparse_membership=membership,
        sparse_user_distribution=user_distribution,
        n_clicks=n_clicks,
        prior=expected_distribution(user_distribution, n_clicks),
        drift=drift,
        drifting=drifting,
    )
