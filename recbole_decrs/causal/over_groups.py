"""Sums over the groups of two distributions, whose cost does not grow with the groups that neither of them has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

Distributions = np.ndarray | sparse.csr_matrix
"""Distributions over N groups: an array of shape [..., N], or a CSR matrix of shape [n, N] where most are zero."""


def sum_over_groups(
    term: Callable[[np.ndarray, np.ndarray], np.ndarray], p: Distributions, q: Distributions
) -> np.ndarray:
    """Sum term(p_n, q_n) over the groups n.

    Args:
        term: of equally many probabilities under p and under q, element by element; term(0, 0) must be 0.
        p, q: both arrays, shape [..., N], or both CSR, shape [n, N].

    Returns:
        shape [...], or [n].

    Example:
        >>> p, q = np.array([[0.5, 0.5, 0.0]]), np.array([[0.0, 1.0, 0.0]])
        >>> sum_over_groups(lambda p, q: (p - q) ** 2, p, q).tolist()
        [0.5]
        >>> sum_over_groups(lambda p, q: (p - q) ** 2, sparse.csr_matrix(p), sparse.csr_matrix(q)).tolist()
        [0.5]
    """
    if not sparse.issparse(p):
        return np.sum(term(np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)), axis=-1)
    pairs = sparse.csr_matrix(p + 1j * q)  # has p_n and q_n side by side, exactly, wherever one of them is not 0
    rows = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    terms = term(pairs.data.real.copy(), pairs.data.imag.copy())
    return np.bincount(rows, weights=terms, minlength=pairs.shape[0])
