"""Finds the vectors of new users from their clicks, with everything else of a model as it is.

A new user's vector is the most probable one: it minimises the log loss of the user's clicks and of negatives, plus
-log of a prior, the normal distribution fitted to the vectors of the users that the model was trained on. So a user of
few clicks stays near the mean of all users, and one of many goes where the clicks are. New users do not depend on each
other, since all that they share is frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn.functional import softplus

STEPS, RATE = 100, 0.3
"""Steps of Adagrad and its learning rate, in standard deviations of the prior."""
LEVEL_STD = 10.0
"""Of a user's first order, in logits: so wide that one click decides."""
RIDGE = 1e-4
"""A share of the mean variance is added to each, so that fewer users than dimensions have a prior as well."""


class Prior(NamedTuple):
    """Holds a normal distribution of vectors of D numbers."""

    mean: torch.Tensor
    """Shape [D]."""
    factor: torch.Tensor
    """L of the covariance L L', lower triangular, shape [D, D]."""


def prior_of(vectors: torch.Tensor) -> Prior:
    """Fit a normal distribution to vectors, shape [n, D].

    Example:
        >>> prior = prior_of(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
        >>> prior.mean.tolist(), (prior.factor @ prior.factor.T).round(decimals=3).tolist()
        ([1.0, 1.0], [[1.0, 0.0], [0.0, 0.0]])
    """
    vectors = vectors.double()
    mean = vectors.mean(dim=0)
    centred = vectors - mean
    covariance = centred.T @ centred / len(vectors)
    ridge = RIDGE * covariance.diagonal().mean() + torch.finfo(torch.float32).tiny
    covariance = covariance + ridge * torch.eye(len(mean), dtype=covariance.dtype, device=covariance.device)
    return Prior(mean.float(), torch.linalg.cholesky(covariance).float())


def with_free_level(prior: Prior) -> Prior:
    """Let the last number of a vector, which is added to all scores of a user, go where the clicks have it.

    Training gives each user as many clicks as negatives, or so, and so a level at which the mean probability of both is
    their share; a new user's comes from the same balance, and hardly from the levels of others.

    Args:
        prior: of the vectors.
    """
    factor = prior.factor.clone()
    factor[-1, -1] = (factor[-1, -1] ** 2 + LEVEL_STD**2).sqrt()
    return Prior(prior.mean, factor)


def most_probable(
    loss: Callable[[torch.Tensor], torch.Tensor], prior: Prior, n: int, steps: int = STEPS
) -> torch.Tensor:
    """Find the vectors that minimise a loss minus the log of their probability by the prior.

    Adagrad goes in the coordinates in which the prior is N(0, 1), from its mean. It keeps each number to itself, so the
    vectors do not depend on each other where the loss is a sum over them.

    Args:
        loss: gives the loss of vectors of shape [n, D], a sum over them: shape [].
        prior: of each vector.
        n: how many vectors.
        steps: of Adagrad.

    Returns:
        [n, D].

    Example:
        Half the squared distance to 3 pulls as much as a prior N(1, 1) does, so the best is half way.

        >>> prior = Prior(torch.ones(1), torch.eye(1))
        >>> most_probable(lambda x: ((x - 3) ** 2).sum() / 2, prior, n=1).round(decimals=3).tolist()
        [[2.0]]
    """
    place = torch.zeros(n, len(prior.mean), device=prior.mean.device, requires_grad=True)
    optimizer = torch.optim.Adagrad([place], lr=RATE)
    for _ in range(steps):
        with torch.enable_grad():
            objective = loss(prior.mean + place @ prior.factor.T) + 0.5 * (place**2).sum()
            (place.grad,) = torch.autograd.grad(objective, place)  # of nothing that is frozen
        optimizer.step()
    with torch.no_grad():
        return prior.mean + place @ prior.factor.T


def click_loss(of_clicks: torch.Tensor, of_negatives: torch.Tensor, weight_of_negatives: torch.Tensor) -> torch.Tensor:
    """Compute the log loss of clicks and of weighed negatives, a sum.

    Args:
        of_clicks: the logits of the clicks, shape [n_clicks].
        of_negatives: the logits of negatives, shape [n_users, n_negatives].
        weight_of_negatives: shape [n_users, n_negatives]; 0 where the user has clicked the item.

    Returns:
        [].
    """
    return softplus(-of_clicks).sum() + (weight_of_negatives * softplus(of_negatives)).sum()


def negative_weights(clicked: torch.Tensor, n_clicks: torch.Tensor, for_each_click: float) -> torch.Tensor:
    """Weigh negatives so that they count as much as so many for each click.

    Args:
        clicked: True where a user has clicked the item, which is no negative then, shape [n_users, n_negatives].
        n_clicks: of each user, shape [n_users].
        for_each_click: how many negatives a click has in training.

    Returns:
        [n_users, n_negatives].

    Example:
        >>> negative_weights(torch.tensor([[True, False, False]]), torch.tensor([4]), 1).tolist()
        [[0.0, 2.0, 2.0]]
    """
    unclicked = (~clicked).float()
    n_unclicked = unclicked.sum(dim=1).clamp(min=1)
    return unclicked * (for_each_click * n_clicks / n_unclicked).unsqueeze(1)
