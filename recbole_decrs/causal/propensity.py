"""Inverse propensity scoring (IPS): the paper's variant by user (Sec. 4.1), and Saito et al. 2020 by item."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

IPS = ("user", "item")
"""What a propensity may belong to."""


def user_weights(n_clicks: np.ndarray, cap: float) -> np.ndarray:
    """min(1 / p_u, c): the weight of each user's samples, with p_u = P(d_u) / max over v of P(d_v).

    Args:
        n_clicks: |H_u|, to which P(d_u) is proportional, shape [n_users], not all zero.
        cap: c, >= 1.

    Returns:
        [n_users], in [1, c]; c for users without a click.
    """
    propensity = np.asarray(n_clicks, dtype=np.float64) / np.max(n_clicks)
    return 1 / np.maximum(propensity, 1 / cap)


def item_propensity(n_clicks: np.ndarray, floor: float) -> np.ndarray:
    """theta_i = (clicks of i / most clicks of an item)^0.5 (Saito et al. 2020, Sec. 5), clipped from below.

    Args:
        n_clicks: clicks of each item, shape [n_items], not all zero.
        floor: the least propensity, in (0, 1].

    Returns:
        [n_items], in [floor, 1].
    """
    return np.maximum(np.sqrt(np.asarray(n_clicks, dtype=np.float64) / np.max(n_clicks)), floor)


def unbiased_log_loss(logits: torch.Tensor, labels: torch.Tensor, propensity: torch.Tensor) -> torch.Tensor:
    """y / theta * l(1) + (1 - y / theta) * l(0) with the log loss l (Saito et al. 2020, Eq. 9).

    Args:
        logits: shape [B].
        labels: y, 0 or 1, shape [B].
        propensity: theta of each sample's item, shape [B].

    Returns:
        [B]; negative where theta < 1 and a click is predicted with great confidence.
    """
    clicked = labels / propensity
    return clicked * functional.softplus(-logits) + (1 - clicked) * functional.softplus(logits)
