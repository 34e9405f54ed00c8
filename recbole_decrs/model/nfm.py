"""NFM with the options of the paper's setting; RecBole's NFM with them off."""

from __future__ import annotations

from recbole.model.context_aware_recommender.nfm import NFM as RecBoleNFM
from recbole.model.layers import MLPLayers

from recbole_decrs.model.backbone import BackboneOptions


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
        self._apply_options(config)
