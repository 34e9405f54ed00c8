"""Gives FM the options of the paper's setting; with them off it is RecBole's FM."""

from __future__ import annotations

import torch
from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
from recbole.model.layers import BaseFactorizationMachine
from torch import nn

from recbole_decrs.model.folded_layers import Layer, fold
from recbole_decrs.model.layered_pairs import layered_pairs
from recbole_decrs.model.registry import register_model
from recbole_decrs.model.sides import Side
from recbole_decrs.model.training_options import PaperTrainingOptions


@register_model
class FM(PaperTrainingOptions, RecBoleFM):
    """Extends RecBole's factorization machine (Rendle 2010) by the options of the paper's setting.

    Keys beyond RecBole's: ``bi_batch_norm`` and ``dropout_prob``, on the bi-interaction vector before it is summed,
    and those of :class:`~recbole_decrs.model.training_options.PaperTrainingOptions` and
    :class:`~recbole_decrs.model.two_sided.TwoSided`.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.fm = BaseFactorizationMachine(reduce_sum=False)
        self.bn = nn.BatchNorm1d(self.embedding_size) if config["bi_batch_norm"] else nn.Identity()
        self.dropout = nn.Dropout(config["dropout_prob"] or 0.0)
        self._keep_features(config, dataset)
        self._apply_options(config, dataset)

    def logits_of(self, bi_interaction: torch.Tensor) -> torch.Tensor:
        """Sum bi-interaction vectors after BatchNorm and dropout: [B, H] -> [B]."""
        return self.dropout(self.bn(bi_interaction)).sum(dim=-1)

    def folded(self, vectors: torch.Tensor) -> list[Layer] | None:
        """Fold BatchNorm, dropout and the sum over dimensions as they are evaluated.

        Args:
            vectors: bi-interaction vectors, of which shape [n, H], type and device count alone.

        Returns:
            Layers of which the last has one output, and is the only one as long as ``bn`` and ``dropout`` are FM's own;
            None if :func:`~recbole_decrs.model.folded_layers.fold` cannot fold them, or a subclass has a ``logits_of``
            of its own.
        """
        layers = fold((self.bn, self.dropout), vectors) if type(self).logits_of is FM.logits_of else None
        return layers and [*layers[:-1], layers[-1].summed()]

    def pair_logits(self, users: Side, items: Side) -> torch.Tensor:
        """Score all pairs by a matrix product of the two sides, BatchNorm folded in: [n users, n items]."""
        layers = self.folded(users.total)
        return super().pair_logits(users, items) if layers is None else layered_pairs(users, items, layers)
