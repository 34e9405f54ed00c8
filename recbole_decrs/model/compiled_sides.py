"""Sums up what one side adds to its pairs, with gradients in place, by loops that numba compiles."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import NamedTuple

import torch

from recbole_decrs.model.in_place_gradients import can_add_in_place, gradient_of
from recbole_decrs.model.touched_rows import name_rows


class Field(NamedTuple):
    """Holds where all users, or all items, have their rows in a table."""

    table: torch.Tensor
    """Shape [R, H]."""
    first_table: torch.Tensor
    """Of the first order, shape [R, 1]."""
    rows: torch.Tensor
    """Shape [N, L]."""
    weights: torch.Tensor
    """Of the rows of ``table``, shape [N, L]; 0 for padding."""
    first_weights: torch.Tensor
    """Of the rows of ``first_table``, shape [N, L]."""
    separate: bool
    """Whether each row is a feature of its own; else their sum is one."""
    greatest_row: int
    """The greatest of ``rows``, so that the tables are known to have them all."""


@cache
def loops() -> ModuleType | None:
    """Import the compiled loops; None where numba is not installed, is told not to compile, or cannot keep its code."""
    try:
        import numba

        from recbole_decrs.model import compiled_loops
    except (ImportError, RuntimeError):
        return None
    return None if numba.config.DISABLE_JIT else compiled_loops


def can_loop_over(table: torch.Tensor) -> bool:
    """Tell if the compiled loops are there, can go over a table, and are faster than torch.

    They have one thread, and were no faster than torch's operations with two.
    """
    known = table.dtype in (torch.float32, torch.float64) and table.device.type == "cpu" and table.is_contiguous()
    return known and torch.get_num_threads() == 1 and loops() is not None


def can_compile(fields: list[Field]) -> bool:
    """Tell if the loops can go over these fields, and nobody but ``table.grad`` waits for the gradients."""
    tables = [table for field in fields for table in field[:2]]
    one_type = len({table.dtype for table in tables}) == 1
    return one_type and all(map(can_loop_over, tables)) and can_add_in_place(*tables)


def side_of(fields: list[Field], ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Compute what users or items add to pairs, as :class:`~recbole_decrs.model.sides.SideFeatures` does.

    Args:
        fields: at least one; see :func:`can_compile`.
        ids: shape [n].

    Returns:
        The sum of the features and the sum over their pairs of the products, [n, H] each, and the first order, [n].

    Raises:
        IndexError: an id is none of the users or items, or a row is not in its table.
    """
    n_ids = len(fields[0].rows)
    for field in fields:
        if field.greatest_row >= min(len(field.table), len(field.first_table)):
            raise IndexError(f"a feature has row {field.greatest_row}, which its table is too short for")
    if len(ids):
        least, greatest = ids.aminmax()
        if least < 0 or greatest >= n_ids:
            raise IndexError(f"ids go from 0 to {n_ids - 1}, and {int(least)} to {int(greatest)} were asked for")
    tables = [table for field in fields for table in (field.table, field.first_table)]
    return _Side.apply(fields, ids, *tables)


class _Side(torch.autograd.Function):
    """With x a feature, d total / d x = 1 and d within / d x = total - x; a pooled field is one feature."""

    @staticmethod
    def forward(ctx, fields, ids, *tables):
        ids, (n, width) = ids.contiguous(), (len(ids), tables[0].shape[1])
        total, squares, first_order = (tables[0].new_zeros(shape) for shape in ((n, width), (n, width), (n,)))
        sums = [one.numpy() for one in (total, squares, first_order)]
        for field in fields:
            add = loops().add_features if field.separate else loops().add_pooled
            add(*(one.detach().numpy() for one in (*field[:5], ids)), *sums)
        loops().within_from(*sums[:2])
        ctx.fields = fields
        ctx.save_for_backward(ids, total)
        return total, squares, first_order

    @staticmethod
    def backward(ctx, of_total, of_within, of_first_order):
        ids, total = ctx.saved_tensors
        of_total, of_within, of_first_order = (
            one.contiguous().numpy() for one in (of_total, of_within, of_first_order)
        )
        given = ids.numpy(), total.numpy(), (of_total, of_within), of_first_order
        for field in ctx.fields:
            slopes = gradient_of(field.table), gradient_of(field.first_table)
            add = loops().features_backward if field.separate else loops().pooled_backward
            read = [one.detach().numpy() for one in (field.table, *field[2:5])]
            add(*read, *given, *(slope.numpy() for slope in slopes))
            for slope in slopes:
                name_rows(slope, field.rows, ids)
        return None, None, *(None for field in ctx.fields for _ in range(2))
