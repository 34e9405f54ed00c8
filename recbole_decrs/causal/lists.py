"""Averages q^i over the items of recommended lists, at each of several lengths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse


def list_distributions(
    items: np.ndarray, listed: np.ndarray, membership: sparse.csr_matrix, lengths: Iterable[int]
) -> Iterator[tuple[int, sparse.csr_matrix]]:
    """Average q^i over the first k items of lists, for several k; a longer list goes on from the shorter one's sums.

    Args:
        items: item ids in the order of the lists, shape [n_lists, K].
        listed: False where a list has come to its end, shape [n_lists, K].
        membership: q^i, shape [n_items, N].
        lengths: the lengths k, each at most K.

    Yields:
        k, in rising order, and the means, CSR, shape [n_lists, N]; 0 where a list is empty.

    Example:
        >>> membership = sparse.csr_matrix([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> items, listed = np.array([[1, 2]]), np.array([[True, True]])
        >>> [(k, mean.toarray().tolist()) for k, mean in list_distributions(items, listed, membership, [1, 2])]
        [(1, [[1.0, 0.0]]), (2, [[0.5, 0.5]])]
    """
    totals = sparse.csr_matrix((len(items), membership.shape[1]))
    counts = np.zeros(len(items), dtype=np.int64)
    done = 0
    for k in sorted(set(lengths)):
        within = listed[:, done:k]
        added = within.sum(axis=1)
        starts = np.concatenate([[0], np.cumsum(added)])
        chosen = items[:, done:k][within]
        selection = sparse.csr_matrix((np.ones(len(chosen)), chosen, starts), shape=(len(items), membership.shape[0]))
        totals, counts, done = totals + selection @ membership, counts + added, k
        mean = totals.copy()
        mean.data /= np.repeat(np.maximum(counts, 1), np.diff(mean.indptr))
        yield k, mean
