"""Makes a RecBole context-aware model a deconfounded one, by M(d-bar, u) as one more feature field (Sec. 2.3)."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import ContextRecommender
from recbole.utils import FeatureSource

from recbole_decrs.model.confounder_training import operator_for


class BackdoorRecommender(ContextRecommender):
    """Stands between a context-aware model and ``ContextRecommender`` and adds the field M(d-bar, u) to the others.

    It relies on two habits of RecBole's context-aware models: they size their layers by ``num_feature_field`` after
    the base constructor, and take the field embeddings from ``concat_embed_input_fields``.

    Keys: ``confounder_prior``, ``confounder_training``, ``backdoor_operator``, ``group_init_std``.

    Attributes:
        click_rows: the row of the distributions of training that goes with each training click; None for all but
            ``confounder_training: history``.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.num_feature_field += 1
        self.USER_ID = config["USER_ID_FIELD"]
        in_order = (
            self.token_seq_field_names + self.token_field_names + self.float_seq_field_names + self.float_field_names
        )
        of_user = set(dataset.fields(source=[FeatureSource.USER, FeatureSource.USER_ID]))
        self.user_fields = [place for place, name in enumerate(in_order) if name in of_user]
        self.backdoor, self.click_rows = operator_for(config, dataset, self.embedding_size)

    def concat_embed_input_fields(self, interaction: Interaction) -> torch.Tensor:
        """Embed the feature fields, and add M(d-bar, u) as the last: shape [B, n_fields + 1, H]."""
        fields = super().concat_embed_input_fields(interaction)
        group_level = self.backdoor(fields[:, self.user_fields], interaction[self.USER_ID])
        return torch.cat([fields, group_level.unsqueeze(1)], dim=1)
