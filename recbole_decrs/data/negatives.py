"""Draws uniform negatives for a whole epoch at once, without rejection."""

from __future__ import annotations

import torch


class UnclickedItems:
    """Draws uniformly from the items that a user has not clicked, for many users at a time.

    With c_0 < c_1 < ... the clicked items of a user, c_j - 1 - j unclicked items stand before c_j. So the r-th of them
    is item r + 1 plus the number of j with c_j - 1 - j <= r, found by one binary search for all draws.

    Args:
        users, items: the clicks, shape [n_clicks] each; repeated ones count once. Items are drawn on their device.
        n_users, n_items: sizes of the id ranges, the padding row 0 included; item 0 is never drawn.

    Raises:
        ValueError: a user has clicked every item.
    """

    def __init__(self, users: torch.Tensor, items: torch.Tensor, n_users: int, n_items: int) -> None:
        clicks = torch.unique(users * n_items + items)  # sorted
        users, items = clicks // n_items, clicks % n_items
        self.counts = torch.bincount(users, minlength=n_users)
        if (self.counts >= max(n_items - 1, 1)).any():
            raise ValueError("a user has clicked every item, so there is no negative to draw")
        self.starts = torch.cumsum(self.counts, 0) - self.counts
        self.n_items = n_items
        before = items - 1 - (torch.arange(len(clicks), device=clicks.device) - self.starts[users])
        self.keys = users * n_items + before

    def draw(self, users: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw one unclicked item for each user, shape [n] -> [n].

        The chance comes from a generator of the CPU, so that every device draws the same items.
        """
        chance = torch.rand(len(users), dtype=torch.float64, generator=generator).to(users.device)
        rank = (chance * (self.n_items - 1 - self.counts[users])).long()
        clicked_before = torch.searchsorted(self.keys, users * self.n_items + rank, right=True) - self.starts[users]
        return rank + 1 + clicked_before
