"""Leaves to the optimizer what a gradient has of the table itself, so that a step with a norm is one pass over a table.

The gradient of lambda * ||table|| is a multiple of the table. Added to ``table.grad`` it would be one pass over both,
the norm before it another, setting the gradient to 0 a third, and the update a fourth. Only an optimizer that knows of
it may be owed a multiple (:class:`~recbole_decrs.row_adagrad.RowAdagrad`), and only while nobody else reads gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass
class Owed:
    """Records the multiples that one table owes; kept as an attribute of it."""

    marks: np.ndarray
    """Room for marking rows of the table, shape [R]; all False between steps."""
    multiple: float = 0.0
    """The gradient of the table is ``table.grad + multiple * table``."""
    squares: float | None = None
    """The sum of the squares of the table as it was left by the last step; None before the first."""
    version: int = -1
    """The table's count of changes at that time."""


def owed_of(table: torch.Tensor) -> Owed | None:
    """Find the record of a table; None if its gradient is to be whole after each backward pass."""
    return getattr(table, "_owed", None)


def norm_of(table: torch.Tensor) -> torch.Tensor:
    """Take the Frobenius norm of a table, which a step that knew the table may have left behind: shape [].

    A change through ``table.data``, which torch does not count, is not seen until the epoch ends.
    """
    owed = owed_of(table)
    if owed is None or owed.squares is None or owed.version != table._version:
        return torch.linalg.vector_norm(table.detach())
    return table.new_tensor(owed.squares**0.5)


def add_multiple(table: torch.Tensor, gradient: torch.Tensor, multiple: float) -> None:
    """Add ``multiple * table`` to the gradient of a table, now or in the step to come."""
    owed = owed_of(table)
    if owed is None:
        gradient.add_(table, alpha=multiple)
    else:
        owed.multiple += multiple
