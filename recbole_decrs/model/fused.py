"""The conventional and the deconfounded recommender as one, ranking by Eq. 11."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import InputType, ModelType, init_seed

from recbole_decrs.causal import fuse_scores
from recbole_decrs.errors import DecRSError
from recbole_decrs.model.probability import forward_gives_logits, logits_of, trained_by_log_loss, trained_by_softmax


class Half:
    """One of the two recommenders, answering RecBole's evaluation on the scale that Eq. 11 fuses.

    Args:
        model: a recommender; one that is trained by log loss predicts probabilities, of another the scores are taken
            for logits: of the softmax over all items where it is trained by that, else of the sigmoid.
        scale: ``probability`` or ``logit``.
    """

    def __init__(self, model: AbstractRecommender, scale: str) -> None:
        self.model = model
        self.scale = scale
        self.has_logits = model.type == ModelType.CONTEXT and forward_gives_logits(model)
        self.probabilities = trained_by_log_loss(model)
        self.softmax = trained_by_softmax(model)

    @property
    def gives_own_scores(self) -> bool:
        """Whether the model's own scores are on that scale."""
        return self.probabilities == (self.scale == "probability")

    def predict(self, interaction: Interaction) -> torch.Tensor:
        """Scores of the rows, shape [B]."""
        if self.scale == "logit" and self.has_logits:
            return self.model.forward(interaction).flatten()
        return self._on_scale(self.model.predict(interaction).flatten())

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Scores of every item for the users of the interaction, shape [B, n_items]."""
        if self.scale == "logit" and self.has_logits and hasattr(self.model, "full_sort_logits"):
            return self.model.full_sort_logits(interaction)
        scores = self.model.full_sort_predict(interaction)
        return self._on_scale(scores.view(len(interaction), -1))  # general recommenders give them flat

    def _on_scale(self, scores: torch.Tensor) -> torch.Tensor:
        if self.scale == "logit":
            return logits_of(scores) if self.probabilities else scores
        if self.probabilities:
            return scores
        if not self.softmax:
            return scores.sigmoid()
        if scores.dim() == 1:
            raise DecRSError(
                "the probabilities of a model with a softmax over all items need full sort, and eval_args samples "
                "candidates; set fusion_on: logit, or mode: full"
            )
        return scores.softmax(dim=-1)


class FusedRecommender(AbstractRecommender):
    """Y = (1 - eta-hat_u) Y^RS + eta-hat_u Y^DE (Eq. 11), over a backbone and its deconfounded twin.

    Both are made from the seed anew. Which ranking ``predict`` gives is up to the key ``inference``.

    Args:
        config: its ``model_class`` is the deconfounded model, whose ``backbone`` is the conventional one.
        dataset: the training part, with a ``confounder``.

    Attributes:
        conventional, deconfounded: the two models.
        weight: eta-hat_u, or ``fusion_weight`` for everyone, shape [n_users]; None where the ranking needs no drift
            and there is none.
    """

    type = ModelType.CONTEXT
    input_type = InputType.POINTWISE

    def __init__(self, config, dataset) -> None:
        super().__init__()
        self.USER_ID = config["USER_ID_FIELD"]
        self.device = config["device"]
        self.inference = config["inference"]
        init_seed(config["seed"], config["reproducibility"])
        self.conventional = config.model_class.backbone(config, dataset)
        init_seed(config["seed"], config["reproducibility"])
        self.deconfounded = config.model_class(config, dataset)
        self.halves = tuple(Half(model, config["fusion_on"]) for model in (self.conventional, self.deconfounded))
        self.register_buffer("weight", None, persistent=False)

    def set_weight(self, weight: torch.Tensor | None) -> None:
        """Set the weight of the deconfounded scores of each user, shape [n_users]."""
        self.weight = None if weight is None else torch.as_tensor(weight, dtype=torch.float32, device=self.device)

    def fuse(self, conventional: torch.Tensor, deconfounded: torch.Tensor, users: torch.Tensor) -> torch.Tensor:
        """The ranking scores that ``inference`` names, from those of both halves.

        Args:
            conventional, deconfounded: shape [B, n].
            users: ids, shape [B].

        Returns:
            [B, n].
        """
        if self.inference == "conventional":
            return conventional
        if self.inference == "deconfounded":
            return deconfounded
        if self.weight is None:
            raise DecRSError("fused inference needs the weight of each user; train the recommender or load it first")
        return fuse_scores(conventional, deconfounded, self.weight[users])

    def predict(self, interaction: Interaction) -> torch.Tensor:
        """Scores of the rows, shape [B]."""
        conventional, deconfounded = (half.predict(interaction).unsqueeze(-1) for half in self.halves)
        return self.fuse(conventional, deconfounded, interaction[self.USER_ID]).squeeze(-1)

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Scores of every item for the users of the interaction, shape [B, n_items]."""
        conventional, deconfounded = (half.full_sort_predict(interaction) for half in self.halves)
        return self.fuse(conventional, deconfounded, interaction[self.USER_ID])
