"""Whether a model's scores are probabilities, which Eq. 11 and the re-rankers take, and what stands for them if not."""

from __future__ import annotations

import torch
from torch import nn

_NOT_0 = torch.finfo(torch.float32).tiny
_NOT_1 = 1 - torch.finfo(torch.float32).eps / 2
"""A saturated score has a finite logit: infinite ones of both halves would fuse to what is not a number."""


def trained_by_log_loss(model: nn.Module) -> bool:
    """Whether the model is trained by log loss, so that it predicts probabilities or their logits."""
    return any(isinstance(module, nn.BCELoss | nn.BCEWithLogitsLoss) for module in model.modules())


def forward_gives_logits(model: nn.Module) -> bool:
    """Whether the log loss of a context-aware model takes logits, which are then what its ``forward`` gives."""
    return any(isinstance(module, nn.BCEWithLogitsLoss) for module in model.modules())


def trained_by_softmax(model: nn.Module) -> bool:
    """Whether the model is trained by cross entropy over all items, so that its scores are logits of their softmax."""
    return any(isinstance(module, nn.CrossEntropyLoss) for module in model.modules()) and not trained_by_log_loss(model)


def logits_of(probabilities: torch.Tensor) -> torch.Tensor:
    """The logits of probabilities, finite also where these are 0 or 1."""
    return probabilities.clamp(_NOT_0, _NOT_1).logit()


class ToProbabilities:
    """Makes probabilities of a model's scores; a masked item keeps its -inf.

    Scores of a model with log loss are taken as they are if all of the first batch lie in [0, 1]; some of RecBole's
    give logits in full sort, though probabilities by ``predict``. Scores of a model that is trained by cross entropy
    over all items become their softmax; all other scores become their sigmoid.

    Args:
        model: whose scores come.
    """

    def __init__(self, model: nn.Module) -> None:
        self.as_they_are = None if trained_by_log_loss(model) else False
        self.softmax = trained_by_softmax(model)

    def look_at(self, scores: torch.Tensor) -> None:
        """Decide by the scores of a whole batch, unless that is decided."""
        if self.as_they_are is None:
            self.as_they_are = bool(((scores >= 0) & (scores <= 1) | (scores == -torch.inf)).all())

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        """Probabilities of the same shape."""
        self.look_at(scores)
        if self.as_they_are:
            return scores
        probabilities = scores.softmax(dim=-1) if self.softmax else scores.sigmoid()
        return probabilities.masked_fill(scores == -torch.inf, -torch.inf)


class ToLogits(ToProbabilities):
    """Makes logits of a model's scores; a masked item keeps its -inf.

    Which scores are probabilities is decided as by :class:`ToProbabilities`; all others are taken for logits.
    """

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        """Logits of the same shape."""
        self.look_at(scores)
        return logits_of(scores).masked_fill(scores == -torch.inf, -torch.inf) if self.as_they_are else scores


TO_SCALE = {"probability": ToProbabilities, "logit": ToLogits}
"""By what ``fusion_on`` names."""
