"""One side of the (user, item) pairs: static features looked up by id, and what a side adds to the bi-interaction.

With x_1 ... x_K the embeddings of one side's fields, the sum over pairs of fields of their product is
``within = (S * S - sum of x_k * x_k) / 2`` with ``S = total = sum of x_k``. The bi-interaction vector of a user and an
item is then ``within_u + within_i + total_u * total_i``: each side is embedded once, not once per pair.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from torch import nn


class Side(NamedTuple):
    """What one side adds to the pairs, for n users or n items."""

    total: torch.Tensor
    """Sum of the field embeddings, [n, H]."""
    within: torch.Tensor
    """Bi-interaction within the side, [n, H]."""
    first_order: torch.Tensor
    """First-order score, [n]."""


class SideFeatures(nn.Module):
    """The features of all users, or of all items, as buffers: of every type that RecBole embeds.

    They belong to the data, so no checkpoint holds them.

    Args:
        model: the context-aware model whose embedding tables are looked up.
        features: of all users or items, row by id.
        separate: a token_seq column whose values are features of their own, not one pooled field.
    """

    def __init__(self, model: ContextRecommender, features: Interaction, separate: str | None = None) -> None:
        super().__init__()
        columns = [name for name in model.token_field_names if name in features]
        offsets = dict(zip(model.token_field_names, getattr(model, "token_field_offsets", ()), strict=True))
        rows = [features[name] + int(offsets[name]) for name in columns]
        n_rows = len(next(iter(features.interaction.values())))
        self._keep("tokens", torch.stack(rows, dim=1) if rows else torch.empty(n_rows, 0, dtype=torch.long))
        self.pooled: list[tuple[str, int]] = []
        self.separate: tuple[str, int] | None = None
        for place, name in enumerate(model.token_seq_field_names):
            if name == separate:
                self.separate = ("token_seq", place)
                values = once_each(features[name])
                weights = share((values != 0).float())
                self._keep_pool("token_seq", place, values, weights, weights)
            elif name in features:
                used = (features[name] != 0).float()
                self._keep_pool("token_seq", place, features[name], share(used), used)
        offsets = dict(zip(model.float_field_names, getattr(model, "float_field_offsets", ()), strict=True))
        for place, name in enumerate(model.float_field_names):
            if name in features:
                value, index = features[name].split(1, dim=-1)
                self._keep_pool("float", place, index.long() + int(offsets[name]), value, value)
        for place, name in enumerate(model.float_seq_field_names):
            if name in features:
                value, index = features[name].unbind(-1)
                weight = value * share((index != 0).float())
                self._keep_pool("float_seq", place, index.long(), weight, weight)

    def _keep(self, name: str, tensor: torch.Tensor) -> None:
        self.register_buffer(name, tensor, persistent=False)

    def _keep_pool(
        self, kind: str, place: int, rows: torch.Tensor, weights: torch.Tensor, first_order: torch.Tensor
    ) -> None:
        """A field whose embedding is the weighted sum of table rows: shape [n, L] each, padded with weight 0."""
        self.pooled.append((kind, place))
        for name, tensor in (("rows", rows), ("weights", weights), ("first_order", first_order)):
            self._keep(f"{kind}_{place}_{name}", tensor.contiguous())

    def forward(self, model: ContextRecommender, ids: torch.Tensor) -> Side:
        """What the users or items of these ids add to pairs, shape [n]."""
        # A compiler makes its own gradients; it cannot follow ours, which are added in place.
        compiling = torch.compiler.is_compiling()
        look_up = _weighted_rows if compiling else _WeightedRows.apply
        look_up_separate = separate_rows if compiling else _SeparateRows.apply
        combine = _total_and_within if compiling else _TotalAndWithin.apply
        pooled, first_orders, pairs = [], [], None
        for kind, place in self.pooled:
            rows, weights, first_weights = (
                getattr(self, f"{kind}_{place}_{name}").index_select(0, ids)
                for name in ("rows", "weights", "first_order")
            )
            tables = table_of(model, kind, place), table_of(model.first_order_linear, kind, place)
            if (kind, place) == self.separate:
                field, first_order, pairs = look_up_separate(*tables, rows, weights, first_weights)
            else:
                field, first_order = look_up(*tables, rows, weights, first_weights)
            pooled.append(field)
            first_orders.append(first_order)
        tokens = self.tokens.index_select(0, ids)
        if tokens.shape[1]:
            tables = table_of(model, "token", 0), table_of(model.first_order_linear, "token", 0)
            total, within, first_order = combine(*tables, tokens, *pooled)
            first_orders.append(first_order)
        else:
            total, within = _total_and_within_of(torch.stack(pooled, dim=1), ())
        if pairs is not None:
            within = within + pairs
        return Side(total, within, sum(first_orders[1:], first_orders[0]).squeeze(-1))


def once_each(values: torch.Tensor) -> torch.Tensor:
    """Rows of value ids padded with 0, each value once: what is named again becomes padding. The order is another."""
    values = values.sort(dim=1, descending=True).values
    repeated = values[:, 1:] == values[:, :-1]
    values[:, 1:].masked_fill_(repeated, 0)
    return values


def share(used: torch.Tensor) -> torch.Tensor:
    """The weight of each used place in RecBole's mean pooling; q^i where the places are an item's groups."""
    return used / (used.sum(dim=1, keepdim=True) + 1e-8)


def table_of(tables: nn.Module, kind: str, place: int) -> torch.Tensor:
    """The weights of an embedding table of RecBole's: of all token, of all float, or of one sequence column."""
    if kind == "token":
        return tables.token_embedding_table.embedding.weight
    if kind == "float":
        return tables.float_embedding_table.embedding.weight
    return getattr(tables, f"{kind}_embedding_table")[place].weight


