"""Lists the recommenders that a model is made of: what scores, how each is ranked, and what re-ranks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from recbole_decrs.checkpoint import HALVES
from recbole_decrs.evaluator.rankings import RANKINGS, Ranking, score_of_model
from recbole_decrs.evaluator.reranking import Reranker
from recbole_decrs.model.fused import FusedRecommender


class Recommenders(NamedTuple):
    """Holds the recommenders of a model: of a deconfounded one both halves, and what they are fused to."""

    models: Sequence[Any]
    """The models that score."""
    rankings: dict[str, Ranking]
    """How each recommender, by its name, is ranked from the scores of the models."""
    ranked: str
    """The one that counts as the result of a run."""
    reranker: Reranker | None
    """What re-ranks that one."""


def recommenders_in(config, model) -> Recommenders:
    """List the recommenders of a model, of any kind.

    Args:
        config: the configuration.
        model: a :class:`FusedRecommender` that is weighed, or any other model, whose one recommender is named by it.
    """
    if not isinstance(model, FusedRecommender):
        name = config["model"]
        reranker = Reranker(config, model) if config["reranker"] else None
        return Recommenders([model], {name: score_of_model(0)}, name, reranker)
    models, rankings, rerankers = list(model.halves), rankings_in(model), {}
    if config["reranker"]:
        models, rankings, rerankers = with_rerankers(config, model, rankings)
    ranked = model.ranking.name
    return Recommenders(models, rankings, ranked, rerankers.get(ranked))


def rankings_in(model: FusedRecommender) -> dict[str, Ranking]:
    """List the rankings of a recommender with two halves by name; ``fused`` only where it is weighed."""
    kinds = [*HALVES, "fused"] if model.weight is not None else HALVES
    return {kind: RANKINGS[kind].make(model.weight) for kind in kinds}


def with_rerankers(
    config, model: FusedRecommender, rankings: dict[str, Ranking]
) -> tuple[list[Any], dict[str, Ranking], dict[str, Reranker]]:
    """Make the re-rankers of both halves and of what they are fused to.

    A re-ranker is given a half's own scores, as if the half were alone: what Eq. 11 makes of scores that are no
    probabilities would be scaled once more.

    Args:
        config: the configuration.
        model: both halves.
        rankings: of :func:`rankings_in`.

    Returns:
        The models that score, the rankings from their scores, and the re-rankers, both by name.
    """
    models, rerankers = list(model.halves), {"fused": Reranker(config, model)}
    for kind, half in zip(HALVES, model.halves, strict=True):
        rerankers[kind] = Reranker(config, half.model)
        if not half.gives_own_scores:
            rankings = {**rankings, kind: score_of_model(len(models))}
            models.append(half.model)
    return models, rankings, rerankers
