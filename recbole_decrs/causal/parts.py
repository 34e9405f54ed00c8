"""Holds matrices over groups densely a part at a time, and tells when they are better held sparsely."""

from __future__ import annotations

from collections.abc import Iterator

from scipy import sparse

CELLS_AT_ONCE = 1 << 20
"""Cells of a matrix that are held densely at a time, 8 MiB of them, where the whole is not asked for."""


def in_parts(n_rows: int, n_groups: int) -> Iterator[slice]:
    """Cut rows over groups into parts of at most :data:`CELLS_AT_ONCE` cells, or of a single row.

    Example:
        >>> [rows.stop for rows in in_parts(2500, 1 << 10)]
        [1024, 2048, 2500]
    """
    step = max(1, CELLS_AT_ONCE // max(1, n_groups))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def is_mostly_zeros(matrix: sparse.csr_matrix) -> bool:
    """Tell if a matrix takes less room by its other values alone, each of which needs the place of its group as well.

    Example:
        >>> is_mostly_zeros(sparse.csr_matrix([[0.0, 0.0, 1.0]])), is_mostly_zeros(sparse.csr_matrix([[0.5, 0.5]]))
        (True, False)
    """
    return matrix.nnz * 2 < matrix.shape[0] * matrix.shape[1]
