"""Gives NFM the options of the paper's setting; with them off it is RecBole's NFM."""

from __future__ import annotations

import torch
from recbole.model.context_aware_recommender.nfm import NFM as RecBoleNFM
from recbole.model.layers import MLPLayers
from torch import nn

from recbole_decrs.model.folded_layers import fold
from recbole_decrs.model.layered_pairs import layered_pairs
from recbole_decrs.model.registry import register_model
from recbole_decrs.model.sides import Side
from recbole_decrs.model.training_options import PaperTrainingOptions


@register_model
class NFM(PaperTrainingOptions, RecBoleNFM):
    """Extends RecBole's neural factorization machine (He and Chua 2017) by the options of the paper's setting.

    RecBole's has BatchNorm on the bi-interaction vector and ``dropout_prob`` before each layer already. Keys beyond
    RecBole's: ``mlp_activation``; ``mlp_dropout_prob``, with which there is ``dropout_prob`` on the bi-interaction
    vector alone and this one after each layer, as He and Chua have it; and those of
    :class:`~recbole_decrs.model.training_options.PaperTrainingOptions` and
    :class:`~recbole_decrs.model.two_sided.TwoSided`.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        activation, of_layers = config["mlp_activation"], config["mlp_dropout_prob"]
        if activation != "sigmoid" or of_layers is not None:
            sizes = [self.embedding_size, *self.mlp_hidden_size]
            before = self.dropout_prob if of_layers is None else of_layers
            self.mlp_layers = MLPLayers(sizes, before, activation=activation, bn=True)
            self.mlp_layers.apply(self._init_weights)
        if of_layers is not None:
            layers = self.mlp_layers.mlp_layers
            layers[0].p = self.dropout_prob  # before the first layer; before each other one is after the one before
            layers.append(nn.Dropout(of_layers))
        self._keep_features(config, dataset)
        self._apply_options(config, dataset)

    def logits_of(self, bi_interaction: torch.Tensor) -> torch.Tensor:
        """Put bi-interaction vectors through the layers: [B, H] -> [B]."""
        return self.predict_layer(self.mlp_layers(self.bn(bi_interaction))).squeeze(-1)

    def pair_logits(self, users: Side, items: Side) -> torch.Tensor:
        """Put the vectors of all pairs through the layers, folded where that is the same: [n users, n items]."""
        layers = None
        if type(self).logits_of is NFM.logits_of:
            layers = fold((self.bn, self.mlp_layers, self.predict_layer), users.total)
        return super().pair_logits(users, items) if layers is None else layered_pairs(users, items, layers)
