"""Puts the feature fields of pairs together from users and items that are each embedded once."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender

from recbole_decrs.model.pairs import Pairs


class PairFields:
    """Makes the field embeddings of all pairs of some users and all items, for a few users at a time.

    A field is taken to depend on its own side alone: those of the users are embedded with the first item, those of the
    items with the first user. Fields of neither side count as the user's, such as M(d-bar, u).

    Args:
        model: a context-aware model of RecBole's.
        item_places: which of the fields of ``concat_embed_input_fields`` are the items'.
        users: features of the users, [U] rows.
        items: features of all items, [I] rows.

    Attributes:
        rows: the users whose pairs are asked for at present.
        users: their fields, 0 where a field is the items': shape [U, K, H].
        items: the same of the items, shape [I, K, H].
        given: the tensor of fields that the model is working on at present, if it is one of this object's.
    """

    def __init__(
        self, model: ContextRecommender, item_places: list[int], users: Interaction, items: Interaction
    ) -> None:
        user_fields, self._first_of_users = _of_rows(model, users, items[:1])
        item_fields, first_of_items = _of_rows(model, users[:1], items)
        self._first_of_items = first_of_items - first_of_items[:1]
        of_item = torch.zeros(1, user_fields.shape[1], 1, device=user_fields.device)
        of_item[:, item_places] = 1
        self.users, self.items = user_fields * (1 - of_item), item_fields * of_item
        self.rows = slice(0, 0)
        self.given: torch.Tensor | None = None
        self._changes_before = 0
        self._placeholder: torch.Tensor | None = None

    def sums(self, of_users: torch.Tensor, of_items: torch.Tensor) -> torch.Tensor:
        """Add something of users [U, ...] and of items [I, ...] for the pairs of the present rows: [rows * I, ...]."""
        return (of_users[self.rows, None] + of_items).flatten(0, 1)

    def first_order(self, pairs: Interaction) -> torch.Tensor:
        """Answer in place of the model's first order, shape [rows * I, 1]."""
        return self.sums(self._first_of_users, self._first_of_items)

    def embedded(self) -> torch.Tensor:
        """Put the fields of the present pairs together, shape [rows * I, K, H]."""
        return self.sums(self.users, self.items)

    def placeholder(self) -> torch.Tensor:
        """Make a tensor of the same shape of what is not a number, which whoever reads it shows in the scores."""
        n_pairs = (self.rows.stop - self.rows.start) * len(self.items)
        if self._placeholder is None or len(self._placeholder) != n_pairs or _changes(self._placeholder):
            self._placeholder = self.users.new_full((n_pairs, *self.users.shape[1:]), torch.nan)
        return self._placeholder

    def give(self, fields: torch.Tensor) -> None:
        """Take note of the fields that the model works on from now on."""
        self.given, self._changes_before = fields, _changes(fields)

    def are(self, tensor: torch.Tensor) -> bool:
        """Tell if a tensor is the given fields, in whatever shape, and nothing has been changed in place.

        In inference mode torch does not count changes, so one is not seen.
        """
        fields = self.given
        if fields is None or not tensor.is_contiguous() or _changes(fields) != self._changes_before:
            return False
        return tensor.data_ptr() == fields.data_ptr() and tensor.numel() == fields.numel()


def _of_rows(model: ContextRecommender, users: Interaction, items: Interaction) -> tuple[torch.Tensor, torch.Tensor]:
    """Embed users with one item, or items with one user: their fields and their first order."""
    pairs = Pairs(users, items)
    rows = Interaction({name: pairs[name] for name in pairs.interaction})
    return model.concat_embed_input_fields(rows), model.first_order_linear(rows)


def _changes(tensor: torch.Tensor) -> int:
    """Count how often a tensor has been changed in place."""
    return 0 if tensor.is_inference() else tensor._version
