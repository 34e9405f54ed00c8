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
    kind = type(model)
    if getattr(kind, "pair_logits", None) is not FM.pair_logits or kind.logits_of is not FM.logits_of:
        raise DecRSError(
            f"{type(model).__name__} has no vectors of users and items whose inner products rank as it does; export "
            "an FM or a DecFM, as which each half of a DecFM counts"
        )
    if users is None:
        users = torch.arange(len(model.users.tokens), device=model.users.tokens.device)
    of_user, of_item = model.user_side(users), model.item_side()
    scale, _ = model.folded_batch_norm()
    alone = (of_item.within @ scale + of_item.first_order).unsqueeze(1)
    ones = torch.ones_like(of_user.total[:, :1])
    return torch.cat([of_user.total * scale, ones], dim=1), torch.cat([of_item.total, alone], dim=1)
