"""Measures how many item groups lists show, and how evenly: group coverage and the entropy of a list's groups."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import entr


def group_coverage(recommended: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Measure the share of all groups that lists show: |groups of the list's items| / N.

    It is the subtopic recall of Zhai, Cohen and Lafferty ("Beyond independent relevance", SIGIR 2003), S-recall at K,
    with item groups for the subtopics.

    Args:
        recommended: the mean of q^i over the items of each list, shape [n, N]; an array, or CSR.

    Returns:
        shape [n], in [0, 1]; 0 of an empty list.

    Example:
        The first list shows one of three groups, the second two.

        >>> group_coverage(np.array([[1.0, 0.0, 0.0], [0.8, 0.2, 0.0]])).round(4).tolist()
        [0.3333, 0.6667]
    """
    return np.asarray((recommended > 0).sum(axis=1)).ravel() / recommended.shape[1]


def aggregate_group_coverage(recommended: np.ndarray | sparse.csr_matrix) -> float:
    """Measure the share of all groups that at least one of the lists shows.

    It is the catalog coverage of Ge, Delgado-Battenfeld and Jannach ("Beyond accuracy", RecSys 2010), which RecBole has
    of items, of groups.

    Args:
        recommended: the mean of q^i over the items of each list, shape [n, N]; an array, or CSR.

    Returns:
        in [0, 1].

    Example:
        >>> aggregate_group_coverage(np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]))
        0.5
    """
    return float((np.asarray((recommended > 0).sum(axis=0)) > 0).mean())


def group_entropy(recommended: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Measure how evenly lists spread over groups: the entropy - sum over groups of q log q (Shannon 1948), in nats.

    Items without a group take no part: q is divided by its sum.

    Args:
        recommended: the mean of q^i over the items of each list, shape [n, N]; an array, or CSR.

    Returns:
        shape [n], from 0, all in one group, to log N, all groups alike; NaN where no item of a list has a group.

    Example:
        The second list is half and half of two groups, of which the entropy is log 2.

        >>> group_entropy(np.array([[1.0, 0.0], [0.5, 0.5]])).round(4).tolist()
        [0.0, 0.6931]
    """
    recommended = sparse.csr_matrix(recommended, dtype=np.float64)
    totals = np.asarray(recommended.sum(axis=1)).ravel()
    rows = np.repeat(np.arange(len(totals)), np.diff(recommended.indptr))
    shares = np.divide(recommended.data, totals[rows], out=np.zeros(len(rows)), where=totals[rows] > 0)
    found = np.bincount(rows, weights=entr(shares), minlength=len(totals))
    return np.where(totals > 0, found, np.nan)
