"""Ranks the backbone's candidates by a re-ranker, for each weight of its grid and of its trade-off curve."""

from __future__ import annotations

import torch
from recbole.evaluator.collector import DataStruct

from recbole_decrs.causal import Confounder
from recbole_decrs.rerank import RERANKERS

LARGER = (*(step / 100 for step in range(1, 51)), 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""The weights of a trade-off curve beyond the re-ranker's grid, as far as they are larger than those."""
USERS_AT_ONCE = 1024


def curve_weights(reranker: str) -> tuple[float, ...]:
    """List the weights of a re-ranker's trade-off curve: those of its grid, and then larger ones that it takes."""
    record = RERANKERS[reranker]
    larger = (weight for weight in LARGER if weight > max(record.grid))
    return (*record.grid, *filter(record.weight_check.passes, larger))


def reranked(reranker: str, candidates: DataStruct, confounder: Confounder, weight: float, length: int) -> DataStruct:
    """Put every user's candidates in the order of a re-ranker.

    Args:
        reranker: name of the re-ranker.
        candidates: what was collected of the backbone, in the order of relevance, with the candidates' probabilities
            under ``rec.list_scores``.
        confounder: that of the training data.
        weight: how much the re-ranker changes.
        length: how many places of a list it fills.

    Returns:
        What the evaluator needs of the new lists.
    """
    scores, items, users = (candidates.get(f"rec.{key}") for key in ("list_scores", "items", "users"))
    rerank = RERANKERS[reranker]
    chunks = (slice(start, start + USERS_AT_ONCE) for start in range(0, len(users), USERS_AT_ONCE))
    ranking = [rerank(scores[rows], items[rows], confounder, users[rows], weight, length) for rows in chunks]
    return _in_order(candidates, torch.cat(ranking))


def _in_order(candidates: DataStruct, ranking: torch.Tensor) -> DataStruct:
    """Put collected lists in another order.

    Args:
        candidates: as collected, in the order of relevance.
        ranking: places of candidates, shape [n_users, length].
    """
    struct = DataStruct()
    for key, value in candidates._data_dict.items():
        struct.set(key, value)
    hits = candidates.get("rec.topk")
    struct.set("rec.items", candidates.get("rec.items").gather(1, ranking))
    struct.set("rec.ranked", candidates.get("rec.ranked").gather(1, ranking))
    struct.set("rec.topk", torch.cat([hits[:, :-1].gather(1, ranking), hits[:, -1:]], dim=1))
    return struct
