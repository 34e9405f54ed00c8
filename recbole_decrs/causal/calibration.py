"""C_KL (Steck 2018) and its kin measure how far a list's group distribution is from the user's history.

They take two arrays, or two CSR matrices, shape [n, N], of which they look only at what is not zero.
"""

from __future__ import annotations

import numpy as np

from recbole_decrs.causal.divergence import kl_divergence
from recbole_decrs.causal.over_groups import Distributions, sum_over_groups


def calibration_kl(history: Distributions, recommended: Distributions, smoothing: float = 0.01) -> np.ndarray:
    """Measure how badly lists are calibrated: C_KL = KL(p | q~) with q~ = (1 - s) q + s p (Steck 2018).

    Args:
        history: p, the user history distribution d_u, shape [..., N].
        recommended: q, the mean of q^i over the recommended items, shape [..., N].
        smoothing: s, in (0, 1].

    Returns:
        shape [...]; 0 is perfect calibration, smaller is better.

    Example:
        Half of a user's clicks are on each of two groups; one list keeps that, the other holds the first group alone,
        for which C_KL is 0.5 log(0.5 / 0.995) + 0.5 log(0.5 / 0.005).

        >>> calibration_kl([0.5, 0.5], [[0.5, 0.5], [1.0, 0.0]]).round(4).tolist()
        [0.0, 1.9585]
    """
    return kl_divergence(history, recommended, smoothing)


def hellinger(history: Distributions, recommended: Distributions) -> np.ndarray:
    """Measure the Hellinger distance sqrt(sum over groups of (sqrt(p) - sqrt(q))^2 / 2).

    Args:
        history: p, shape [..., N].
        recommended: q, shape [..., N].

    Returns:
        shape [...], in [0, 1].

    Example:
        Two distributions without a group in common are 1 apart.

        >>> hellinger([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]).tolist()
        [0.0, 1.0]
    """
    return np.sqrt(sum_over_groups(lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2, history, recommended) / 2)


def euclidean(history: Distributions, recommended: Distributions) -> np.ndarray:
    """Measure the Euclidean distance sqrt(sum over groups of (p - q)^2).

    Args:
        history: p, shape [..., N].
        recommended: q, shape [..., N].

    Returns:
        shape [...].

    Example:
        The two differ by 0.3 and by 0.4.

        >>> euclidean([0.6, 0.4, 0.0], [0.3, 0.4, 0.4]).round(4).tolist()
        0.5
    """
    return np.sqrt(sum_over_groups(lambda p, q: (p - q) ** 2, history, recommended))
