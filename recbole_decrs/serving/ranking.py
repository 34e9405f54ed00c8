"""Ranks items for users by a model, and keeps what each of its recommenders makes of the listed items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from recbole_decrs.causal import Confounder
from recbole_decrs.evaluator.recommenders import Recommenders
from recbole_decrs.evaluator.reranking import top_items
from recbole_decrs.evaluator.scoring import Scorer
from recbole_decrs.finite import check_scores
from recbole_decrs.serving.batches import Batch


class Lists(NamedTuple):
    """Holds a list of K items for each of n users."""

    users: np.ndarray
    """Ids, shape [n]."""
    items: np.ndarray
    """Ids, best first, shape [n, K]."""
    scores: dict[str, np.ndarray]
    """The scores of these items by each recommender, shape [n, K]; -inf where a user has no more candidates."""


@torch.no_grad()
def rank(
    recommenders: Recommenders,
    scorer: Scorer,
    batches: Iterable[Batch],
    length: int,
    chosen: torch.Tensor | None = None,
    confounder: Confounder | None = None,
) -> Lists:
    """Rank items for the users of some batches.

    Args:
        recommenders: of the model, in evaluation mode.
        scorer: of the model's data.
        batches: the users.
        length: of the lists.
        chosen: True for the items to choose from, shape [n_items]; None for all.
        confounder: of the users, which a re-ranker needs.

    Raises:
        DecRSError: a score is infinite or not a number.
    """
    found_users, found_items, found_scores = [], [], {name: [] for name in recommenders.rankings}
    for batch in batches:
        scores = [scorer(model, (batch.interaction, batch.masked, None, None)) for model in recommenders.models]
        if chosen is not None:
            scores = [some.masked_fill(~chosen.to(some.device), -torch.inf) for some in scores]
        users = batch.users.to(scores[0].device)
        by_name = {name: ranking(*scores, users) for name, ranking in recommenders.rankings.items()}
        ranked = by_name[recommenders.ranked]
        check_scores(ranked, recommenders.ranked)
        best, items = top_items(ranked, users, length, recommenders.reranker, confounder)
        found_users.append(batch.users)
        found_items.append(items.cpu())
        for name, of_all in by_name.items():
            found_scores[name].append((best if name == recommenders.ranked else of_all.gather(1, items)).cpu())
    return Lists(
        torch.cat(found_users).numpy(),
        torch.cat(found_items).numpy(),
        {name: torch.cat(some).numpy() for name, some in found_scores.items()},
    )
