"""Full sort of a context-aware model without a closed form: all pairs from the sides, each side embedded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from recbole.model.layers import BaseFactorizationMachine
from recbole.utils import FeatureSource
from torch import nn

PAIRS_AT_ONCE = 1 << 11
"""Pairs that a model sees at once; what layers make of more of them leaves the processor's cache."""
ROUNDING, ROUNDING_OF_SPREAD = 1e-6, 1e-3
"""Differences of scores up to the first, plus the second of their standard deviation, are of rounding."""
HOME = "recbole_decrs.model.context_aware"
"""The module that has the classes made of RecBole's as attributes."""


class Pairs(Interaction):
    """Some users with all items: an Interaction whose columns are made where they are asked for.

    Args:
        users: features of the users, [U] rows.
        items: features of all items, [I] rows.
    """

    def __init__(self, users: Interaction, items: Interaction) -> None:
        self.users, self.items = users, items
        self.interaction = {**users.interaction, **items.interaction}
        self.length = len(users) * len(items)

    def __getitem__(self, name: str) -> torch.Tensor:
        if name in self.users.interaction:
            return self.users[name].repeat_interleave(len(self.items), dim=0)
        column = self.items[name]
        return column.repeat(len(self.users), *[1] * (column.dim() - 1))


class PairwiseFullSort(ContextRecommender):
    """Over a context-aware model of RecBole: ``full_sort_predict`` equal to its ``predict`` on every pair.

    A model that takes its field embeddings from ``concat_embed_input_fields`` gets those of pairs put together from
    the sides. What is a sum over the two sides is answered from the sides without looking at pairs: the first order, a
    linear layer over the fields of a pair one after another, and the factorization machine over them. A model that
    needs nothing else of the fields, such as DeepFM, gets no fields at all. The first pairs are scored with each of
    them embedded as well, and if a short cut gives anything else it is not taken.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.USER_ID = config["USER_ID_FIELD"]
        of_item = set(dataset.fields(source=[FeatureSource.ITEM, FeatureSource.ITEM_ID]))
        embedded = [*self.token_seq_field_names, *self.token_field_names]
        embedded += [*self.float_seq_field_names, *self.float_field_names]
        self.item_places = [place for place, name in enumerate(embedded) if name in of_item]
        self._tables = (dataset.get_user_feature(), dataset.get_item_feature())
        self._fields_of_pairs: torch.Tensor | None = None

    def concat_embed_input_fields(self, interaction: Interaction) -> torch.Tensor:
        """Embeddings of the feature fields, shape [B, n_fields, H]; of pairs, as they were put together."""
        if isinstance(interaction, Pairs) and self._fields_of_pairs is not None:
            return self._fields_of_pairs
        return super().concat_embed_input_fields(interaction)

    @torch.no_grad()
    def full_sort_logits(self, interaction: Interaction) -> torch.Tensor:
        """What ``forward`` gives, of most models logits, of every item for the users: shape [B, n_items]."""
        return self._of_all_pairs(self.forward, interaction[self.USER_ID])

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Probabilities of every item for the users of the interaction, shape [B, n_items]."""
        return self._of_all_pairs(self.predict, interaction[self.USER_ID])

    def _of_all_pairs(self, model: Callable[[Pairs], torch.Tensor], users: torch.Tensor) -> torch.Tensor:
        self._tables = tuple(table.to(users.device) for table in self._tables)
        of_users, items = self._tables[0][users], self._tables[1]
        sides = _Sides(self, of_users, items)
        step = max(1, PAIRS_AT_ONCE // len(items))
        scores = torch.empty(len(users), len(items), device=users.device)
        score: Callable[[Pairs], torch.Tensor] | None = None
        for start in range(0, len(users), step):
            sides.rows = rows = slice(start, min(start + step, len(users)))
            pairs = Pairs(of_users[rows], items)
            if score is None:
                score = self._fastest(model, sides, pairs)
            scores[rows] = score(pairs).view(-1, len(items))
        return scores

    def _fastest(
        self, model: Callable[[Pairs], torch.Tensor], sides: _Sides, pairs: Pairs
    ) -> Callable[[Pairs], torch.Tensor]:
        """The model without the fields of pairs, else with those from the sides, else with each pair embedded."""
        expected = model(pairs)
        if not expected.isfinite().all():  # the evaluation will say so
            return model
        tolerance = ROUNDING + ROUNDING_OF_SPREAD * expected.std(correction=0).item()
        for fields in (sides.no_fields, sides.fields):
            score = partial(self._from_sides, model, sides, fields)
            if torch.allclose(score(pairs), expected, rtol=0, atol=tolerance):
                return score
        return model

    def _from_sides(
        self, model: Callable[[Pairs], torch.Tensor], sides: _Sides, fields: Callable[[], torch.Tensor], pairs: Pairs
    ) -> torch.Tensor:
        """What the model makes of pairs with these fields, modules that are sums over the sides answering from them."""
        self._fields_of_pairs = fields()
        sides.changes = _changes(self._fields_of_pairs)
        for module, answer in sides.answers.items():
            module.__dict__["forward"] = answer  # goes over the forward of its class
        try:
            return model(pairs)
        finally:
            self._fields_of_pairs = None
            for module in sides.answers:
                del module.__dict__["forward"]


class _Sides:
    """Fields and first order of some users and of all items, and sums over a pair's two sides made from them."""

    def __init__(self, model: PairwiseFullSort, users: Interaction, items: Interaction) -> None:
        self.model = model
        user_fields, self.user_first = self._of_rows(users, items[:1])
        item_fields, item_first = self._of_rows(users[:1], items)
        self.item_first = item_first - item_first[:1]
        self.rows = slice(0, 0)
        self.width = user_fields[0].numel()
        of_item = torch.zeros(1, user_fields.shape[1], 1, device=user_fields.device)
        of_item[:, model.item_places] = 1
        self.users, self.items = user_fields * (1 - of_item), item_fields * of_item
        self._empty: torch.Tensor | None = None
        self.changes = 0
        self.answers = dict(self._answers())

    def _answers(self) -> Iterator[tuple[nn.Module, Callable]]:
        """What goes over the ``forward`` of modules that are sums over the sides."""
        for module in self.model.modules():
            if module is self.model.first_order_linear:
                yield module, self.first_order
            elif type(module).forward is nn.Linear.forward and module.in_features == self.width:
                yield module, self.linear(module)
            elif type(module).forward is BaseFactorizationMachine.forward:
                yield module, self.factorization_machine(module)

    def _of_rows(self, users: Interaction, items: Interaction) -> tuple[torch.Tensor, torch.Tensor]:
        """Fields and first order of users with one item, or of items with one user."""
        pairs = Pairs(users, items)
        rows = Interaction({name: pairs[name] for name in pairs.interaction})
        return self.model.concat_embed_input_fields(rows), self.model.first_order_linear(rows)

    def _sum(self, of_users: torch.Tensor, of_items: torch.Tensor) -> torch.Tensor:
        """[U, ...] and [I, ...] -> their sums for the pairs of the present rows, [rows * I, ...]."""
        return (of_users[self.rows, None] + of_items).flatten(0, 1)

    def fields(self) -> torch.Tensor:
        """Of the pairs, shape [rows * I, K, H]."""
        return self._sum(self.users, self.items)

    def no_fields(self) -> torch.Tensor:
        """As :meth:`fields`, but not numbers."""
        n_pairs = (self.rows.stop - self.rows.start) * len(self.items)
        if self._empty is None or len(self._empty) != n_pairs or _changes(self._empty):
            self._empty = self.users.new_full((n_pairs, *self.users.shape[1:]), torch.nan)
        return self._empty

    def first_order(self, pairs: Interaction) -> torch.Tensor:
        """Of the pairs, shape [rows * I, 1]."""
        return self._sum(self.user_first, self.item_first)

    def _is_given(self, tensor: torch.Tensor) -> bool:
        """Whether it is the fields of the pairs in another shape, and nothing has been changed in place."""
        fields = self.model._fields_of_pairs
        if fields is None or not tensor.is_contiguous() or _changes(fields) != self.changes:
            return False
        return tensor.data_ptr() == fields.data_ptr() and tensor.numel() == fields.numel()

    def linear(self, layer: nn.Linear) -> Callable[[torch.Tensor], torch.Tensor]:
        """The layer, of the fields of pairs as the sum of what it makes of each side."""
        of_users = layer(self.users.flatten(1))
        of_items = nn.functional.linear(self.items.flatten(1), layer.weight)

        def forward(features: torch.Tensor) -> torch.Tensor:
            if self._is_given(features):
                return self._sum(of_users, of_items)
            return nn.functional.linear(features, layer.weight, layer.bias)

        return forward

    def factorization_machine(self, machine: BaseFactorizationMachine) -> Callable[[torch.Tensor], torch.Tensor]:
        """The machine; of the fields of pairs, bi-interaction within the sides plus the product of their sums."""
        (total_u, within_u), (total_i, within_i) = (
            (side.sum(dim=1), 0.5 * (side.sum(dim=1) ** 2 - (side**2).sum(dim=1))) for side in (self.users, self.items)
        )

        def forward(fields: torch.Tensor) -> torch.Tensor:
            if not self._is_given(fields):
                return BaseFactorizationMachine.forward(machine, fields)
            if not machine.reduce_sum:
                return (within_u[self.rows, None] + within_i + total_u[self.rows, None] * total_i).flatten(0, 1)
            within = within_u[self.rows].sum(dim=1, keepdim=True) + within_i.sum(dim=1)
            return torch.addmm(within, total_u[self.rows], total_i.T).view(-1, 1)

        return forward


def _changes(tensor: torch.Tensor) -> int:
    """How often a tensor has been changed in place."""
    return 0 if tensor.is_inference() else tensor._version


@cache
def with_full_sort(model_class: type[ContextRecommender]) -> type[ContextRecommender]:
    """The same model with a fast ``full_sort_predict``."""
    home = HOME if model_class.__module__.startswith("recbole.model.") else model_class.__module__
    members = {"__module__": home, "__qualname__": model_class.__qualname__, "__doc__": model_class.__doc__}
    return type(model_class.__name__, (PairwiseFullSort, model_class), members)
