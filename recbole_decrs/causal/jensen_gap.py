"""Measures the error of Eq. 6, which takes f at the expected distribution for the expectation of f."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch


class JensenGap(NamedTuple):
    """Sums up sum over d of P(d) f(u, i, M(d, u)) - f(u, i, M(d-bar, u)), the gap, of some users and all items."""

    mean: float
    """The mean of the gap, with its sign."""
    quantiles: dict[float, float]
    """The quantiles 0.5, 0.95, 0.99 and 1 of the absolute gap."""
    relative: float
    """The mean absolute gap over the spread of scores: the mean over users of the standard deviation over items.
    NaN where no user has two items to spread, infinite where there is a gap and no spread."""
    changed_lists: float
    """The share of the users whose top k is another set of items."""
    changed_items: float
    """The mean number of items of a top k that are others."""
    k: int
    """The length of the lists, as far as there are so many items."""


def expected_scores(
    scores_under: Callable[[np.ndarray], torch.Tensor], distributions: np.ndarray, probability: np.ndarray
) -> torch.Tensor:
    """Compute E_d[f(u, i, M(d, u))] = sum over d of P(d) f(u, i, M(d, u)), the left side of Eq. 6.

    Args:
        scores_under: f of some users and items under a distribution over groups, [N] -> any shape.
        distributions: d, shape [n, N]; equal ones are looked at once.
        probability: P(d), shape [n], sums to 1.

    Returns:
        of the shape of the scores, float64.

    Example:
        A score that is the square of the first group's probability: 0.25 * 1^2 + 0.75 * 0^2, where the score at the
        expected distribution would be 0.25^2.

        >>> def square(distribution):
        ...     return torch.tensor([distribution[0] ** 2])
        >>> expected_scores(square, np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.25, 0.75])).tolist()
        [0.25]
    """
    distinct, place = np.unique(distributions, axis=0, return_inverse=True)
    weights = np.bincount(place.ravel(), weights=probability)
    expected = torch.zeros((), dtype=torch.float64)
    for distribution, weight in zip(distinct, weights, strict=True):
        if weight > 0:
            expected = expected + weight * scores_under(distribution).double().cpu()
    return expected


def jensen_gap(expected: torch.Tensor, at_prior: torch.Tensor, candidates: torch.Tensor, k: int = 20) -> JensenGap:
    """Measure what the approximation of Eq. 6 costs.

    Args:
        expected: see :func:`expected_scores`, shape [n_users, n_items].
        at_prior: f(u, i, M(d-bar, u)), shape [n_users, n_items].
        candidates: which items are ranked for each user, shape [n_users, n_items]; the others do not count.
        k: length of the lists.

    Example:
        One user and three items; the approximation puts the second and the third in each other's place.

        >>> expected, at_prior = torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([[3.0, 1.0, 2.0]])
        >>> gap = jensen_gap(expected, at_prior, candidates=torch.ones(1, 3, dtype=torch.bool), k=2)
        >>> gap.mean, gap.quantiles[0.5], gap.changed_lists, gap.changed_items
        (0.0, 1.0, 1.0, 1.0)
    """
    expected, at_prior = expected.double(), at_prior.double().cpu()
    gap = (expected - at_prior)[candidates]
    absolute = gap.abs().numpy()
    spreads = [scores[own].std().item() for scores, own in zip(at_prior, candidates, strict=True) if own.sum() > 1]
    spread = np.mean(spreads) if spreads else np.nan
    k = min(k, expected.shape[1])
    lists = [scores.masked_fill(~candidates, -torch.inf).topk(k).indices for scores in (expected, at_prior)]
    others = [
        len(set(one.tolist()) - set(other.tolist())) if of_user.sum() > k else 0
        for one, other, of_user in zip(*lists, candidates, strict=True)
    ]
    return JensenGap(
        mean=gap.mean().item(),
        quantiles={share: float(np.quantile(absolute, share)) for share in (0.5, 0.95, 0.99, 1.0)},
        relative=_of_spread(float(absolute.mean()), float(spread)),
        changed_lists=float(np.mean([other > 0 for other in others])),
        changed_items=float(np.mean(others)),
        k=k,
    )


def _of_spread(gap: float, spread: float) -> float:
    if spread == 0:
        return float("inf") if gap > 0 else 0.0
    return gap / spread
