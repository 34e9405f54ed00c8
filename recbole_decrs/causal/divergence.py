"""Computes Kullback-Leibler divergences between group distributions, smoothed as Steck 2018 and the authors do."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from recbole_decrs.causal.over_groups import Distributions, sum_over_groups

NEGLIGIBLE = 1e-5
"""Groups whose probability under p lies below this take no part in KL(p | q)."""


def kl_divergence(p: Distributions, q: Distributions, smoothing: float = 0.01) -> np.ndarray:
    """Measure the smoothed Kullback-Leibler divergence of q from p, in nats.

    KL(p | q) = sum over groups n with p_n >= 1e-5 of p_n log(p_n / ((1 - s) q_n + s p_n)). The smoothing s keeps it
    finite where q gives a group of p no probability (Steck 2018).

    Args:
        p, q: distributions over groups, shape [..., N]; or both CSR matrices, shape [n, N].
        smoothing: s, in (0, 1].

    Returns:
        shape [...].

    Example:
        Without smoothing it would be infinite; with it, it is log(1 / 0.01).

        >>> kl_divergence([1.0, 0.0], [0.0, 1.0], smoothing=0.01).round(4).tolist()
        4.6052
    """

    def term(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        counted = p >= NEGLIGIBLE
        ratio = np.divide(p, (1 - smoothing) * q + smoothing * p, out=np.ones_like(p * q), where=counted)
        # The logarithm of the C library: numpy's own has another last digit in numpy 2 than in numpy 1.
        return xlogy(np.where(counted, p, 0.0), ratio)

    return sum_over_groups(term, p, q)
