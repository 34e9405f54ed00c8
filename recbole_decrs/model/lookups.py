"""Sums rows of embedding tables, by formulas that torch differentiates by itself."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def weights_of_table(tables: nn.Module, kind: str, place: int) -> torch.Tensor:
    """Find the weights of one of RecBole's embedding tables, shape [rows, H].

    Args:
        tables: a context-aware model, or its ``first_order_linear``, whose tables have H = 1.
        kind: ``token`` or ``float``, which have one table for all columns; else ``token_seq`` or ``float_seq``.
        place: of the column among those of its kind, where each has a table of its own.
    """
    if kind == "token":
        return tables.token_embedding_table.embedding.weight
    if kind == "float":
        return tables.float_embedding_table.embedding.weight
    return getattr(tables, f"{kind}_embedding_table")[place].weight


def weighted_rows(
    table: torch.Tensor, first_table: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor, first: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Add up weighted rows of a table, and the first-order weights of the same features.

    Args:
        table: shape [R, H].
        first_table: shape [R, 1].
        rows: the rows of each sample, shape [n, L].
        weights: of the rows of ``table``, shape [n, L]; 0 for padding.
        first: weights of the rows of ``first_table``, shape [n, L].

    Returns:
        The sums over l of ``weights[:, l] * table[rows[:, l]]`` and ``first[:, l] * first_table[rows[:, l]]``: [n, H]
        and [n, 1].
    """
    bag = nn.functional.embedding_bag
    field = bag(rows, table, per_sample_weights=weights, mode="sum")
    return field, bag(rows, first_table, per_sample_weights=first, mode="sum")


def separate_rows(
    table: torch.Tensor, first_table: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor, first: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give what :func:`weighted_rows` gives, and what makes each weighted row a feature of its own.

    That is the sum over pairs of the weighted rows of their product, [n, H], which is to be added to the bi-interaction
    of the sum with other fields. It is (field^2 - sum over l of (weights[:, l] * table[rows[:, l]])^2) / 2.
    """
    field, first_order = weighted_rows(table, first_table, rows, weights, first)
    squares = nn.functional.embedding_bag(rows, table * table, per_sample_weights=weights * weights, mode="sum")
    return field, first_order, 0.5 * torch.addcmul(-squares, field, field)


def total_and_within(
    table: torch.Tensor, first_table: torch.Tensor, rows: torch.Tensor, *others: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Add up fields of which some are rows of one table and the others are given, and bi-interact them.

    Args:
        table, first_table: as in :func:`weighted_rows`.
        rows: shape [n, K].
        others: embeddings of further fields, shape [n, H] each.

    Returns:
        The sum of all fields and the sum over their pairs of the products, [n, H] each, and the first order of the
        rows, [n, 1].
    """
    total, within = total_and_within_of(nn.functional.embedding(rows, table), others)
    return total, within, nn.functional.embedding_bag(rows, first_table, mode="sum")


def total_and_within_of(fields: torch.Tensor, others: Iterable[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Add up the fields [n, K, H] and the others [n, H], and the products of their pairs: [n, H] each."""
    single = fields.shape[1] == 1
    total = fields.squeeze(1) if single else fields.sum(dim=1)
    squares = total * total if single else (fields * fields).sum(dim=1)
    for other in others:
        total, squares = total + other, torch.addcmul(squares, other, other)
    return total, 0.5 * torch.addcmul(-squares, total, total)


def frobenius_norm(*tables: torch.Tensor) -> torch.Tensor:
    """Take the Frobenius norm of several tables together, the root of the sum of all squares: shape []."""
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(table) for table in tables]))
