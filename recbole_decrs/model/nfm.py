"""NFM with the options of the paper's setting; RecBole's NFM with them off."""

from __future__ import annotations

import torch
from recbole.model.context_aware_recommender.nfm import NFM as RecBoleNFM
from recbole.model.layers import MLPLayers

from recbole_decrs.model.backbone import BackboneOptions
from recbole_decrs.model.sides import Side

PAIRS_AT_ONCE = 1 << 14
"""Pairs whose vectors are held at once in full sort; more of them leave the processor's cache."""


class NFM(BackboneOptions, RecBoleNFM):
    """Neural factorization machine (He and Chua 2017).

    RecBole's has BatchNorm on the bi-interaction vector and ``dropout_prob`` before each layer already. Keys beyond
    RecBole's: ``mlp_activation``, and those of :class:`~recbole_decrs.model.backbone.BackboneOptions`.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        activation = config["mlp_activation"] or "sigmoid"
        if activation != "sigmoid":
            sizes = [self.embedding_size, *self.mlp_hidden_size]
            self.mlp_layers = MLPLayers(sizes, self.dropout_prob, activation=activation, bn=True)
            self.mlp_layers.apply(self._init_weights)
        self._keep_features(config, dataset)
        self._apply_options(config, dataset)

    def logits_of(self, bi_interaction: torch.Tensor) -> torch.Tensor:
        """The layers over the vector: [B, H] -> [B]."""
        return self.predict_layer(self.mlp_layers(self.bn(bi_interaction))).squeeze(-1)

    def pair_logits(self, users: Side, items: Side) -> torch.Tensor:
        """The layers over the vectors of all pairs, a few users at a time: [n users, n items]."""
        logits = users.total.new_empty(len(users.total), len(items.total))
        step = max(1, PAIRS_AT_ONCE // len(items.total))
        for start in range(0, len(logits), step):
            chunk = slice(start, start + step)
            pairs = torch.addcmul(items.within, users.total[chunk, None], items.total).add_(users.within[chunk, None])
            logits[chunk] = self.logits_of(pairs.flatten(0, 1)).view(-1, len(items.total))
        return logits
