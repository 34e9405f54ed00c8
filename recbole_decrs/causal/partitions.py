"""Computes the statistics of the users a part at a time, for clicks that do not fit one machine.

d_u and eta_u belong to one user, so whoever holds all clicks of some users computes theirs. Only two things need
everybody: d-bar, a mean weighted by clicks, of which sums are enough; and the least and the greatest eta_u, between
which Eq. 12 scales. A :class:`Summary` of each part holds these, and :func:`combine` makes one of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recbole_decrs.causal.drift import interest_drift, scaled_drift
from recbole_decrs.causal.history import grouped_clicks, user_history_distribution


@dataclass(frozen=True)
class Summary:
    """Holds what the parts of the users have to tell each other."""

    n_clicks: float
    """The sum over users of |H_u|."""
    group_clicks: np.ndarray
    """The sum over users of |H_u| d_u, [N]."""
    least_drift: float
    """The least eta_u of the users with enough clicks; infinite where there is none."""
    greatest_drift: float
    """The greatest eta_u of these; minus infinite where there is none."""

    @property
    def prior(self) -> np.ndarray:
        """Give d-bar (Sec. 2.2.2), [N].

        Raises:
            ValueError: no click is on an item with a group.
        """
        if self.n_clicks == 0:
            raise ValueError("no training click is on an item with a group")
        return self.group_clicks / self.n_clicks

    def normalized_drift(self, drift: np.ndarray, alpha: float) -> np.ndarray:
        """Bring eta_u of some users to eta-hat_u of Eq. 12, of which minimum and maximum run over all.

        Args:
            drift: eta_u, shape [n].
            alpha: the exponent, >= 0.

        Returns:
            [n], in [0, 1].
        """
        return scaled_drift(drift, alpha, self.least_drift, self.greatest_drift)


@dataclass(frozen=True)
class UserStatistics:
    """Holds the statistics of n users who are all there is to know of, or a part of them."""

    users: np.ndarray
    """Their ids, ascending, [n]."""
    user_distribution: np.ndarray
    """d_u (Eq. 3), [n, N]; rows sum to 1, or to 0 where a user has no grouped click."""
    n_clicks: np.ndarray
    """|H_u|, [n]: the grouped items that each has clicked."""
    drift: np.ndarray
    """eta_u (Eq. 10), [n], 0 for users with fewer grouped clicks than periods."""
    drifting: np.ndarray
    """True for users with enough grouped clicks, [n]."""

    @property
    def summary(self) -> Summary:
        """Sum up what others need to know of these users."""
        over = self.drift[self.drifting]
        return Summary(
            n_clicks=float(self.n_clicks.sum()),
            group_clicks=self.n_clicks @ self.user_distribution,
            least_drift=float(over.min(initial=np.inf)),
            greatest_drift=float(over.max(initial=-np.inf)),
        )


def statistics_of_users(
    users: np.ndarray,
    items: np.ndarray,
    membership: np.ndarray | sparse.csr_matrix,
    smoothing: float = 0.01,
    periods: int = 2,
) -> UserStatistics:
    """Compute d_u, |H_u| and eta_u of the users who have these clicks; of each user all clicks must be here.

    Args:
        users, items: the clicks, in the order of time, shape [n_clicks] each; users by any ids, items by their row of
            ``membership``.
        membership: q^i, shape [n_items, N], dense or sparse.
        smoothing, periods: as in :func:`recbole_decrs.causal.drift.interest_drift`.

    Example:
        Items 0 and 1 are of one group each. User 70 clicks on the one, then on the other; user 8 on the second alone.

        >>> part = statistics_of_users(np.array([70, 8, 70]), np.array([0, 1, 1]), np.eye(2))
        >>> part.users.tolist(), part.user_distribution.tolist(), part.drift.round(4).tolist()
        ([8, 70], [[0.0, 1.0], [0.5, 0.5]], [0.0, 9.2103])
        >>> part.summary.prior.round(4).tolist()
        [0.3333, 0.6667]
    """
    membership = sparse.csr_matrix(membership)
    ids, place = np.unique(users, return_inverse=True)
    clicks = sparse.csr_matrix((np.ones(len(place)), (place, items)), shape=(len(ids), membership.shape[0]))
    drift, drifting = interest_drift(place, items, membership, len(ids), smoothing, periods)
    return UserStatistics(
        users=ids,
        user_distribution=user_history_distribution(clicks, membership),
        n_clicks=grouped_clicks(clicks, membership),
        drift=drift,
        drifting=drifting,
    )


def combine(summaries: Iterable[Summary]) -> Summary:
    """Make one summary of those of parts of the users, of which there is at least one, in any order.

    Example:
        Three clicks on the first group and one on the second; of the second part no user has enough for a drift.

        >>> parts = [Summary(3, np.array([3.0, 0.0]), 1.0, 5.0), Summary(1, np.array([0.0, 1.0]), np.inf, -np.inf)]
        >>> everybody = combine(parts)
        >>> everybody.prior.tolist(), everybody.normalized_drift(np.array([1.0, 3.0]), alpha=1).tolist()
        ([0.75, 0.25], [0.0, 0.5])
    """
    summaries = list(summaries)
    return Summary(
        n_clicks=sum(part.n_clicks for part in summaries),
        group_clicks=np.sum([part.group_clicks for part in summaries], axis=0),
        least_drift=min(part.least_drift for part in summaries),
        greatest_drift=max(part.greatest_drift for part in summaries),
    )
