"""Late fusion, for general recommenders: f = delta * f'(u, i) + (1 - delta) * f'(M(d-bar, u), i) (Sec. 2.3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.model.general_recommender.bpr import BPR
from recbole.model.general_recommender.lightgcn import LightGCN
from recbole.model.general_recommender.neumf import NeuMF
from torch import nn

from recbole_decrs.causal import BackdoorOperator


class LateFusion(GeneralRecommender):
    """What a general recommender needs to be deconfounded; M is made from its own user embeddings.

    Keys: ``delta``, ``confounder_prior``, ``backdoor_operator``, ``group_init_std``.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.delta = config["delta"]

    def operator_of(self, config, dataset, embedding_size: int) -> BackdoorOperator:
        """A new operator, for user embeddings of this size; to be made after the backbone's own initialisation."""
        prior = torch.as_tensor(dataset.confounder.prior_for(config["confounder_prior"]))
        return BackdoorOperator(prior, embedding_size, config["backdoor_operator"], config["group_init_std"])

    def fuse(self, of_user: torch.Tensor, of_groups: torch.Tensor) -> torch.Tensor:
        """delta * f'(u, i) + (1 - delta) * f'(M, i); of user representations where f' is linear in these."""
        return self.delta * of_user + (1 - self.delta) * of_groups

    def through_groups(self, operators: dict[nn.Embedding, BackdoorOperator], model: Callable, *inputs) -> torch.Tensor:
        """f'(M, i): what a model makes of its inputs when its tables of users answer with M.

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


class DecBPR(LateFusion, BPR):
    """BPR deconfounded; a product with the item is linear in the user, so the two users are fused."""

    backbone = BPR

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.backdoor = self.operator_of(config, dataset, self.embedding_size)

    def get_user_embedding(self, user: torch.Tensor) -> torch.Tensor:
        """The fused user, shape [B, H]."""
        embedding = super().get_user_embedding(user)
        return self.fuse(embedding, self.backdoor(embedding.unsqueeze(1), user))


class DecLightGCN(LateFusion, LightGCN):
    """LightGCN deconfounded: M is made from what the graph makes of the users."""

    backbone = LightGCN

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.backdoor = self.operator_of(config, dataset, self.latent_dim)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The fused users and the items, [n_users, H] and [n_items, H]."""
        users, items = super().forward()
        everyone = torch.arange(len(users), device=users.device)
        return self.fuse(users, self.backdoor(users.unsqueeze(1), everyone)), items


class DecNeuMF(LateFusion, NeuMF):
    """NeuMF deconfounded: the logits of the user and of M are fused, each of its two tables of users having its M."""

    backbone = NeuMF

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.mf_backdoor = self.operator_of(config, dataset, self.mf_embedding_size)
        self.mlp_backdoor = self.operator_of(config, dataset, self.mlp_embedding_size)

    def forward(self, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """The fused logits of the rows, shape [B]."""
        operators = {self.user_mf_embedding: self.mf_backdoor, self.user_mlp_embedding: self.mlp_backdoor}
        return self.fuse(super().forward(user, item), self.through_groups(operators, super().forward, user, item))


LATE_FUSED = {model.__name__: model for model in (DecBPR, DecLightGCN, DecNeuMF)}
"""The deconfounded general recommenders by name."""
