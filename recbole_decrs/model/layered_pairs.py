"""Puts the bi-interaction vectors of all pairs through layers without writing these vectors down.

With ``within`` and ``total`` of :mod:`recbole_decrs.model.sides`, the first layer's map W makes of a pair
W (within_u + within_i + total_u * total_i) = W within_u + W within_i + (W total_u) total_i, where W total_u is W with
its columns scaled. The first two are computed once a side, and the third by a matrix product of many pairs at once.
docs/fast-paths.md says what this saves, and what is left.
"""

from __future__ import annotations

import torch

from recbole_decrs.model.folded_layers import Layer
from recbole_decrs.model.sides import Side

USERS_AT_ONCE = 16
"""At least so many users share a matrix product; it would be narrow with fewer."""
VALUES_AT_ONCE = 1 << 19
"""So many outputs of the widest layer are held at once; more of them leave the processor's cache."""
VALUES_AT_ONCE_ON_DEVICE = 1 << 26
"""The same of an accelerator, which waits between small products: 256 MB."""


def summed_pairs(users: Side, items: Side, layer: Layer) -> torch.Tensor:
    """Put the bi-interaction vectors of all pairs through one layer of one output: shape [n users, n items].

    With nothing between the sides but sums, (w total_u) total_i is a product of two matrices, and has gradients.
    """
    within_u, within_i = users.within @ layer.weight.T + layer.bias, items.within @ layer.weight.T
    return torch.addmm(within_i.T, users.total * layer.weight, items.total.T).add_(within_u)


@torch.no_grad()
def layered_pairs(users: Side, items: Side, layers: list[Layer]) -> torch.Tensor:
    """Put the bi-interaction vectors of all pairs through the layers, the last of which has one output.

    Returns:
        Shape [n users, n items].
    """
    first, *others = layers
    if not others:
        return summed_pairs(users, items, first)
    within_u, within_i = users.within @ first.weight.T + first.bias, items.within @ first.weight.T
    # A column of ones adds within_u in the same product.
    total_i = torch.cat((items.total, torch.ones_like(items.total[:, :1])), dim=1)
    widths = [len(layer.bias) for layer in layers]
    n_users, n_items = chunk_sizes(len(users.total), len(total_i), max(widths), total_i.device)
    # New memory for each chunk would be handed out by the system page by page, at a tenth of the time.
    of_first, *of_others = (total_i.new_empty(n_users * n_items, width) for width in widths)
    logits = total_i.new_empty(len(users.total), len(total_i))
    blocks = list(zip(total_i.split(n_items), within_i.split(n_items), strict=True))
    for total_u, of_users, rows in zip(
        users.total.split(n_users), within_u.split(n_users), logits.split(n_users), strict=True
    ):
        scaled = (first.weight * total_u[:, None]).flatten(0, 1)
        weight = torch.cat((scaled.T, of_users.view(1, -1)))  # [H + 1, users * outputs]
        for (total, within), block in zip(blocks, rows.split(n_items, dim=1), strict=True):
            values = of_first[: len(total) * len(of_users)]  # item by item, user by user
            values.view(len(total), *of_users.shape).copy_(within[:, None])
            values.view(len(total), -1).addmm_(total, weight)
            for before, layer, out in zip(layers, others, of_others, strict=False):
                values = torch.addmm(layer.bias, before.activation(values), layer.weight.T, out=out[: len(values)])
            block.copy_(values.view(len(total), -1).T)
    return logits


def chunk_sizes(n_users: int, n_items: int, width: int, device: torch.device) -> tuple[int, int]:
    """Choose how many users and how many items have their pairs' values held at once, ``width`` values a pair."""
    n_pairs = (VALUES_AT_ONCE if device.type == "cpu" else VALUES_AT_ONCE_ON_DEVICE) // width
    users_at_once = max(1, min(n_users, max(USERS_AT_ONCE, n_pairs // n_items)))
    return users_at_once, max(1, min(n_items, n_pairs // users_at_once))
