"""Gives DIN and DIEN, which score one pair of a sequence and an item at a time, a full sort."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender

from recbole_decrs.model.registry import register_model
from recbole_decrs.model.sequential import DIEN as RecBoleDIEN
from recbole_decrs.model.sequential import DIN as RecBoleDIN

PAIRS_AT_ONCE = 1 << 12
"""RecBole's own ``eval_batch_size``; it would repeat as many sequences, each with every item, before it cuts them."""


class SequencePairs(SequentialRecommender):
    """Gives a sequential model a ``full_sort_predict`` that is equal to its ``predict`` on every pair."""

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Score every item for the sequences of the interaction, shape [B, n_items]."""
        step = max(1, PAIRS_AT_ONCE // self.n_items)
        everything = torch.arange(self.n_items, device=interaction[self.ITEM_SEQ].device)
        scores = []
        for start in range(0, len(interaction), step):
            some = interaction[start : start + step]
            pairs = some.repeat_interleave(self.n_items)
            pairs.update(Interaction({self.ITEM_ID: everything.repeat(len(some))}))
            scores.append(self.predict(pairs).view(len(some), self.n_items))
        return torch.cat(scores)


@register_model
class DIN(SequencePairs, RecBoleDIN):
    """Gives RecBole's DIN full sort."""


@register_model
class DIEN(SequencePairs, RecBoleDIEN):
    """Gives RecBole's DIEN full sort."""
