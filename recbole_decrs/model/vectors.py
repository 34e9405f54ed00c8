"""Writes FM's ranking as one of inner products, which libraries of vector search find the greatest of.

The logit of FM is the inner product of ``scale * total_u`` and ``total_i``, plus what depends on the item alone, plus
what depends on the user alone (:mod:`recbole_decrs.model.sides`), with ``scale`` of the BatchNorm folded in. The
second is one more dimension, in which every user has a 1; the third changes no user's ranking. M(d-bar, u) of DecFM is
part of the user's side.
"""

from __future__ import annotations

import torch

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.fm import FM
from recbole_decrs.model.two_sided import TwoSided


@torch.no_grad()
def inner_product_vectors(model: TwoSided, users: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Make vectors of users and items whose inner products rank as the logits of an FM or a DecFM, exactly.

    Args:
        model: an FM or a DecFM; of a recommender with both halves, ``conventional`` or ``deconfounded``.
        users: the ids of some users, shape [n]; all of them if none, and then n is their number.

    Returns:
        Vectors of the users, shape [n, H + 1], and of all items, shape [n_items, H + 1], the padding item 0 included;
        the products differ from :meth:`~recbole_decrs.model.two_sided.TwoSided.full_sort_logits` by a constant a user.

    Raises:
        DecRSError: the logits of the model are no sum over the products of two sides.
    """
    if not isinstance(model, FM) or type(model).pair_logits is not FM.pair_logits:
        raise _no_vectors(model)
    was_training = model.training
    model.eval()  # as it ranks: load_data_and_model gives models as RecBole does, in training mode
    try:
        return _vectors(model, users)
    finally:
        model.train(was_training)


def _no_vectors(model: object) -> DecRSError:
    return DecRSError(
        f"{type(model).__name__} has no vectors of users and items whose inner products rank as it does; export an FM "
        "or a DecFM with the layers that it comes with, as which each half of a DecFM counts"
    )


def _vectors(model: FM, users: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    of_item = model.item_side()
    layers = model.folded(of_item.total)
    if layers is None or len(layers) > 1:
        raise _no_vectors(model)
    if users is None:
        users = torch.arange(len(model.users.tokens), device=model.users.tokens.device)
    of_user, scale = model.user_side(users), layers[0].weight
    alone = of_item.within @ scale.T + of_item.first_order.unsqueeze(1)
    ones = torch.ones_like(of_user.total[:, :1])
    return torch.cat([of_user.total * scale, ones], dim=1), torch.cat([of_item.total, alone], dim=1)
