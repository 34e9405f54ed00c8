"""Fuses late, for models without features: f = delta * f'(u, i) + (1 - delta) * f'(M(d-bar, u), i) (Sec. 2.3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.model.general_recommender.bpr import BPR
from recbole.model.general_recommender.lightgcn import LightGCN
from recbole.model.general_recommender.neumf import NeuMF
from torch import nn

from recbole_decrs.causal import BackdoorOperator
from recbole_decrs.errors import DecRSError
from recbole_decrs.model.confounder_training import operator_for
from recbole_decrs.model.registry import register_model
from recbole_decrs.model.sequential import SASRec


class LateFusion(AbstractRecommender):
    """Gives a general or sequential recommender what it needs to be deconfounded; M is made from its own users.

    Keys: ``delta``, ``confounder_prior``, ``confounder_training``, ``backdoor_operator``, ``group_init_std``.
    """

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "backbone"):
            raise DecRSError(f"{cls.__name__} does not name its conventional half; write backbone = ... in the class")

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.delta = config["delta"]

    def operator_of(self, config, dataset, embedding_size: int) -> BackdoorOperator:
        """Make an operator for user embeddings of this size; to be done after the backbone's own initialisation."""
        operator, self.click_rows = operator_for(config, dataset, embedding_size)
        return operator

    def fuse(self, of_user: torch.Tensor, of_groups: torch.Tensor) -> torch.Tensor:
        """Compute delta * f'(u, i) + (1 - delta) * f'(M, i); of user representations where f' is linear in these."""
        return self.delta * of_user + (1 - self.delta) * of_groups

    def through_groups(self, operators: dict[nn.Embedding, BackdoorOperator], model: Callable, *inputs) -> torch.Tensor:
        """Compute f'(M, i): what a model makes of its inputs when its tables of users answer with M.

        Args:
            operators: by the embedding table that is asked for users.
            model: a method of the backbone.
            inputs: of the method.
        """
        hooks = [
            table.register_forward_hook(lambda _, asked, found, of=operator: of(found.unsqueeze(1), *asked))
            for table, operator in operators.items()
        ]
        try:
            return model(*inputs)
        finally:
            for hook in hooks:
                hook.remove()


@register_model
class DecBPR(LateFusion, BPR):
    """Deconfounds BPR; a product with the item is linear in the user, so the two users are fused."""

    backbone = BPR

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.backdoor = self.operator_of(config, dataset, self.embedding_size)

    def get_user_embedding(self, user: torch.Tensor) -> torch.Tensor:
        """Fuse each user with M, shape [B, H]."""
        embedding = super().get_user_embedding(user)
        return self.fuse(embedding, self.backdoor(embedding.unsqueeze(1), user))


@register_model
class DecLightGCN(LateFusion, LightGCN):
    """Deconfounds LightGCN: M is made from what the graph makes of the users."""

    backbone = LightGCN

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.backdoor = self.operator_of(config, dataset, self.latent_dim)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the fused users and the items, [n_users, H] and [n_items, H]."""
        users, items = super().forward()
        everyone = torch.arange(len(users), device=users.device)
        return self.fuse(users, self.backdoor(users.unsqueeze(1), everyone)), items


@register_model
class DecNeuMF(LateFusion, NeuMF):
    """Deconfounds NeuMF: the logits of the user and of M are fused, each of its two tables of users having its M."""

    backbone = NeuMF

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.mf_backdoor = self.operator_of(config, dataset, self.mf_embedding_size)
        self.mlp_backdoor = self.operator_of(config, dataset, self.mlp_embedding_size)

    def forward(self, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """Compute the fused logits of the rows, shape [B]."""
        operators = {self.user_mf_embedding: self.mf_backdoor, self.user_mlp_embedding: self.mlp_backdoor}
        return self.fuse(super().forward(user, item), self.through_groups(operators, super().forward, user, item))


@register_model
class DecSASRec(LateFusion, SASRec):
    """Deconfounds SASRec: the user is the sequence as it is represented at its end, and M is made from that.

    The score is a product with the item, linear in the representation, so the two are fused before it.
    """

    backbone = SASRec

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.backdoor = self.operator_of(config, dataset, self.hidden_size)
        self.users: torch.Tensor | None = None

    def forward(self, item_seq: torch.Tensor, item_seq_len: torch.Tensor) -> torch.Tensor:
        """Compute the fused representations of the sequences, shape [B, H]."""
        sequence = super().forward(item_seq, item_seq_len)
        return self.fuse(sequence, self.backdoor(sequence.unsqueeze(1), self.users))

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        """Compute the loss of SASRec, which is given the fused representations."""
        return self._for_users_of(interaction, super().calculate_loss)

    def predict(self, interaction: Interaction) -> torch.Tensor:
        """Score the rows, shape [B]."""
        return self._for_users_of(interaction, super().predict)

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        """Score every item for the sequences of the interaction, shape [B, n_items]."""
        return self._for_users_of(interaction, super().full_sort_predict)

    def _for_users_of(self, interaction: Interaction, method: Callable) -> torch.Tensor:
        """Call a method of SASRec, whose ``forward`` is not told the users that ``confounder_prior: user`` needs."""
        self.users = interaction[self.USER_ID]
        try:
            return method(interaction)
        finally:
            self.users = None
