"""FM with the options of the paper's setting; RecBole's FM with them off."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
from recbole.model.layers import BaseFactorizationMachine
from torch import nn

from recbole_decrs.model.backbone import BackboneOptions


class FM(BackboneOptions, RecBoleFM):
    """Factorization machine (Rendle 2010).

    Keys beyond RecBole's: ``bi_batch_norm`` and ``dropout_prob``, on the bi-interaction vector before it is summed,
    and those of :class:`~recbole_decrs.model.backbone.BackboneOptions`.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.fm = BaseFactorizationMachine(reduce_sum=False)
        self.bn = nn.BatchNorm1d(self.embedding_size) if config["bi_batch_norm"] else nn.Identity()
        self.dropout = nn.Dropout(config["dropout_prob"] or 0.0)
        self._apply_options(config)

    def forward(self, interaction: Interaction) -> torch.Tensor:
        """Logits of the rows, shape [B]."""
        bi_interaction = self.dropout(self.bn(self.fm(self.concat_embed_input_fields(interaction))))
        return self.first_order_linear(interaction).squeeze(-1) + bi_interaction.sum(dim=-1)
