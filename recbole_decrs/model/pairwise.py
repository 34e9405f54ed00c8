"""Gives a context-aware model without a closed form a full sort: all pairs are scored, each side embedded once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from recbole.utils import FeatureSource
from torch import nn

from recbole_decrs.model.pair_fields import PairFields
from recbole_decrs.model.pairs import Pairs
from recbole_decrs.model.short_cuts import Answer, answering, short_cuts

PAIRS_AT_ONCE = 1 << 11
"""A model sees so many pairs at once; what layers make of more of them leaves the processor's cache."""
ROUNDING, ROUNDING_OF_SPREAD = 1e-6, 1e-3
"""Differences of scores up to the first, plus the second of their standard deviation, are of rounding."""
HOME = "recbole_decrs.model.context_aware"
"""The module that has the classes made of RecBole's as attributes."""

Score = Callable[[Pairs], torch.Tensor]
"""A way to score pairs, shape [number of pairs]."""


class PairwiseFullSort(ContextRecommender):
    """Gives a context-aware model of RecBole a ``full_sort_predict`` that is equal to its ``predict`` on every pair.

    A model that takes its field embeddings from ``concat_embed_input_fields`` gets those of pairs put together from
    the sides, and modules that are sums over the sides answer from these: see
    :mod:`~recbole_decrs.model.short_cuts`. A model that needs nothing else of the fields, such as DeepFM, gets no
    fields at all. The first pairs are scored with each of them embedded as well, and if a short cut gives anything
    else it is not taken.
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
        """Embed the feature fields, shape [B, n_fields, H]; of pairs, give them as they were put together."""
        if isinstance(interaction, Pairs) and self._fields_of_pairs is not None:
            return self._fields_of_pairs
        return super().concat_embed_input_fields(interaction)

    @torch.no_grad()
    def full_sort_logits(self, interaction: Interaction) -> torch.Tensor:
        """Compute what ``forward`` gives, of most models logits, of every item for the users: [B, n_items]."""
        return self._of_all_pairs(self.forward, interaction[self.USER_ID])

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Compute the probabilities of every item for the users of the interaction, shape [B, n_items]."""
        return self._of_all_pairs(self.predict, interaction[self.USER_ID])

    def _of_all_pairs(self, model: Score, users: torch.Tensor) -> torch.Tensor:
        self._tables = tuple(table.to(users.device) for table in self._tables)
        of_users, items = self._tables[0][users], self._tables[1]
        fields = PairFields(self, self.item_places, of_users, items)
        answers = short_cuts(self, fields)
        step = max(1, PAIRS_AT_ONCE // len(items))
        scores = torch.empty(len(users), len(items), device=users.device)
        score: Score | None = None
        for start in range(0, len(users), step):
            fields.rows = rows = slice(start, min(start + step, len(users)))
            pairs = Pairs(of_users[rows], items)
            if score is None:
                score = self._fastest(model, fields, answers, pairs)
            scores[rows] = score(pairs).view(-1, len(items))
        return scores

    def _fastest(self, model: Score, fields: PairFields, answers: dict[nn.Module, Answer], pairs: Pairs) -> Score:
        """Find the fastest way that scores these pairs as the model does with each of them embedded.

        That is the model without the fields of pairs, else with those from the sides, else the model as it is.
        """
        expected = model(pairs)
        if not expected.isfinite().all():  # the evaluation will say so
            return model
        tolerance = ROUNDING + ROUNDING_OF_SPREAD * expected.std(correction=0).item()
        for make_fields in (fields.placeholder, fields.embedded):
            score = partial(self._from_sides, model, fields, answers, make_fields)
            if torch.allclose(score(pairs), expected, rtol=0, atol=tolerance):
                return score
        return model

    def _from_sides(
        self,
        model: Score,
        fields: PairFields,
        answers: dict[nn.Module, Answer],
        make_fields: Callable[[], torch.Tensor],
        pairs: Pairs,
    ) -> torch.Tensor:
        """Score pairs by the model with these fields, modules that are sums over the sides answering from them."""
        self._fields_of_pairs = make_fields()
        fields.give(self._fields_of_pairs)
        try:
            with answering(answers):
                return model(pairs)
        finally:
            self._fields_of_pairs = fields.given = None


@cache
def with_full_sort(model_class: type[ContextRecommender]) -> type[ContextRecommender]:
    """Make the same model with a fast ``full_sort_predict``; its class has the same name."""
    home = HOME if model_class.__module__.startswith("recbole.model.") else model_class.__module__
    members = {"__module__": home, "__qualname__": model_class.__qualname__, "__doc__": model_class.__doc__}
    return type(model_class.__name__, (PairwiseFullSort, model_class), members)
