"""Brings a model's scores from the scale they are on to the one that Eq. 11 or a re-ranker asks for.

RecBole's models score on three scales. Those that are trained by log loss predict probabilities, though some give
logits in full sort; those that are trained by cross entropy over all items give logits of their softmax; the scores of
all others, such as BPR, are taken for logits.
"""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import ModelType
from torch import nn

from recbole_decrs.errors import DecRSError
from recbole_decrs.rerank.candidates import scaled_to_unit

SCALES = ("probability", "logit", "unit")
"""``unit`` is what re-rankers take: probabilities where there are any, else scores between 0 and 1 within each list."""
_NOT_0 = torch.finfo(torch.float32).tiny
_NOT_1 = 1 - torch.finfo(torch.float32).eps / 2
"""A saturated score has a finite logit: infinite ones of both halves would fuse to what is not a number."""


def trained_by_log_loss(model: nn.Module) -> bool:
    """Tell if a model is trained by log loss, so that it predicts probabilities or their logits."""
    return any(isinstance(module, nn.BCELoss | nn.BCEWithLogitsLoss) for module in model.modules())


def forward_gives_logits(model: nn.Module) -> bool:
    """Tell if the log loss of a context-aware model takes logits, which are then what its ``forward`` gives."""
    return any(isinstance(module, nn.BCEWithLogitsLoss) for module in model.modules())


def trained_by_softmax(model: nn.Module) -> bool:
    """Tell if a model is trained by cross entropy over all items, so that its scores are logits of their softmax."""
    return any(isinstance(module, nn.CrossEntropyLoss) for module in model.modules()) and not trained_by_log_loss(model)


def logits_of(probabilities: torch.Tensor) -> torch.Tensor:
    """Turn probabilities into logits, which are finite also where a probability is 0 or 1."""
    return probabilities.clamp(_NOT_0, _NOT_1).logit()


class OwnScale:
    """Knows the scale of a model's own scores, and brings them to another one.

    Scores of a model with log loss count as probabilities if all of the first batch lie in [0, 1], else as logits.

    Args:
        model: whose scores come.
    """

    def __init__(self, model: nn.Module) -> None:
        self.has_probabilities = trained_by_log_loss(model)
        self.is_softmax = trained_by_softmax(model)
        self._scores_are_probabilities = None if self.has_probabilities else False

    def look_at(self, scores: torch.Tensor) -> None:
        """Decide by the scores of a whole batch if they are probabilities, unless that is decided."""
        if self._scores_are_probabilities is None:
            self._scores_are_probabilities = bool(((scores >= 0) & (scores <= 1) | (scores == -torch.inf)).all())

    def probabilities_of(self, logits: torch.Tensor) -> torch.Tensor:
        """Turn the model's logits, shape [..., n_items], into probabilities; a softmax runs over the last axis."""
        return logits.softmax(dim=-1) if self.is_softmax else logits.sigmoid()

    def to(self, scale: str, scores: torch.Tensor) -> torch.Tensor:
        """Bring the model's own scores to a scale; a masked item keeps its -inf.

        Args:
            scale: one of :data:`SCALES`.
            scores: shape [..., n_items]; a softmax and ``unit`` run over the last axis.
        """
        if scale == "unit":
            return self.to("probability", scores) if self.has_probabilities else scaled_to_unit(scores)
        self.look_at(scores)
        if self._scores_are_probabilities == (scale == "probability"):
            return scores
        converted = logits_of(scores) if scale == "logit" else self.probabilities_of(scores)
        return converted.masked_fill(scores == -torch.inf, -torch.inf)


class OnScale:
    """Lets a model answer RecBole's evaluation with scores on the scale it is asked for.

    Args:
        model: a recommender.
        scale: ``probability`` or ``logit``.
    """

    def __init__(self, model: AbstractRecommender, scale: str) -> None:
        self.model = model
        self.scale = scale
        self.of_pairs, self.of_all_items = OwnScale(model), OwnScale(model)
        self._has_logits = model.type == ModelType.CONTEXT and forward_gives_logits(model)

    @property
    def gives_own_scores(self) -> bool:
        """Tell if the scores that the model predicts are on that scale."""
        return self.of_pairs.has_probabilities == (self.scale == "probability")

    def predict(self, interaction: Interaction) -> torch.Tensor:
        """Score the pairs of the interaction, shape [B].

        Raises:
            DecRSError: the probabilities are those of a softmax over all items, which pairs do not have.
        """
        if self.scale == "logit" and self._has_logits:
            return self.model.forward(interaction).flatten()
        if self.scale == "probability" and self.of_pairs.is_softmax:
            raise DecRSError(
                "the probabilities of a model with a softmax over all items need full sort, and eval_args samples "
                "candidates; set fusion_on: logit, or mode: full"
            )
        return self.of_pairs.to(self.scale, self.model.predict(interaction).flatten())

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Score every item for the users of the interaction, shape [B, n_items]."""
        if self.scale == "logit" and self._has_logits and hasattr(self.model, "full_sort_logits"):
            return self.model.full_sort_logits(interaction)
        scores = self.model.full_sort_predict(interaction).view(len(interaction), -1)  # general recommenders' are flat
        return self.of_all_items.to(self.scale, scores)
