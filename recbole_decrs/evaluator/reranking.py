"""Makes the candidates of re-rankers from what a model ranks, and applies the one that the configuration names."""

from __future__ import annotations

import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.model.scale import OwnScale
from recbole_decrs.rerank import RERANKERS


def top_items(
    scores: torch.Tensor, users: torch.Tensor, length: int, reranker: Reranker | None, confounder: Confounder | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rank the items for each user, best first.

    Args:
        scores: of all items, shape [B, n_items]; -inf where an item is no candidate.
        users: user ids, shape [B].
        length: of the lists; of all items where there are fewer.
        reranker: puts each user's top items in another order; None to rank by the scores.
        confounder: the groups of items and users, which a re-ranker needs.

    Returns:
        The scores and the ids of the listed items, shape [B, length] each.
    """
    n_items = scores.shape[1]
    if reranker is None:
        return torch.topk(scores, min(n_items, length), dim=-1)
    candidates = reranker.candidates
    candidates.look_at(scores)
    scores, items = torch.topk(scores, min(n_items, max(length, candidates.n)), dim=-1)
    ranking = reranker(scores, items, users, confounder, min(n_items, length))
    return scores.gather(1, ranking), items.gather(1, ranking)


class Candidates:
    """Picks the top items of a user, which re-rankers put in another order, and scales their scores for these.

    Args:
        config: its key ``reranker_candidates``.
        model: whose scores come; if they are no probabilities, they are scaled to [0, 1] per user.

    Attributes:
        n: how many of a user's top items are re-ranked.
    """

    def __init__(self, config, model: torch.nn.Module) -> None:
        self.n = config["reranker_candidates"]
        self._own_scale = OwnScale(model)

    def look_at(self, scores: torch.Tensor) -> None:
        """Look at the scores of all items, by which it is decided whether they are probabilities."""
        self._own_scale.look_at(scores)

    def scores(self, ranked: torch.Tensor) -> torch.Tensor:
        """Scale the scores of the candidates as :meth:`~recbole_decrs.rerank.RegisteredReranker.__call__` takes them.

        Args:
            ranked: the model's own scores in the order of relevance, shape [B, C]; -inf where there is no item.

        Returns:
            [B, min(n, C)].
        """
        return self._own_scale.to("unit", ranked[:, : self.n])


class Reranker:
    """Re-ranks a user's top candidates with the configured re-ranker and weight.

    Args:
        config: its keys ``reranker``, ``reranker_lambda`` and ``reranker_candidates``.
        model: whose scores come.

    Attributes:
        candidates: the items that are re-ranked.
    """

    def __init__(self, config, model: torch.nn.Module) -> None:
        self.rerank = RERANKERS[config["reranker"]]
        weight = config["reranker_lambda"]
        self.weight = self.rerank.default if weight is None else float(weight)
        self.candidates = Candidates(config, model)

    def __call__(
        self, scores: torch.Tensor, items: torch.Tensor, users: torch.Tensor, confounder: Confounder, length: int
    ) -> torch.Tensor:
        """Rank items anew; those that are no candidates keep their places.

        Args:
            scores: the model's own scores in the order of relevance, shape [B, C]; -inf where there is no item.
            items: the ids of these items, shape [B, C].
            users: user ids, shape [B].
            confounder: the groups of items and users.
            length: how many places are filled, at most C.

        Returns:
            The places of the items in the order of relevance, shape [B, length].
        """
        scaled = self.candidates.scores(scores)
        n = scaled.shape[1]
        users = users.to(items.device)
        ranking = self.rerank(scaled, items[:, :n], confounder, users, self.weight, min(n, length))
        beyond = torch.arange(n, max(n, length), device=items.device).expand(len(items), -1)
        return torch.cat([ranking, beyond], dim=1)
