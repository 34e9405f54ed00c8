"""Interest drift: eta_u (Eq. 10) and eta-hat_u (Eq. 12)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recbole_decrs.causal.divergence import kl_divergence
from recbole_decrs.causal.history import user_history_distribution


def symmetric_kl(p: np.ndarray, q: np.ndarray, smoothing: float = 0.01) -> np.ndarray:
    """KL(p | q) + KL(q | p), the distance of Eq. 10.

    Args:
        p, q: distributions over groups, shape [..., N].
        smoothing: see :func:`recbole_decrs.causal.divergence.kl_divergence`.

    Returns:
        shape [...], >= 0.
    """
    return kl_divergence(p, q, smoothing) + kl_divergence(q, p, smoothing)


def interest_drift(
    users: np.ndarray, items: np.ndarray, membership: np.ndarray, n_users: int, smoothing: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """eta_u (Eq. 10): the symmetric KL divergence between the two halves of each user's history.

    The first half holds the first floor(n / 2) of the user's n grouped clicks. Repeated clicks on an item count
    once, at their first time; items without a group take no part.

    Args:
        users, items: one click per place, in the order of time, shape [n_clicks] each.
        membership: q^i, shape [n_items, N].
        n_users: number of rows of the results, the padding row 0 included.
        smoothing: of the divergence.

    Returns:
        eta_u, shape [n_users], 0 for users with fewer than two grouped clicks; and which users have two or more.
    """
    users, items = np.asarray(users), np.asarray(items)
    n_items = membership.shape[0]
    grouped = membership.sum(axis=1) > 0
    first_click = np.unique(users.astype(np.int64) * n_items + items, return_index=True)[1]
    kept = np.sort(first_click)
    kept = kept[grouped[items[kept]]]
    users, items = users[kept], items[kept]

    by_user = np.argsort(users, kind="stable")
    users, items = users[by_user], items[by_user]
    counts = np.bincount(users, minlength=n_users)
    place = np.arange(len(users)) - (np.cumsum(counts) - counts)[users]
    early = place < (counts // 2)[users]

    def distribution(part: np.ndarray) -> np.ndarray:
        clicks = sparse.csr_matrix((np.ones(part.sum()), (users[part], items[part])), shape=(n_users, n_items))
        return user_history_distribution(clicks, membership)

    drifting = counts >= 2
    drift = symmetric_kl(distribution(early), distribution(~early), smoothing)
    return np.where(drifting, drift, 0.0), drifting


def normalized_drift(drift: np.ndarray, alpha: float, counted: np.ndarray | None = None) -> np.ndarray:
    """eta-hat_u (Eq. 12): ((eta_u - eta_min) / (eta_max - eta_min)) ** alpha, in [0, 1].

    Args:
        drift: eta_u, shape [n_users].
        alpha: >= 0; towards 0 the weights rise, and with them the share of the deconfounded scores in Eq. 11.
        counted: which users the minimum and maximum run over, shape [n_users]; default all. The fraction of the
            others is cut to [0, 1].

    Returns:
        shape [n_users]. If all counted eta_u are equal the fraction is 0.
    """
    drift = np.asarray(drift, dtype=np.float64)
    over = drift if counted is None else drift[counted]
    if over.size == 0 or over.max() == over.min():
        return np.zeros_like(drift) ** alpha
    fraction = (drift - over.min()) / (over.max() - over.min())
    return np.clip(fraction, 0.0, 1.0) ** alpha
