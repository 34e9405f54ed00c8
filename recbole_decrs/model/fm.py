"""FM with the options of the paper's setting; RecBole's FM with them off."""

from __future__ import annotations

import torch
from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
from recbole.model.layers import BaseFactorizationMachine
from torch import nn

from recbole_decrs.model.registry import register_model
from recbole_decrs.model.sides import Side
from recbole_decrs.model.training_options import PaperTrainingOptions


@register_model
class FM(PaperTrainingOptions, RecBoleFM):
    """Extends RecBole's factorization machine (Rendle 2010) by the options of the paper's setting.

    Keys beyond RecBole's: ``bi_batch_norm`` and ``dropout_prob``, on the bi-interaction vector before it is summed,
    and those of :class:`~recbole_decrs.model.training_options.PaperTrainingOptions` and
    :class:`~recbole_decrs.model.two_sided.TwoSided`.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.fm = BaseFactorizationMachine(reduce_sum=False)
        self.bn = nn.BatchNorm1d(self.embedding_size) if config["bi_batch_norm"] else nn.Identity()
        self.dropout = nn.Dropout(config["dropout_prob"] or 0.0)
        self._keep_features(config, dataset)
        self._apply_options(config, dataset)

    def logits_of(self, bi_interaction: torch.Tensor) -> torch.Tensor:
        """Sum bi-interaction vectors after BatchNorm and dropout: [B, H] -> [B]."""
        return self.dropout(self.bn(bi_interaction)).sum(dim=-1)

    def folded_batch_norm(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the scale and the shift of each dimension by BatchNorm in evaluation, shape [H] each; else 1 and 0."""
        if isinstance(self.bn, nn.BatchNorm1d):
            scale = self.bn.weight / torch.sqrt(self.bn.running_var + self.bn.eps)
            return scale, self.bn.bias - scale * self.bn.running_mean
        shift = self.first_order_linear.bias.new_zeros(self.embedding_size)
        return torch.ones_like(shift), shift

    def pair_logits(self, users: Side, items: Side) -> torch.Tensor:
        """Score all pairs by a matrix product of the two sides, BatchNorm folded in: [n users, n items]."""
        if type(self).logits_of is not FM.logits_of:
            return super().pair_logits(users, items)
        scale, shift = self.folded_batch_norm()
        of_user = (users.within @ scale + shift.sum()).unsqueeze(1)
        return torch.addmm(items.within @ scale, users.total * scale, items.total.T).add_(of_user)
