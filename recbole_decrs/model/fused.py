"""Makes one recommender of the conventional and the deconfounded one, which ranks by Eq. 11."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import InputType, ModelType

from recbole_decrs.errors import DecRSError
from recbole_decrs.evaluator.rankings import ranking_of_result
from recbole_decrs.model.scale import OnScale
from recbole_decrs.randomness import at_seed


class FusedRecommender(AbstractRecommender):
    """Fuses a backbone and its deconfounded twin: Y = (1 - eta-hat_u) Y^RS + eta-hat_u Y^DE (Eq. 11).

    Both are made from the seed anew. Which ranking ``predict`` gives is up to the key ``inference``.

    Args:
        config: its ``model_class`` is the deconfounded model, whose ``backbone`` is the conventional one.
        dataset: the training part, with a ``confounder``.

    Attributes:
        conventional, deconfounded: the two models.
        ranking: what ``predict`` gives, and the result of a run is made of.
        weight: eta-hat_u, or ``fusion_weight`` for everyone, shape [n_users]; None where the ranking needs no drift
            and there is none.
        drift_alpha: the exponent of Eq. 12 that ``weight`` of a loaded recommender was made with; None where there is
            none.
    """

    type = ModelType.CONTEXT
    input_type = InputType.POINTWISE

    def __init__(self, config, dataset) -> None:
        super().__init__()
        self.USER_ID = config["USER_ID_FIELD"]
        self.device = config["device"]
        at_seed(config)
        self.conventional = config.backbone_class(config, dataset)
        at_seed(config)
        self.deconfounded = config.model_class(config, dataset)
        self.register_buffer("weight", None, persistent=False)
        self.drift_alpha: float | None = None
        self.rank_by(config)

    def rank_by(self, config) -> None:
        """Rank as a configuration says by its keys ``inference`` and ``fusion_on``, with the parameters as they are."""
        self.ranking = ranking_of_result(config)
        self.halves = tuple(OnScale(model, config["fusion_on"]) for model in (self.conventional, self.deconfounded))

    def set_weight(self, weight: torch.Tensor | None) -> None:
        """Set the weight of the deconfounded scores of each user, shape [n_users]."""
        self.weight = None if weight is None else torch.as_tensor(weight, dtype=torch.float32, device=self.device)

    def fuse(self, conventional: torch.Tensor, deconfounded: torch.Tensor, users: torch.Tensor) -> torch.Tensor:
        """Make the scores that are ranked by from those of both halves.

        Args:
            conventional, deconfounded: shape [B, n].
            users: ids, shape [B].

        Returns:
            [B, n].
        """
        if self.ranking.is_weighed and self.weight is None:
            raise DecRSError("fused inference needs the weight of each user; train the recommender or load it first")
        return self.ranking.make(self.weight)(conventional, deconfounded, users)

    def predict(self, interaction: Interaction) -> torch.Tensor:
        """Score the pairs of the interaction, shape [B]."""
        conventional, deconfounded = (half.predict(interaction).unsqueeze(-1) for half in self.halves)
        return self.fuse(conventional, deconfounded, interaction[self.USER_ID]).squeeze(-1)

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Score every item for the users of the interaction, shape [B, n_items]."""
        conventional, deconfounded = (half.full_sort_predict(interaction) for half in self.halves)
        return self.fuse(conventional, deconfounded, interaction[self.USER_ID])
