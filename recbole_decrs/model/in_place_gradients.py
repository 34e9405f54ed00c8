"""Looks up rows as :mod:`~recbole_decrs.model.lookups`, with gradients that are added to the tables' in place.

A gradient returned to autograd would be a new dense tensor of the table's size for each look-up in it, most of it
zeros: allocating those took nearly half of a training step. docs/fast-paths.md says why the gradients here are the
same, and when torch's own are taken.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from recbole_decrs.model import lookups
from recbole_decrs.model.owed_multiples import add_multiple, norm_of
from recbole_decrs.model.touched_rows import add_to_rows


def can_add_in_place(*tables: torch.Tensor) -> bool:
    """Tell if nobody but ``table.grad`` waits for the gradients of these tables.

    Somebody does if torch compiles (the compiler makes gradients of its own), if a table is frozen or is computed from
    other parameters, or if a hook is to see its gradient. On a GPU torch's own gradients are taken: to find the places
    that are used, and the norm as a number, the processor would have to wait for the device.
    """
    return not torch.compiler.is_compiling() and all(
        table.device.type == "cpu"
        and table.is_leaf
        and table.requires_grad
        and not table._backward_hooks
        and not getattr(table, "_post_accumulate_grad_hooks", None)
        for table in tables
    )


def keep_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimizer set gradients to zero where they are, so that no step allocates them anew."""
    optimizer.zero_grad = partial(optimizer.zero_grad, set_to_none=False)


def weighted_rows(table: torch.Tensor, first_table: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Compute :func:`recbole_decrs.model.lookups.weighted_rows`."""
    way = _WeightedRows.apply if can_add_in_place(table, first_table) else lookups.weighted_rows
    return way(table, first_table, *inputs)


def separate_rows(table: torch.Tensor, first_table: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Compute :func:`recbole_decrs.model.lookups.separate_rows`."""
    way = _SeparateRows.apply if can_add_in_place(table, first_table) else lookups.separate_rows
    return way(table, first_table, *inputs)


def total_and_within(table: torch.Tensor, first_table: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Compute :func:`recbole_decrs.model.lookups.total_and_within`."""
    way = _TotalAndWithin.apply if can_add_in_place(table, first_table) else lookups.total_and_within
    return way(table, first_table, *inputs)


def frobenius_norm(*tables: torch.Tensor) -> torch.Tensor:
    """Compute :func:`recbole_decrs.model.lookups.frobenius_norm`."""
    return _FrobeniusNorm.apply(*tables) if can_add_in_place(*tables) else lookups.frobenius_norm(*tables)


def gradient_of(table: torch.Tensor) -> torch.Tensor:
    """Get the gradient of a table to add to, zeros where it has none yet."""
    if table.grad is None:
        table.grad = torch.zeros_like(table)
    return table.grad


def _add_to_rows(table: torch.Tensor, rows: torch.Tensor, gradient: torch.Tensor) -> None:
    """Add to the gradient of some rows of a table, also where a row is named more than once."""
    add_to_rows(gradient_of(table), rows.flatten(), gradient.reshape(-1, gradient.shape[-1]))


def _used_places(rows: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """List the places that are not padding, as most are, in flat order; the sample and the table row of each."""
    used = weights.flatten().nonzero().squeeze(1)
    return used, used // rows.shape[1], rows.flatten()[used]


class _WeightedRows(torch.autograd.Function):
    """d field / d table[rows[:, l]] = weights[:, l]; the same of the first order with its own weights."""

    @staticmethod
    def forward(ctx, table, first_table, rows, weights, first):
        ctx.save_for_backward(rows, weights, first)
        ctx.tables = table, first_table
        return lookups.weighted_rows(table, first_table, rows, weights, first)

    @staticmethod
    def backward(ctx, of_field, of_first_order):
        rows, weights, first = ctx.saved_tensors
        used, sample, row = _used_places(rows, weights)
        for table, gradient, scale in zip(ctx.tables, (of_field, of_first_order), (weights, first), strict=True):
            of_used = gradient.index_select(0, sample).mul_(scale.flatten()[used].unsqueeze(1))
            _add_to_rows(table, row, of_used)
        return None, None, None, None, None


class _SeparateRows(torch.autograd.Function):
    """With y the weighted row l of a sample, d field / d y = 1 and d pairs / d y = field - y."""

    @staticmethod
    def forward(ctx, table, first_table, rows, weights, first):
        field, first_order, pairs = lookups.separate_rows(table, first_table, rows, weights, first)
        ctx.save_for_backward(rows, weights, first, field)
        ctx.tables = table, first_table
        return field, first_order, pairs

    @staticmethod
    def backward(ctx, of_field, of_first_order, of_pairs):
        rows, weights, first, field = ctx.saved_tensors
        table, first_table = ctx.tables
        used, sample, row = _used_places(rows, weights)
        weight, first_weight = (scale.flatten()[used].unsqueeze(1) for scale in (weights, first))
        shared = torch.addcmul(of_field, of_pairs, field).index_select(0, sample)
        own = table.detach().index_select(0, row).mul_(weight)
        _add_to_rows(table, row, shared.addcmul_(of_pairs.index_select(0, sample), own, value=-1).mul_(weight))
        _add_to_rows(first_table, row, of_first_order.index_select(0, sample).mul_(first_weight))
        return None, None, None, None, None


class _TotalAndWithin(torch.autograd.Function):
    """d total / d x_k = 1 and d within / d x_k = total - x_k, so the gradient of every field is one pass."""

    @staticmethod
    def forward(ctx, table, first_table, rows, *others):
        fields = nn.functional.embedding(rows, table)
        total, within = lookups.total_and_within_of(fields, others)
        ctx.save_for_backward(rows, fields, total, *others)
        ctx.tables = table, first_table
        return total, within, nn.functional.embedding_bag(rows, first_table, mode="sum")

    @staticmethod
    def backward(ctx, of_total, of_within, of_first_order):
        rows, fields, total, *others = ctx.saved_tensors
        table, first_table = ctx.tables
        shared = torch.addcmul(of_total, of_within, total)
        of_fields = torch.addcmul(shared.unsqueeze(1), of_within.unsqueeze(1), fields, value=-1)
        _add_to_rows(table, rows, of_fields)
        _add_to_rows(first_table, rows, of_first_order.expand(-1, rows.shape[1]).reshape(-1, 1))
        return None, None, None, *(torch.addcmul(shared, of_within, other, value=-1) for other in others)


class _FrobeniusNorm(torch.autograd.Function):
    """The gradient of a table is the table over the norm; 0 where the norm is 0."""

    @staticmethod
    def forward(ctx, *tables):
        ctx.tables = tables
        ctx.norm = torch.linalg.vector_norm(torch.stack([norm_of(table) for table in tables]))
        return ctx.norm

    @staticmethod
    def backward(ctx, gradient):
        scale = (gradient / ctx.norm).item() if ctx.norm > 0 else 0.0
        for table in ctx.tables:
            add_multiple(table, gradient_of(table), scale)
        return (None,) * len(ctx.tables)
