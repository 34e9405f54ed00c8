"""Makes the rankings of two recommenders together, by the names that the key ``inference`` takes."""

from __future__ import annotations

from collections.abc import Callable

import torch

from recbole_decrs.causal import fuse_scores

Ranking = Callable[..., torch.Tensor]
"""``ranking(*scores, users)`` gives the scores to rank by, from each model's, shape [B, n_items], and user ids [B]."""


def score_of_model(place: int) -> Ranking:
    """Rank by the scores of one model.

    Args:
        place: the place of the model among those that are scored.
    """
    return lambda *scores_and_users: scores_and_users[place]


def fused_by(weight: torch.Tensor) -> Ranking:
    """Rank by Eq. 11, which fuses the scores of two models; an item that the first has masked stays so.

    Args:
        weight: the weight of the second model's scores for each user, shape [n_users].
    """

    def fused(conventional: torch.Tensor, deconfounded: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        users = others[-1]
        shape = (len(users), -1)  # scores of labelled pairs come flat
        scores = fuse_scores(conventional.view(shape), deconfounded.view(shape), weight.to(users.device)[users])
        return scores.view_as(conventional).masked_fill(conventional == -torch.inf, -torch.inf)

    return fused


RANKINGS: dict[str, Callable[[torch.Tensor | None], Ranking]] = {
    "conventional": lambda weight: score_of_model(0),
    "deconfounded": lambda weight: score_of_model(1),
    "fused": fused_by,
}
"""A ranking by name, made from the weight of each user's deconfounded scores, shape [n_users]; fused is the paper's."""
