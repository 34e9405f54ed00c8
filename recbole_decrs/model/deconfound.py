"""Makes the deconfounded twin of any of RecBole's context-aware models."""

from __future__ import annotations

import copy
from functools import cache

import torch
from recbole.model.abstract_recommender import AbstractRecommender, ContextRecommender

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.backdoor import BackdoorRecommender
from recbole_decrs.model.pairwise import HOME, with_full_sort

NOT_DECONFOUNDED = {
    "LR": "it adds up its features, so M, which depends on the user alone, would change no ranking",
    "FFM": "it has one embedding of a feature for each other field, and M is one vector",
}
"""Context-aware models of RecBole that have no deconfounded twin, and why."""

CLICKS_LOOKED_AT = 256
"""A gradient of zero is a matter of chance in a few."""

NOT_RECBOLES: dict[str, type] = {}
"""Models of the user's own that were deconfounded, and their backbones, by name: a checkpoint holds only the name."""


def deconfound(backbone: type[ContextRecommender]) -> type[ContextRecommender]:
    """The model with M(d-bar, u) as one more feature field: f(u, i, M(d-bar, u)) of Eq. 5.

    Args:
        backbone: a context-aware model that sizes its layers by ``num_feature_field`` and takes its field embeddings
            from ``concat_embed_input_fields``, as RecBole's do. One without a ``full_sort_predict`` gets it.

    Returns:
        The class ``Dec`` + name of the backbone, with the attribute ``backbone``; the same for the same backbone. From
        then on the name finds it.

    Raises:
        DecRSError: the model cannot take another field; if that is found out only when it is made, the constructor of
            the returned class raises it. Or a model of your own is named as one of RecBole's.
    """
    if not issubclass(backbone, ContextRecommender):
        raise DecRSError(
            f"{backbone.__name__} is not context-aware, so it cannot take M as one more feature; "
            "docs/models.md shows how a general recommender is deconfounded by late fusion"
        )
    name = backbone.__name__
    if name in NOT_DECONFOUNDED:
        raise DecRSError(f"there is no Dec{name}: {NOT_DECONFOUNDED[name]}; take another backbone, such as FM")
    if backbone.__module__.startswith("recbole_decrs."):
        return _twin(backbone)
    from recbole_decrs.model.catalogue import find_model, is_of_recbole

    if backbone.__module__.startswith("recbole.model."):
        return _twin(find_model(name))
    if is_of_recbole(name):
        raise DecRSError(f"RecBole has a model named {name} as well; give yours another name, so that it can be found")
    full_sort = backbone.full_sort_predict is not AbstractRecommender.full_sort_predict
    twin = _twin(backbone if full_sort else with_full_sort(backbone))
    NOT_RECBOLES.update({name: twin.backbone, twin.__name__: twin})
    return twin


@cache
def _twin(backbone: type[ContextRecommender]) -> type[ContextRecommender]:
    name = backbone.__name__
    text = f"{name} with M(d-bar, u) as one more feature field: f(u, i, M(d-bar, u)) of Eq. 5."
    members = {"__module__": HOME, "__doc__": text, "backbone": backbone}
    operator = _OPERATOR.get(name, BackdoorRecommender)
    return type(f"Dec{name}", (_Deconfounded, backbone, operator), members)


class _Deconfounded(ContextRecommender):
    """Sees to it that the group embeddings are learned."""

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        probe = copy.deepcopy(self).to(self.device).eval()  # some models keep what they computed last
        with torch.enable_grad():
            logits = probe.forward(dataset.join(dataset.inter_feat[:CLICKS_LOOKED_AT]).to(self.device))
            gradient = None
            if logits.requires_grad:
                (gradient,) = torch.autograd.grad(logits.sum(), probe.backdoor.group_embeddings, allow_unused=True)
        if gradient is None or not gradient.any():
            name = type(self).__name__
            raise DecRSError(
                f"{name} ignores M(d-bar, u), its group embeddings receive no gradient: {self.backbone.__name__} does "
                "not take its fields from concat_embed_input_fields; take another backbone, such as FM"
            )


class _UserTower(BackdoorRecommender):
    """DSSM has a tower for the user and one for the item: M is one more field of the user's."""

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        self.user_token_field_num += 1  # sizes the tower

    def double_tower_embed_input_fields(self, interaction) -> tuple:
        """RecBole's four parts, M added to the first: embeddings of the user's token features."""
        self.user_token_field_num -= 1
        try:
            tokens, floats, *of_item = super().double_tower_embed_input_fields(interaction)
        finally:
            self.user_token_field_num += 1
        fields = [part for part in (tokens, floats) if part is not None and part.dim() == 3]
        group_level = self.backdoor(torch.cat(fields, dim=1), interaction[self.USER_ID])
        return torch.cat([tokens, group_level.unsqueeze(1)], dim=1), floats, *of_item


_OPERATOR = {"DSSM": _UserTower}
"""Backbones that take M in another way than as a feature field."""
