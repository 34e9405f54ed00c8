"""Makes the rankings of two recommenders together, and decides which of them a run's result is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class NamedRanking:
    """Describes a ranking that the key ``inference`` can name.

    Attributes:
        name: what ``inference`` names it by.
        make: makes it from the weight of each user's deconfounded scores, shape [n_users].
        is_weighed: True if it cannot be made without these weights.
    """

    name: str
    make: Callable[[torch.Tensor | None], Ranking]
    is_weighed: bool = False


RANKINGS: dict[str, NamedRanking] = {
    ranking.name: ranking
    for ranking in (
        NamedRanking("fused", fused_by, is_weighed=True),
        NamedRanking("deconfounded", lambda weight: score_of_model(1)),
        NamedRanking("conventional", lambda weight: score_of_model(0)),
    )
}
"""The rankings by name; fused is the paper's."""


def ranking_of_result(config) -> NamedRanking:
    """Find the ranking of two recommenders that counts as the result of a run.

    Args:
        config: its key ``inference``.
    """
    return RANKINGS[config["inference"]]
