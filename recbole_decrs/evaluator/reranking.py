"""Applies the re-ranker that the configuration names to what a model ranks."""

from __future__ import annotations

import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.model.scale import OwnScale
from recbole_decrs.rerank import RERANKERS


class Reranker:
    """Re-ranks a user's top candidates with the configured re-ranker and weight.

    Args:
        config: its keys ``reranker``, ``reranker_lambda`` and ``reranker_candidates``.
        model: whose scores come; if they are no probabilities, they are scaled to [0, 1] per user.

    Attributes:
        n_candidates: how many of a user's top items are re-ranked.
    """

    def __init__(self, config, model: torch.nn.Module) -> None:
        self.rerank = RERANKERS[config["reranker"]]
        weight = config["reranker_lambda"]
        self.weight = self.rerank.default if weight is None else float(weight)
        self.n_candidates = config["reranker_candidates"]
        self.own_scale = OwnScale(model)

    def look_at(self, scores: torch.Tensor) -> None:
        """Look at the scores of all items, by which it is decided whether they are probabilities."""
        self.own_scale.look_at(scores)

    def __call__(
        self, scores: torch.Tensor, items: torch.Tensor, users: torch.Tensor, confounder: Confounder, length: int
    ) -> torch.Tensor:
        """Rank items anew; those beyond the first ``n_candidates`` keep their places.

        Args:
            scores: the model's own scores in the order of relevance, shape [B, C]; -inf where there is no item.
            items: the ids of these items, shape [B, C].
            users: user ids, shape [B].
            confounder: the groups of items and users.
            length: how many places are filled, at most C.

        Returns:
            The places of the items in the order of relevance, shape [B, length].
        """
        n = min(self.n_candidates, scores.shape[1])
        scaled = self.own_scale.to("unit", scores[:, :n])
        users = users.to(items.device)
        ranking = self.rerank(scaled, items[:, :n], confounder, users, self.weight, min(n, length))
        beyond = torch.arange(n, max(n, length), device=items.device).expand(len(items), -1)
        return torch.cat([ranking, beyond], dim=1)
