"""NFM with the options of the paper's setting; RecBole's NFM with them off."""

from __future__ import annotations

import torch
from recbole.model.context_aware_recommender.nfm import NFM as RecBoleNFM
from recbole.model.layers import MLPLayers
from torch import nn

from recbole_decrs.model.registry import register_model
from recbole_decrs.model.sides import Side
from recbole_decrs.model.training_options import PaperTrainingOptions

PAIRS_AT_ONCE = 1 << 14
"""So many pairs have their vectors held at once in full sort; more of them leave the processor's cache."""


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
        """Put the vectors of all pairs through the layers, a few users at a time: [n users, n items]."""
        logits = users.total.new_empty(len(users.total), len(items.total))
        step = max(1, PAIRS_AT_ONCE // len(items.total))
        for start in range(0, len(logits), step):
            chunk = slice(start, start + step)
            pairs = torch.addcmul(items.within, users.total[chunk, None], items.total).add_(users.within[chunk, None])
            logits[chunk] = self.logits_of(pairs.flatten(0, 1)).view(-1, len(items.total))
        return logits
