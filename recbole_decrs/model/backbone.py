"""The paper's setting of a backbone that RecBole lacks, the same for the conventional and the deconfounded model."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from recbole.model.layers import FMFirstOrderLinear
from torch import nn


class BackboneOptions(ContextRecommender):
    """Initial values and loss from configuration keys, over a RecBole context-aware model with log loss.

    Keys: ``embedding_init_std``, ``loss_reduction``, ``embedding_norm_weight``. With these unset or at RecBole's
    value the model equals RecBole's.
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
        """Log loss of the batch, plus lambda times the Frobenius norm (not squared) of the feature embeddings."""
        loss = super().calculate_loss(interaction)
        if self.embedding_norm_weight:
            squares = sum((table**2).sum() for table in self.feature_embeddings())
            loss = loss + self.embedding_norm_weight * torch.sqrt(squares)
        return loss
