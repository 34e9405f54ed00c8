"""Measures a user's interest drift eta_u (Eq. 10), and brings it on a scale from 0 to 1, eta-hat_u (Eq. 12)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import sparse

from recbole_decrs.causal.divergence import kl_divergence
from recbole_decrs.causal.history import first_grouped_clicks, group_totals, normalized

ROUNDING = 1e-12
"""Drifts that lie no further apart differ by rounding, which Eq. 12 would blow up to weights from 0 to 1."""


def symmetric_kl(p: np.ndarray, q: np.ndarray, smoothing: float = 0.01) -> np.ndarray:
    """Measure the distance of Eq. 10 between two distributions, KL(p | q) + KL(q | p).

    Args:
        p, q: distributions over groups, shape [..., N].
        smoothing: see :func:`recbole_decrs.causal.divergence.kl_divergence`.

    Returns:
        shape [...], >= 0.

    Example:
        From one group to another, each of the two divergences is log(1 / 0.01).

        >>> symmetric_kl([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]).round(4).tolist()
        [0.0, 9.2103]
    """
    return kl_divergence(p, q, smoothing) + kl_divergence(q, p, smoothing)


def interest_drift(
    users: np.ndarray,
    items: np.ndarray,
    membership: np.ndarray,
    n_users: int,
    smoothing: float = 0.01,
    periods: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
    """Measure eta_u (Eq. 10), the symmetric KL divergence between the two halves of each user's history.

    The first half holds the first floor(n / 2) of the user's n grouped clicks. Repeated clicks on an item count
    once, at their first time; items without a group take no part. With more than the paper's two periods, period k
    ends after floor(k n / periods) clicks, and eta_u is the mean divergence of neighbouring periods.

    Args:
        users, items: one click per place, in the order of time, shape [n_clicks] each.
        membership: q^i, shape [n_items, N], dense or sparse.
        n_users: number of rows of the results, the padding row 0 included.
        smoothing: of the divergence.
        periods: >= 2.

    Returns:
        eta_u, shape [n_users], 0 for users with fewer grouped clicks than periods; and which users have enough.

    Example:
        Items 1 and 2 are of one group each. User 1 clicks on the one, then on the other; user 2 has a single click.

        >>> membership = np.array([[0, 0], [1, 0], [0, 1]])
        >>> drift, enough = interest_drift([1, 2, 1], [1, 1, 2], membership, n_users=3)
        >>> drift.round(4).tolist(), enough.tolist()
        ([0.0, 9.2103, 0.0], [False, True, False])
    """
    membership = sparse.csr_matrix(membership)
    users, items = np.asarray(users), np.asarray(items)
    kept = first_grouped_clicks(users, items, membership)
    users, items = users[kept], items[kept]
    by_user = _grouped_by_user(users, items, (n_users, membership.shape[0]))
    counts = np.diff(by_user.indptr).astype(np.int64)
    place = np.arange(len(users)) - np.repeat(by_user.indptr[:-1], counts)
    if periods > counts.max(initial=0):
        return np.zeros(n_users), np.zeros(n_users, dtype=bool)
    ends = [number * counts // periods for number in range(periods + 1)]

    def period(number: int) -> sparse.csr_matrix:
        within = (place >= np.repeat(ends[number], counts)) & (place < np.repeat(ends[number + 1], counts))
        return sparse.csr_matrix((within.astype(np.float64), by_user.indices, by_user.indptr), shape=by_user.shape)

    drift = np.empty(n_users)
    for groups in zip(*(group_totals(period(number), membership) for number in range(periods)), strict=True):
        rows = groups[0][0]
        shares = [
            normalized(totals, (ends[number + 1] - ends[number])[rows]) for number, (_, totals) in enumerate(groups)
        ]
        drift[rows] = np.mean([symmetric_kl(p, q, smoothing) for p, q in pairwise(shares)], axis=0)
    drifting = counts >= periods
    return np.where(drifting, drift, 0.0), drifting


def _grouped_by_user(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """List the items of each user in the order given, as a CSR matrix whose column indices are not sorted."""
    clicks = sparse.coo_matrix((np.ones(len(users), dtype=np.int8), (users, items)), shape=shape)
    clicks.has_canonical_format = True  # there are no duplicates, so nothing is sorted or summed
    return clicks.tocsr()


def normalized_drift(drift: np.ndarray, alpha: float, counted: np.ndarray | None = None) -> np.ndarray:
    """Bring drifts to the weights of Eq. 11: eta-hat_u = ((eta_u - eta_min) / (eta_max - eta_min)) ** alpha (Eq. 12).

    Args:
        drift: eta_u, shape [n_users].
        alpha: >= 0; towards 0 the weights rise, and with them the share of the deconfounded scores in Eq. 11.
        counted: which users the minimum and maximum run over, shape [n_users]; default all. The fraction of the
            others is cut to [0, 1].

    Returns:
        shape [n_users], in [0, 1]. If all counted eta_u are equal the fraction is 0.

    Example:
        >>> normalized_drift([2.0, 4.0, 6.0], alpha=2).tolist()
        [0.0, 0.25, 1.0]
    """
    drift = np.asarray(drift, dtype=np.float64)
    over = drift if counted is None else drift[counted]
    return scaled_drift(drift, alpha, over.min(initial=np.inf), over.max(initial=-np.inf))


def scaled_drift(drift: np.ndarray, alpha: float, least: float, greatest: float) -> np.ndarray:
    """Compute eta-hat_u of Eq. 12 from the least and the greatest eta_u, which may be those of more users.

    Args:
        drift: eta_u, shape [n_users].
        alpha: as in :func:`normalized_drift`.
        least, greatest: between which eta_u is scaled; the other way round where nobody has a drift.

    Returns:
        shape [n_users], in [0, 1]. If both are equal but for rounding the fraction is 0.

    Example:
        >>> scaled_drift(np.array([2.0, 4.0]), alpha=1, least=0.0, greatest=8.0).tolist()
        [0.25, 0.5]
    """
    if greatest - least <= ROUNDING:
        return np.zeros_like(drift) ** alpha
    return np.clip((drift - least) / (greatest - least), 0.0, 1.0) ** alpha


def all_alike(drift: np.ndarray) -> bool:
    """Tell if eta_u is the same for all of some users, shape [n_users], but for rounding; also if there are none.

    Example:
        >>> all_alike(np.array([2.0, 2.0])), all_alike(np.array([2.0, 2.1]))
        (True, False)
    """
    return drift.size == 0 or float(np.ptp(drift)) <= ROUNDING
