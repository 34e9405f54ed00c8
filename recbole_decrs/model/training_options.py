"""Adds the paper's training options that RecBole lacks, the same for a backbone and its deconfounded twin."""

from __future__ import annotations

from logging import getLogger

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.model.layers import FMFirstOrderLinear
from torch import nn

from recbole_decrs.causal.propensity import capped_users, item_propensity, unbiased_log_loss, user_weights
from recbole_decrs.data.id_loader import CLICK_ROW
from recbole_decrs.dropout import quicken_dropout
from recbole_decrs.model.in_place_gradients import frobenius_norm
from recbole_decrs.model.two_sided import TwoSided


class PaperTrainingOptions(TwoSided):
    """Gives a RecBole context-aware model with log loss the paper's training options, and trains it by ids.

    The options are the initial values (key ``embedding_init_std``), the loss as a sum over the batch
    (``loss_reduction``), the Frobenius norm in the loss (``embedding_norm_weight``), and inverse propensity scoring
    (``ips``). With these unset or at RecBole's value the model equals RecBole's. ``torch_compile`` compiles what
    training computes of a batch.
    """

    def _apply_options(self, config, dataset) -> None:
        """Apply the options, at the end of the model's constructor, after RecBole's own initialisation."""
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
        self._weigh_samples(config, dataset)
        quicken_dropout(self)

    def _weigh_samples(self, config, dataset) -> None:
        self.ips = config["ips"]
        if self.ips == "user":
            n_clicks, cap = dataset.confounder.n_clicks, config["ips_cap"]
            capped, clicking = capped_users(n_clicks, cap)
            getLogger().info(f"IPS: {capped} of {clicking} users have the greatest weight, ips_cap {cap:g}")
            of_ids = user_weights(n_clicks, cap)
        elif self.ips == "item":
            of_ids = np.insert(item_propensity(dataset.item_clicks()[1:], config["ips_floor"]), 0, 1.0)
        else:
            return
        self.register_buffer("ips_of", torch.as_tensor(of_ids, dtype=torch.float32), persistent=False)

    def feature_embeddings(self) -> list[nn.Parameter]:
        """List the embedding tables of all features, of the second order alone, and without group embeddings."""
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
        """Compute the log loss of the batch plus lambda times the Frobenius norm (not squared) of feature embeddings.

        A batch holds the ids of P users and of T * P items, the t-th P of which are paired with the users in order;
        RecBole's own batches have T = 1.
        """
        loss = self.log_loss(interaction)
        return loss + self.norm_loss() if self.embedding_norm_weight else loss

    def norm_loss(self) -> torch.Tensor | float:
        """Compute lambda times the Frobenius norm of the feature embeddings."""
        weight = self.embedding_norm_weight
        return weight * frobenius_norm(*self._feature_embeddings) if weight else 0.0

    def log_loss(self, interaction: Interaction, n_samples: int | None = None) -> torch.Tensor:
        """Compute the log loss of a batch, or of a part of one.

        Args:
            interaction: as :meth:`calculate_loss` takes it.
            n_samples: the samples over which a mean is taken, where the interaction is a part of them.
        """
        users, items, labels = (interaction[field] for field in (self.USER_ID, self.ITEM_ID, self.LABEL))
        if self.trains_by_ids:
            rows = interaction.interaction.get(CLICK_ROW)
            times = len(items) // len(users) if len(users) else 1
            logits = self.batch_logits(users, items.view(times, len(users)), rows).flatten()
            users = users.repeat(times)
        else:
            logits = self.forward(interaction)
        return self.log_loss_of(logits, labels, users, items, n_samples)

    def log_loss_of(
        self,
        logits: torch.Tensor,
        labels: torch.Tensor,
        users: torch.Tensor,
        items: torch.Tensor,
        n_samples: int | None = None,
    ) -> torch.Tensor:
        """Compute the log loss of samples, which ``ips`` weighs; logits, labels and ids of shape [B] each."""
        if self.ips is None and n_samples is None:
            return self.loss(logits, labels)
        if self.ips == "item":
            losses = unbiased_log_loss(logits, labels, self.ips_of[items])
        else:
            losses = nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
            losses = losses if self.ips is None else self.ips_of[users] * losses
        if self.loss.reduction == "sum":
            return losses.sum()
        return losses.mean() if n_samples is None else losses.sum() / n_samples
