"""FairCo (Morik et al. 2020) exposes groups by their merit; static and per user, as the paper uses it."""

from __future__ import annotations

import math

import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.rerank.candidates import add_at_groups, at_groups, groups_of, in_steps
from recbole_decrs.rerank.registry import reranker

LEAST_MERIT = 1e-6
"""The merit of a group whose items have none, by which its exposure can be divided."""


@reranker(
    title="FairCo",
    source="Morik et al. 2020",
    default=0.01,
    grid=[step / 100 for step in range(1, 51)],
    largest=math.inf,
)
def fairco(
    candidate_scores: torch.Tensor,
    candidate_items: torch.Tensor,
    confounder: Confounder,
    users: torch.Tensor,
    weight: float,
    length: int,
) -> torch.Tensor:
    """Sort by score + lambda * err(i), where err(i) is large for items of groups that are exposed too little.

    In the list sorted by relevance, the exposure of a group is the sum of 1 / log2(1 + rank) over its items and its
    merit the sum of their probabilities, both weighted by q^i; the merit is at least 1e-6. So exposure / merit is that
    of the means as well, and does not grow with the number of a group's items. err(i) is the largest exposure / merit
    of a group minus that of i's groups, again weighted by q^i. An item without a group has no error.

    For what it takes and returns see :class:`~recbole_decrs.rerank.RegisteredReranker`; ``weight`` is lambda, and
    ``users`` is not looked at.
    """
    missing = ~torch.isfinite(candidate_scores)
    scores = candidate_scores.double().masked_fill(missing, 0)
    groups, weights = groups_of(confounder.sparse_membership, candidate_items)
    weights = weights.masked_fill(missing.unsqueeze(2), 0)
    nothing = scores.new_zeros(len(scores), len(confounder.group_names))
    ranks = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    exposure = add_at_groups(nothing, groups, weights / torch.log2(1 + ranks.double()).unsqueeze(1))
    merit = add_at_groups(nothing, groups, weights * scores.unsqueeze(2)).clamp_min(LEAST_MERIT)
    ratio = exposure / merit
    error = (weights * (ratio.amax(dim=1).view(-1, 1, 1) - at_groups(ratio, groups))).sum(dim=2)
    fair = in_steps(scores + weight * error).masked_fill(missing, -torch.inf)
    return fair.argsort(dim=1, descending=True, stable=True)[:, :length]
