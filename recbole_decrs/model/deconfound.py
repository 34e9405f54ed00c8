"""Makes the deconfounded twin of any of RecBole's context-aware models."""

from __future__ import annotations

import copy
from logging import getLogger

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AbstractRecommender, ContextRecommender

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.backdoor import BackdoorRecommender
from recbole_decrs.model.pairwise import HOME, with_full_sort
from recbole_decrs.model.registry import MODELS, is_of_the_plugin, register_model
from recbole_decrs.model.scale import trained_by_log_loss

NOT_DECONFOUNDED = {
    "LR": "it adds up its features, so M, which depends on the user alone, would change no ranking",
    "FFM": "it has one embedding of a feature for each other field, and M is one vector",
}
"""Context-aware models of RecBole that have no deconfounded twin, and why."""

CLICKS_LOOKED_AT = 256
"""A gradient of zero is a matter of chance in a few."""
DRAWS, WEIGHTS_STD = 5, 0.3
"""Random weights under which the gradient is looked at if it is zero under the initial ones."""


def is_deconfounded(model: type) -> bool:
    """Tell a deconfounded model's class from all others: it names the class of its conventional half."""
    return hasattr(model, "backbone")


def deconfound(backbone: type[ContextRecommender]) -> type[ContextRecommender]:
    """Make the twin of a model with M(d-bar, u) as one more feature field: f(u, i, M(d-bar, u)) of Eq. 5.

    Args:
        backbone: a context-aware model that sizes its layers by ``num_feature_field`` and takes its field embeddings
            from ``concat_embed_input_fields``, as RecBole's do. One without a ``full_sort_predict`` gets it.

    Returns:
        The class ``Dec`` + name of the backbone, with the attribute ``backbone``; the same for the same backbone. It is
        registered (:func:`~recbole_decrs.model.registry.register_model`).

    Raises:
        DecRSError: the model cannot take another field; if that is found out only when it is made, the constructor of
            the returned class raises it. Or the model is deconfounded already, or one of your own has the name of one
            of RecBole's.
    """
    if not isinstance(backbone, type):
        raise DecRSError(f"deconfound takes the class of a model, not {backbone!r}")
    if is_deconfounded(backbone):
        raise DecRSError(f"{backbone.__name__} is deconfounded already")
    if not issubclass(backbone, ContextRecommender):
        raise DecRSError(
            f"{backbone.__name__} is not context-aware, so it cannot take M as one more feature; "
            "docs/models.md shows how a general recommender is deconfounded by late fusion"
        )
    name = backbone.__name__
    if name in NOT_DECONFOUNDED:
        raise DecRSError(f"there is no Dec{name}: {NOT_DECONFOUNDED[name]}; take another backbone, such as FM")
    if not is_of_the_plugin(backbone):
        backbone = _with_full_sort(backbone)
    known = MODELS.get(f"Dec{name}")
    return known if getattr(known, "backbone", None) is backbone else register_model(_twin(backbone))


def _with_full_sort(backbone: type[ContextRecommender]) -> type[ContextRecommender]:
    """Give a model ``full_sort_predict``: RecBole's becomes the plugin's, a user's is registered from then on."""
    if backbone.__module__.startswith("recbole.model."):
        return MODELS.get(backbone.__name__) or with_full_sort(backbone)
    if backbone.full_sort_predict is AbstractRecommender.full_sort_predict:
        backbone = with_full_sort(backbone)
    return register_model(backbone)


def _twin(backbone: type[ContextRecommender]) -> type[ContextRecommender]:
    name = backbone.__name__
    text = f"{name} with M(d-bar, u) as one more feature field: f(u, i, M(d-bar, u)) of Eq. 5."
    home = HOME if is_of_the_plugin(backbone) else backbone.__module__
    members = {"__module__": home, "__doc__": text, "backbone": backbone}
    operator = _OPERATOR.get(name, BackdoorRecommender)
    return type(f"Dec{name}", (Deconfounded, backbone, operator), members)


class Deconfounded(ContextRecommender):
    """Sees to it that the group embeddings are learned."""

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        name, backbone = type(self).__name__, self.backbone.__name__
        if not trained_by_log_loss(self):
            raise DecRSError(
                f"{name} has no nn.BCEWithLogitsLoss or nn.BCELoss, by which it is known how its scores and "
                f"probabilities go together; make one of them the loss of {backbone}, as in RecBole's models"
            )
        clicks = dataset.join(dataset.inter_feat[:CLICKS_LOOKED_AT]).to(self.device)
        probe = copy.deepcopy(self).to(self.device).eval()  # some models keep what they computed last
        if _learns_groups(probe, clicks):
            return
        generator = torch.Generator().manual_seed(0)
        for _ in range(DRAWS):
            for parameter in probe.parameters():
                parameter.data = WEIGHTS_STD * torch.randn(parameter.shape, generator=generator).to(self.device)
            if _learns_groups(probe, clicks):
                getLogger().warning(
                    f"the group embeddings of {name} receive no gradient from its initial weights (zeros? dead "
                    "units?); they are learned only if training changes that"
                )
                return
        raise DecRSError(
            f"{name} ignores M(d-bar, u), its group embeddings receive no gradient: {backbone} does not take its "
            "fields from concat_embed_input_fields, or its layers let none through; take another backbone, such as FM"
        )


def _learns_groups(model: ContextRecommender, clicks: Interaction) -> bool:
    """Tell if the scores of some clicks have a gradient by the group embeddings."""
    with torch.enable_grad():
        logits = model.forward(clicks)
        if not logits.requires_grad:
            return False
        (gradient,) = torch.autograd.grad(logits.sum(), model.backdoor.group_embeddings, allow_unused=True)
    return gradient is not None and bool(gradient.any())


class _UserTower(BackdoorRecommender):
    """DSSM has a tower for the user and one for the item: M is one more field of the user's."""

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.user_token_field_num += 1  # sizes the tower

    def double_tower_embed_input_fields(self, interaction: Interaction) -> tuple:
        """Embed RecBole's four parts, and add M to the first, the embeddings of the user's token features."""
        self.user_token_field_num -= 1
        try:
            tokens, floats, *of_item = super().double_tower_embed_input_fields(interaction)
        finally:
            self.user_token_field_num += 1
        fields = ContextRecommender.concat_embed_input_fields(self, interaction)  # RecBole may take floats for others'
        group_level = self.backdoor(fields[:, self.user_fields], interaction[self.USER_ID])
        return torch.cat([tokens, group_level.unsqueeze(1)], dim=1), floats, *of_item


_OPERATOR = {"DSSM": _UserTower}
"""Backbones that take M in another way than as a feature field."""
