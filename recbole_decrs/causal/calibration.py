"""C_KL (Steck 2018) and its kin: how far a list's group distribution is from the user's history."""

from __future__ import annotations

import numpy as np

from recbole_decrs.causal.divergence import kl_divergence


def calibration_kl(history: np.ndarray, recommended: np.ndarray, smoothing: float = 0.01) -> np.ndarray:
    """C_KL = KL(p | q~) with q~ = (1 - s) q + s p; 0 is perfect calibration, smaller is better.

    Args:
        history: p, the user history distribution d_u, shape [..., N].
        recommended: q, the mean of q^i over the recommended items, shape [..., N].
        smoothing: s, in (0, 1].

    Returns:
        shape [...].
    """
    return kl_divergence(history, recommended, smoothing)


def hellinger(history: np.ndarray, recommended: np.ndarray) -> np.ndarray:
    """Hellinger distance sqrt(sum (sqrt(p) - sqrt(q))^2 / 2), shapes [..., N], [..., N] -> [...], in [0, 1]."""
    return np.sqrt(np.sum((np.sqrt(history) - np.sqrt(recommended)) ** 2, axis=-1) / 2)


def euclidean(history: np.ndarray, recommended: np.ndarray) -> np.ndarray:
    """Euclidean distance sqrt(sum (p - q)^2), shapes [..., N], [..., N] -> [...]."""
    return np.sqrt(np.sum((np.asarray(history) - np.asarray(recommended)) ** 2, axis=-1))