def _weighted_rows(
    table: torch.Tensor, first_table: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor, first: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums over l of weights[:, l] * table[rows[:, l]] and first[:, l] * first_table[rows[:, l]]: [n, H], [n, 1]."""
    bag = nn.functional.embedding_bag
    field = bag(rows, table, per_sample_weights=weights, mode="sum")
    return field, bag(rows, first_table, per_sample_weights=first, mode="sum")


def separate_rows(
    table: torch.Tensor, first_table: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor, first: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """As :func:`_weighted_rows`, and the sum over pairs of the weighted rows of their product: [n, H], [n, 1], [n, H].

    Added to the bi-interaction of the sum with other fields, the pairs make each row a feature of its own.
    """
    field, first_order = _weighted_rows(table, first_table, rows, weights, first)
    squares = nn.functional.embedding_bag(rows, table * table, per_sample_weights=weights * weights, mode="sum")
    return field, first_order, 0.5 * torch.addcmul(-squares, field, field)


def _total_and_within(
    table: torch.Tensor, first_table: torch.Tensor, rows: torch.Tensor, *others: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """total and within of fields of which some are rows of one table and the others are given, [n, H] each.

    Also the first order of the rows, [n, 1].
    """
    total, within = _total_and_within_of(nn.functional.embedding(rows, table), others)
    return total, within, nn.functional.embedding_bag(rows, first_table, mode="sum")


def _total_and_within_of(fields: torch.Tensor, others: Iterable[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    single = fields.shape[1] == 1
    total = fields.squeeze(1) if single else fields.sum(dim=1)
    squares = total * total if single else (fields * fields).sum(dim=1)
    for other in others:
        total, squares = total + other, torch.addcmul(squares, other, other)
    return total, 0.5 * torch.addcmul(-squares, total, total)


def _add_to_gradient(table: nn.Parameter, rows: torch.Tensor, gradient: torch.Tensor) -> None:
    """Add to the rows of ``table.grad`` in place.

    Returned to autograd, the gradient would be a new dense tensor of the table's size for each look-up in it, most of
    it zeros: allocating those took half of a training step.
    """
    if table.grad is None:
        table.grad = torch.zeros_like(table)
    table.grad.index_add_(0, rows.flatten(), gradient.reshape(-1, gradient.shape[-1]))


class _WeightedRows(torch.autograd.Function):
    """:func:`_weighted_rows`, with its gradients added in place."""

    @staticmethod
    def forward(ctx, table, first_table, rows, weights, first):
        ctx.save_for_backward(rows, weights, first)
        ctx.tables = table, first_table
        return _weighted_rows(table, first_table, rows, weights, first)

    @staticmethod
    def backward(ctx, of_field, of_first_order):
        rows, weights, first = ctx.saved_tensors
        used, sample, row = _used(rows, weights)
        for table, gradient, scale in zip(ctx.tables, (of_field, of_first_order), (weights, first), strict=True):
            of_used = gradient.index_select(0, sample).mul_(scale.flatten()[used].unsqueeze(1))
            _add_to_gradient(table, row, of_used)
        return None, None, None, None, None


class _SeparateRows(torch.autograd.Function):
    """:func:`separate_rows`, with its gradients added in place.

    d field / d x_g v_g = 1 and d pairs / d x_g v_g = field - x_g v_g.
    """

    @staticmethod
    def forward(ctx, table, first_table, rows, weights, first):
        field, first_order, pairs = separate_rows(table, first_table, rows, weights, first)
        ctx.save_for_backward(rows, weights, first, field)
        ctx.tables = table, first_table
        return field, first_order, pairs

    @staticmethod
    def backward(ctx, of_field, of_first_order, of_pairs):
        rows, weights, first, field = ctx.saved_tensors
        table, first_table = ctx.tables
        used, sample, row = _used(rows, weights)
        weight, first_weight = (scale.flatten()[used].unsqueeze(1) for scale in (weights, first))
        shared = torch.addcmul(of_field, of_pairs, field).index_select(0, sample)
        own = table.detach().index_select(0, row).mul_(weight)
        _add_to_gradient(table, row, shared.addcmul_(of_pairs.index_select(0, sample), own, value=-1).mul_(weight))
        _add_to_gradient(first_table, row, of_first_order.index_select(0, sample).mul_(first_weight))
        return None, None, None, None, None


def _used(rows: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The places that are not padding, as most are, in flat order; the sample and the table row of each."""
    used = weights.flatten().nonzero().squeeze(1)
    return used, used // rows.shape[1], rows.flatten()[used]


class _TotalAndWithin(torch.autograd.Function):
    """:func:`_total_and_within`, with its gradients added in place.

    d total / d x_k = 1 and d within / d x_k = total - x_k, so the gradient of every field is one pass.
    """

    @staticmethod
    def forward(ctx, table, first_table, rows, *others):
        fields = nn.functional.embedding(rows, table)
        total, within = _total_and_within_of(fields, others)
        ctx.save_for_backward(rows, fields, total, *others)
        ctx.tables = table, first_table
        return total, within, nn.functional.embedding_bag(rows, first_table, mode="sum")

    @staticmethod
    def backward(ctx, of_total, of_within, of_first_order):
        rows, fields, total, *others = ctx.saved_tensors
        table, first_table = ctx.tables
        shared = torch.addcmul(of_total, of_within, total)
        of_fields = torch.addcmul(shared.unsqueeze(1), of_within.unsqueeze(1), fields, value=-1)
        _add_to_gradient(table, rows, of_fields)
        _add_to_gradient(first_table, rows, of_first_order.expand(-1, rows.shape[1]).reshape(-1, 1))
        return None, None, None, *(torch.addcmul(shared, of_within, other, value=-1) for other in others)


class FrobeniusNorm(torch.autograd.Function):
    """Norm of several tables together, sqrt(sum of squares), the gradient again added in place."""

    @staticmethod
    def forward(ctx, *tables):
        """The norm, shape []."""
        ctx.tables = tables
        ctx.norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(table) for table in tables]))
        return ctx.norm

    @staticmethod
    def backward(ctx, gradient):
        """Adds table / norm to each table's gradient; 0 where the norm is 0."""
        scale = (gradient / ctx.norm).item() if ctx.norm > 0 else 0.0
        for table in ctx.tables:
            if table.grad is None:
                table.grad = torch.zeros_like(table)
            table.grad.add_(table, alpha=scale)
        return (None,) * len(ctx.tables)
