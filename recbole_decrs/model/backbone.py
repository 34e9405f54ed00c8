"""The paper's setting of a backbone that RecBole lacks, the same for the conventional and the deconfounded model."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.layers import FMFirstOrderLinear
from torch import nn

from recbole_decrs.model.sides import FrobeniusNorm
from recbole_decrs.model.two_sided import TwoSided


class BackboneOptions(TwoSided):
    """Initial values and loss from configuration keys, over a RecBole context-aware model with log loss.

    Keys: ``embedding_init_std``, ``loss_reduction``, ``embedding_norm_weight``. With these unset or at RecBole's
    value the model equals RecBole's. ``torch_compile`` compiles what training computes of a batch.
    """

    def _apply_options(self, config) -> None:
        """To be called at the end of the model's constructor, after RecBole's own initialisation."""
        if config["loss_reduction"] == "sum":
            self.loss = nn.BCEWithLogitsLoss(reduction="sum")
        self.embedding_norm_weight = config["embedding_norm_weight"] or 0
        if config["embedding_init_std"] is not None:
            for table in self.feature_embeddings():
                nn.init.normal_(table, std=config["embedding_init_std"])
            for module in self.first_order_linear.modules():
                if isinstance(module, nn.Embedding):
                    nn.init.zeros_(module.weight)
        self._feature_embeddings = self.feature_embeddings()
        self.batch_logits = torch.compile(self.forward_ids) if config["torch_compile"] else self.forward_ids

    def feature_embeddings(self) -> list[nn.Parameter]:
        """The embedding tables of all features, of the second order alone; group embeddings are none of them."""
        first_order = {
            id(parameter)
            for module in self.modules()
            if isinstance(module, FMFirstOrderLinear)
            for parameter in module.parameters()
        }
        return [
            module.weight
            for module in self.modules()
            if isinstance(module, nn.Embedding) and id(module.weight) not in first_order
        ]

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        """Log loss of the batch, plus lambda times the Frobenius norm (not squared) of the feature embeddings.

        A batch holds the ids of P users and of T * P items, the t-th P of which are paired with the users in order;
        RecBole's own batches have T = 1.
        """
        if self.trains_by_ids:
            users = interaction[self.USER_ID]
            logits = self.batch_logits(users, interaction[self.ITEM_ID].view(-1, len(users))).flatten()
        else:
            logits = self.forward(interaction)
        loss = self.loss(logits, interaction[self.LABEL])
        if self.embedding_norm_weight:
            loss = loss + self.embedding_norm_weight * FrobeniusNorm.apply(*self._feature_embeddings)
        return loss
