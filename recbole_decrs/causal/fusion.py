"""Fuses the scores of two models by the inference strategy (Eq. 11)."""

from __future__ import annotations

import torch


def fuse_scores(conventional: torch.Tensor, deconfounded: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Fuse the scores of two recommenders: Y_{u,i} = (1 - eta-hat_u) Y^RS_{u,i} + eta-hat_u Y^DE_{u,i} (Eq. 11).

    Args:
        conventional: Y^RS, shape [B, n_items].
        deconfounded: Y^DE, shape [B, n_items].
        weight: eta-hat_u of the user in each row, shape [B], in [0, 1].

    Returns:
        [B, n_items].

    Example:
        The first user keeps the conventional scores, the second is given three quarters of the others.

        >>> conventional, deconfounded = torch.zeros(2, 3), torch.ones(2, 3)
        >>> fuse_scores(conventional, deconfounded, torch.tensor([0.0, 0.75])).tolist()
        [[0.0, 0.0, 0.0], [0.75, 0.75, 0.75]]
    """
    return torch.lerp(conventional, deconfounded, weight.unsqueeze(-1).to(conventional.dtype))
