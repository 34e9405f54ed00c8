"""Weighs samples by inverse propensity (IPS), by user as the paper (Sec. 4.1) and by item as Saito et al. 2020.

A sample counts the more, the less likely it was to be seen.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

IPS = ("user", "item")
"""A propensity may belong to the user of a sample or to its item."""


def user_weights(n_clicks: np.ndarray, cap: float) -> np.ndarray:
    """Weigh each user's samples by min(1 / p_u, c), with p_u = P(d_u) / max over v of P(d_v) (Sec. 4.1).

    Args:
        n_clicks: |H_u|, to which P(d_u) is proportional, shape [n_users], not all zero.
        cap: c, >= 1.

    Returns:
        [n_users], in [1, c]; c for users without a click.

    Example:
        >>> user_weights(np.array([8, 4, 1, 0]), cap=5).tolist()
        [1.0, 2.0, 5.0, 5.0]
    """
    propensity = np.asarray(n_clicks, dtype=np.float64) / np.max(n_clicks)
    return 1 / np.maximum(propensity, 1 / cap)


def capped_users(n_clicks: np.ndarray, cap: float) -> tuple[int, int]:
    """Count the users with clicks whom :func:`user_weights` gives the greatest weight, c, and all users with clicks.

    Args:
        n_clicks: |H_u|, shape [n_users], not all zero.
        cap: c, >= 1.

    Example:
        >>> capped_users(np.array([8, 4, 1, 0]), cap=5)
        (1, 3)
    """
    clicking = n_clicks[n_clicks > 0]
    return int((clicking * cap <= clicking.max()).sum()), len(clicking)


def item_propensity(n_clicks: np.ndarray, floor: float) -> np.ndarray:
    """Estimate theta_i = (clicks of i / most clicks of an item)^0.5 (Saito et al. 2020, Sec. 5), clipped from below.

    Args:
        n_clicks: clicks of each item, shape [n_items], not all zero.
        floor: the least propensity, in (0, 1].

    Returns:
        [n_items], in [floor, 1].

    Example:
        >>> item_propensity(np.array([100, 25, 0]), floor=0.1).tolist()
        [1.0, 0.5, 0.1]
    """
    return np.maximum(np.sqrt(np.asarray(n_clicks, dtype=np.float64) / np.max(n_clicks)), floor)


def unbiased_log_loss(logits: torch.Tensor, labels: torch.Tensor, propensity: torch.Tensor) -> torch.Tensor:
    """Compute y / theta * l(1) + (1 - y / theta) * l(0) of samples, l the log loss (Saito et al. 2020, Eq. 9).

    Args:
        logits: shape [B].
        labels: y, 0 or 1, shape [B].
        propensity: theta of each sample's item, shape [B].

    Returns:
        [B]; negative where theta < 1 and a click is predicted with great confidence.

    Example:
        At a logit of 0 both losses are log 2 = 0.6931, so that the propensity cancels; at 2 they are 0.1269 and 2.1269,
        and the loss of a click with theta = 0.5 is 2 * 0.1269 - 2.1269.

        >>> logits, labels, propensity = torch.tensor([0.0, 2.0]), torch.ones(2), torch.tensor([0.5, 0.5])
        >>> [round(loss, 4) for loss in unbiased_log_loss(logits, labels, propensity).tolist()]
        [0.6931, -1.8731]
    """
    clicked = labels / propensity
    return clicked * functional.softplus(-logits) + (1 - clicked) * functional.softplus(logits)
