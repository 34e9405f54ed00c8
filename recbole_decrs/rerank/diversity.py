"""Diversity (Ziegler et al. 2005), topic diversification, makes a list of items that are unlike each other."""

from __future__ import annotations

import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.rerank.candidates import add_at_groups, at_groups, groups_of, in_steps, take_best
from recbole_decrs.rerank.registry import reranker


@reranker(
    title="Diversity",
    source="Ziegler et al. 2005",
    weight="theta",
    default=0.1,
    grid=[step / 100 for step in range(1, 21)],
)
def diversity(
    candidate_scores: torch.Tensor,
    candidate_items: torch.Tensor,
    confounder: Confounder,
    users: torch.Tensor,
    weight: float,
    length: int,
) -> torch.Tensor:
    """Keep the top item, then take at each place the least (1 - theta) * relevance rank + theta * dissimilarity rank.

    The dissimilarity rank is a candidate's place among those left, the least similar first, by the sum of cosines
    between its q^i and those of the items chosen already. An item without a group is unlike every other.

    For what it takes and returns see :class:`~recbole_decrs.rerank.RegisteredReranker`; ``weight`` is theta, and
    ``users`` is not looked at.
    """
    n_rows, n_candidates = candidate_scores.shape
    groups, weights = groups_of(confounder.sparse_membership, candidate_items)
    lengths = torch.linalg.vector_norm(weights, dim=2, keepdim=True)
    directions = torch.where(lengths > 0, weights / lengths, 0.0)
    chosen = weights.new_zeros(n_rows, len(confounder.group_names))  # sum of directions
    places = torch.arange(n_candidates, device=candidate_scores.device).expand(n_rows, -1)
    missing = ~torch.isfinite(candidate_scores)
    taken = torch.zeros_like(missing)
    ranking = []
    for number in range(length):
        if number == 0:
            objective = -places.double()
        else:
            similarity = (directions * at_groups(chosen, groups)).sum(dim=2)
            by_similarity = in_steps(similarity).masked_fill(taken | missing, torch.inf).argsort(dim=1, stable=True)
            rank = torch.empty_like(by_similarity).scatter_(1, by_similarity, places)
            objective = -((1 - weight) * places.double() + weight * rank.double())
        best = take_best(objective, candidate_scores, taken)
        place = best.view(-1, 1, 1).expand(-1, 1, groups.shape[2])
        chosen = add_at_groups(chosen, groups.gather(1, place), directions.gather(1, place))
        ranking.append(best)
    return torch.stack(ranking, dim=1)
