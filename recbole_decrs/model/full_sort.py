"""Scores of every (user, item) pair in closed form, for models that see their fields by the bi-interaction alone.

With U, I the sums of the user's and the item's field embeddings, the bi-interaction vector (sum over pairs of fields
of their product) of a pair is a_u + a_i + U * I, where a = (square of sum - sum of squares) / 2 of one side. So each
side is embedded once, not once per pair.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender

from recbole_decrs.model.fields import user_and_item_fields


class Side(NamedTuple):
    """What one side adds to the pairs: of n users, or of n items."""

    total: torch.Tensor
    """Sum of the field embeddings, [n, H]."""
    within: torch.Tensor
    """Bi-interaction within the side, [n, H]."""
    first_order: torch.Tensor
    """First-order score, [n]."""


class FullSort(ContextRecommender):
    """Over a context-aware model: ``full_sort_predict``, equal to ``predict`` on every pair.

    The model implements :meth:`pair_logits`, and calls :meth:`_keep_features` in its constructor.
    """

    def _keep_features(self, dataset) -> None:
        self._user_places, self._item_places = user_and_item_fields(self, dataset)
        self._item_fields = self._buffers_of("item_feature", dataset.get_item_feature())
        self._no_user_fields = self._buffers_of("no_user", dataset.get_user_feature()[[0]])
        self._item_side_of: tuple | None = None

    def _buffers_of(self, prefix: str, features: Interaction) -> dict[str, str]:
        """Not persistent: the features belong to the data, not to the checkpoint."""
        names = {field: f"{prefix}_{number}" for number, field in enumerate(features)}
        for field, name in names.items():
            self.register_buffer(name, features[field], persistent=False)
        return names

    def _features(self, fields: dict[str, str]) -> Interaction:
        return Interaction({field: getattr(self, buffer) for field, buffer in fields.items()})

    def _side(self, users: Interaction, items: Interaction, places: slice | list[int], extra: bool) -> Side:
        pairs = Interaction({**users.interaction, **items.interaction})
        fields = self.concat_embed_input_fields(pairs)
        n_features = len(self._user_places) + len(self._item_places)
        # What a deconfounded model appends to the fields, M, is of the user.
        places = [*places, *range(n_features, fields.shape[1])] if extra else places
        fields = fields[:, places]
        total = fields.sum(dim=1)
        within = 0.5 * (total**2 - (fields**2).sum(dim=1))
        return Side(total, within, self.first_order_linear(pairs).flatten())

    def _user_side(self, users: Interaction) -> Side:
        no_item = self._features(self._item_fields)[[0] * len(users)]
        return self._side(users, no_item, self._user_places, extra=True)

    def _item_side(self) -> Side:
        """Computed once as long as no parameter changes."""
        state = tuple((parameter.data_ptr(), parameter._version) for parameter in self.parameters())
        if self.training or self._item_side_of is None or self._item_side_of[0] != state:
            items = self._features(self._item_fields)
            no_user = self._features(self._no_user_fields)
            side = self._side(no_user.repeat(len(items)), items, self._item_places, extra=False)
            # The pair of no user and no item is counted on both sides.
            side = side._replace(first_order=side.first_order - side.first_order[0])
            self._item_side_of = (state, side)
        return self._item_side_of[1]

    def train(self, mode: bool = True) -> FullSort:
        """As torch's; forgets the item side."""
        self._item_side_of = None
        return super().train(mode)

    @torch.no_grad()
    def full_sort_logits(self, interaction: Interaction) -> torch.Tensor:
        """Logits of every item for the users of the interaction, shape [B, n_items]."""
        return self.pair_logits(self._user_side(interaction), self._item_side())

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Probabilities of every item for the users of the interaction, shape [B, n_items]."""
        return torch.sigmoid(self.full_sort_logits(interaction))

    def pair_logits(self, users: Side, items: Side) -> torch.Tensor:
        """Logits of all pairs, shape [n users, n items]."""
        raise NotImplementedError
