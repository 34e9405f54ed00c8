"""Looks up the static features of users and items by id, and sums them to what either side adds to their pairs.

With x_1 ... x_K the embeddings of one side's fields, the sum over pairs of fields of their product is
``within = (S * S - sum of x_k * x_k) / 2`` with ``S = total = sum of x_k``. The bi-interaction vector of a user and an
item is then ``within_u + within_i + total_u * total_i``: each side is embedded once, not once per pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from torch import nn

from recbole_decrs.model import in_place_gradients as in_place
from recbole_decrs.model.compiled_sides import Field, can_compile, side_of
from recbole_decrs.model.lookups import total_and_within_of, weights_of_table


class Side(NamedTuple):
    """Holds what one side adds to the pairs, for n users or n items."""

    total: torch.Tensor
    """The sum of the field embeddings, [n, H]."""
    within: torch.Tensor
    """The bi-interaction within the side, [n, H]."""
    first_order: torch.Tensor
    """The first-order score, [n]."""


class SideFeatures(nn.Module):
    """Holds the features of all users, or of all items, of every type that RecBole embeds, as buffers.

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
        self._keep("one", torch.ones(1, 1))
        self.greatest_row = {("token", 0): int(self.tokens.max()) if rows else -1}
        self.pooled: list[tuple[str, int]] = []
        self.separate: tuple[str, int] | None = None
        for place, name in enumerate(model.token_seq_field_names):
            if name == separate:
                self.separate = ("token_seq", place)
                values = once_each(features[name])
                weights = mean_weights((values != 0).float())
                self._keep_pool("token_seq", place, values, weights, weights)
            elif name in features:
                used = (features[name] != 0).float()
                self._keep_pool("token_seq", place, features[name], mean_weights(used), used)
        offsets = dict(zip(model.float_field_names, getattr(model, "float_field_offsets", ()), strict=True))
        for place, name in enumerate(model.float_field_names):
            if name in features:
                value, index = features[name].split(1, dim=-1)
                self._keep_pool("float", place, index.long() + int(offsets[name]), value, value)
        for place, name in enumerate(model.float_seq_field_names):
            if name in features:
                value, index = features[name].unbind(-1)
                weight = value * mean_weights((index != 0).float())
                self._keep_pool("float_seq", place, index.long(), weight, weight)

    def _keep(self, name: str, tensor: torch.Tensor) -> None:
        self.register_buffer(name, tensor, persistent=False)

    def _keep_pool(
        self, kind: str, place: int, rows: torch.Tensor, weights: torch.Tensor, first_order: torch.Tensor
    ) -> None:
        """Keep a field whose embedding is the weighted sum of table rows: shape [n, L] each, padded with weight 0."""
        self.pooled.append((kind, place))
        self.greatest_row[kind, place] = int(rows.max())
        for name, tensor in (("rows", rows), ("weights", weights), ("first_order", first_order)):
            self._keep(f"{kind}_{place}_{name}", tensor.contiguous())

    def _fields(self, model: ContextRecommender) -> Iterator[Field]:
        """List the fields with their tables; each token column is a feature of its own with the value 1."""
        if self.tokens.shape[1]:
            ones = self.one.expand(self.tokens.shape)
            yield self._field(model, "token", 0, (self.tokens, ones, ones), True)
        for kind, place in self.pooled:
            places = tuple(getattr(self, f"{kind}_{place}_{name}") for name in ("rows", "weights", "first_order"))
            yield self._field(model, kind, place, places, (kind, place) == self.separate)

    def _field(
        self, model: ContextRecommender, kind: str, place: int, places: tuple[torch.Tensor, ...], separate: bool
    ) -> Field:
        tables = weights_of_table(model, kind, place), weights_of_table(model.first_order_linear, kind, place)
        return Field(*tables, *places, separate, self.greatest_row[kind, place])

    def forward(self, model: ContextRecommender, ids: torch.Tensor) -> Side:
        """Compute what the users or items of these ids, shape [n], add to pairs."""
        fields = list(self._fields(model))
        if can_compile(fields):
            return Side(*side_of(fields, ids))
        pooled, first_orders, pairs = [], [], None
        for kind, place in self.pooled:
            rows, weights, first_weights = (
                getattr(self, f"{kind}_{place}_{name}").index_select(0, ids)
                for name in ("rows", "weights", "first_order")
            )
            tables = weights_of_table(model, kind, place), weights_of_table(model.first_order_linear, kind, place)
            if (kind, place) == self.separate:
                field, first_order, pairs = in_place.separate_rows(*tables, rows, weights, first_weights)
            else:
                field, first_order = in_place.weighted_rows(*tables, rows, weights, first_weights)
            pooled.append(field)
            first_orders.append(first_order)
        tokens = self.tokens.index_select(0, ids)
        if tokens.shape[1]:
            tables = weights_of_table(model, "token", 0), weights_of_table(model.first_order_linear, "token", 0)
            total, within, first_order = in_place.total_and_within(*tables, tokens, *pooled)
            first_orders.append(first_order)
        else:
            total, within = total_and_within_of(torch.stack(pooled, dim=1), ())
        if pairs is not None:
            within = within + pairs
        return Side(total, within, sum(first_orders[1:], first_orders[0]).squeeze(-1))


def once_each(values: torch.Tensor) -> torch.Tensor:
    """Turn values that a row names again into padding, and put the rows in another order.

    Args:
        values: ids, padded with 0, shape [n, L].
    """
    values = values.sort(dim=1, descending=True).values
    repeated = values[:, 1:] == values[:, :-1]
    values[:, 1:].masked_fill_(repeated, 0)
    return values


def mean_weights(used: torch.Tensor) -> torch.Tensor:
    """Weigh places by RecBole's mean pooling: 1 / their number where used is 1, else 0, shape [n, L].

    Where the places are an item's groups, that is q^i.
    """
    return used / (used.sum(dim=1, keepdim=True) + 1e-8)
