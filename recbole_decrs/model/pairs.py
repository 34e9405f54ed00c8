"""Makes of some users and all items the Interaction that a context-aware model takes."""

from __future__ import annotations

import torch
from recbole.data.interaction import Interaction


class Pairs(Interaction):
    """Holds each of some users with each item, an Interaction whose columns are made where they are asked for.

    Pair number ``u * I + i`` is the user in row u with the item in row i.

    Args:
        users: features of the users, [U] rows.
        items: features of the items, [I] rows.
    """

    def __init__(self, users: Interaction, items: Interaction) -> None:
        self.users, self.items = users, items
        self.interaction = {**users.interaction, **items.interaction}
        self.length = len(users) * len(items)

    def __getitem__(self, name: str) -> torch.Tensor:
        if name in self.users.interaction:
            return self.users[name].repeat_interleave(len(self.items), dim=0)
        column = self.items[name]
        return column.repeat(len(self.users), *[1] * (column.dim() - 1))
