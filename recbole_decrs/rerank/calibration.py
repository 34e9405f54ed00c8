"""Calibration (Steck 2018) makes a list whose groups are those of the user's history."""

from __future__ import annotations

import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.causal.divergence import NEGLIGIBLE
from recbole_decrs.rerank.candidates import add_at_groups, at_groups, groups_of, take_best
from recbole_decrs.rerank.registry import reranker


@reranker(title="Calibration", source="Steck 2018", default=0.1, grid=[step / 100 for step in range(1, 51)])
def calibration(
    candidate_scores: torch.Tensor,
    candidate_items: torch.Tensor,
    confounder: Confounder,
    users: torch.Tensor,
    weight: float,
    length: int,
    smoothing: float = 0.01,
) -> torch.Tensor:
    """Choose the list I greedily that maximises (1 - lambda) * sum of scores - lambda * C_KL(d_u, q(I)).

    At each place the candidate is taken with which the objective is largest, q(I) being the mean of q^i over the items
    chosen so far and that candidate. A user without d_u keeps the order of relevance.

    Adding item i changes C_KL in the terms of i's groups alone: with A_g = (1 - s) T_g / n + s p_g, T the sum of q over
    the items chosen before, and n the length with i, it is
    C_KL = sum_g p_g log p_g - sum_g p_g log A_g - sum over g of i of p_g log(1 + (1 - s) q^i_g / (n A_g)).

    For what it takes and returns see :class:`~recbole_decrs.rerank.RegisteredReranker`; ``weight`` is lambda, and
    ``smoothing`` is that of C_KL.
    """
    device = candidate_scores.device
    history = torch.as_tensor(confounder.distribution_of(users.cpu().numpy()), device=device)
    history = history.masked_fill(history < NEGLIGIBLE, 0)
    groups, weights = groups_of(confounder.sparse_membership, candidate_items)
    history_at = at_groups(history, groups)
    totals = torch.zeros_like(history)
    taken = torch.zeros_like(candidate_scores, dtype=torch.bool)
    ranking = []
    for n in range(1, length + 1):
        without = (1 - smoothing) * totals / n + smoothing * history
        without_at = at_groups(without, groups)
        gain = history_at * torch.log1p((1 - smoothing) * weights / (n * without_at))
        gain = gain.masked_fill(history_at == 0, 0).sum(dim=2)  # C_KL but for what all candidates share
        best = take_best((1 - weight) * candidate_scores.double() + weight * gain, candidate_scores, taken)
        place = best.view(-1, 1, 1).expand(-1, 1, groups.shape[2])
        totals = add_at_groups(totals, groups.gather(1, place), weights.gather(1, place))
        ranking.append(best)
    return torch.stack(ranking, dim=1)
