"""Folds new users into FM, NFM and their deconfounded twins, and any model that is made of two sides.

Of a new user nothing is known but the clicks, so the whole side of the user is found: the sum of the field embeddings
and the first order (:class:`~recbole_decrs.model.sides.Side`); the bi-interaction within the side is the mean of the
users that the model was trained on, and M(d, u) of a deconfounded model is made from all that as of any user.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from recbole_decrs.errors import DecRSError
from recbole_decrs.model.fm import FM
from recbole_decrs.model.layered_pairs import summed_pairs
from recbole_decrs.model.sides import Side
from recbole_decrs.model.two_sided import TwoSided
from recbole_decrs.serving.fold_in import click_loss, most_probable, negative_weights, prior_of, with_free_level
from recbole_decrs.serving.new_clicks import NewClicks

USERS_AT_ONCE = 64
N_NEGATIVES = 500
"""So many items are drawn, which are the negatives of all new users."""


def folded_sides(model: TwoSided, part, clicks: NewClicks, seed: int) -> Side:
    """Find the sides of new users that a model, which stays as it is, would have learned from their clicks.

    Args:
        model: in evaluation mode; where its M sees a distribution for each user, it has to be that of the new ones.
        part: the training part of its dataset.
        clicks: of the new users.
        seed: of the draw of negatives.

    Returns:
        With M(d, u) if there is one, a row for each new user id, row 0 for padding.
    """
    trained = torch.from_numpy(np.setdiff1d(part.clicks[0], [0])).to(model.device)
    with torch.no_grad():
        of_items, of_trained = model.item_side(), model.users(model, trained)
    prior = with_free_level(prior_of(torch.cat([of_trained.total, of_trained.first_order.unsqueeze(1)], dim=1)))
    within = of_trained.within.mean(dim=0)

    def side_of(vectors: torch.Tensor, users: torch.Tensor) -> Side:
        return model.with_group_level(Side(vectors[:, :-1], within.expand(len(users), -1), vectors[:, -1]), users)

    of_all_pairs = _logits_of_all_pairs(model, of_items)
    sampling = part.config["train_neg_sample_args"] or {}
    if sampling.get("distribution") == "none":
        raise DecRSError(
            f"{type(model).__name__} was trained by labels, without the drawn negatives by which new users are folded "
            "in; train it with train_neg_sample_args, or ask for known users"
        )
    negatives = torch.from_numpy(_drawn_negatives(sampling, part.item_clicks(), seed))
    clicked = clicks.matrix(part.item_num)
    found = [prior.mean.unsqueeze(0)]
    for users in torch.arange(1, clicks.n_users).split(USERS_AT_ONCE):
        rows = clicked[users.numpy()]
        by_click = torch.from_numpy(np.repeat(np.arange(len(users)), np.diff(rows.indptr))).to(model.device)
        has_clicked = torch.from_numpy(rows[:, negatives.numpy()].toarray() > 0)
        n_clicks = torch.from_numpy(np.diff(rows.indptr))
        weights = negative_weights(has_clicked, n_clicks, sampling.get("sample_num") or 1).to(model.device)
        of_clicks, of_negatives = (
            Side(*(values[items.to(model.device)] for values in of_items))
            for items in (torch.from_numpy(rows.indices.astype(np.int64)), negatives)
        )
        ids = users.to(model.device)

        def loss(vectors, ids=ids, by_click=by_click, of_clicks=of_clicks, of_negatives=of_negatives, weights=weights):
            side = side_of(vectors, ids)
            of_users = Side(*(values[by_click] for values in side))
            return click_loss(model.logits_of_sides(of_users, of_clicks), of_all_pairs(side, of_negatives), weights)

        found.append(most_probable(loss, prior, len(users)))
    with torch.no_grad():
        return side_of(torch.cat(found), torch.arange(clicks.n_users, device=model.device))


def _logits_of_all_pairs(model: TwoSided, items: Side) -> Callable[[Side, Side], torch.Tensor]:
    """Choose how the logits of all pairs of some users and items are computed, with gradients: [n users, n items]."""
    layers = model.folded(items.total) if isinstance(model, FM) else None
    if layers is None or len(layers) > 1:
        return lambda users, items: model.logits_of_sides(Side(*(values.unsqueeze(1) for values in users)), items)
    bias = model.first_order_linear.bias

    def product(users: Side, items: Side) -> torch.Tensor:
        return summed_pairs(users, items, layers[0]) + items.first_order + (users.first_order + bias).unsqueeze(1)

    return product


def _drawn_negatives(sampling: dict[str, Any], item_clicks: np.ndarray, seed: int) -> np.ndarray:
    """Draw items as training draws its negatives: uniformly, all of them where they are few, or by popularity."""
    rng, n_items = np.random.default_rng(seed), len(item_clicks) - 1
    if sampling.get("distribution") == "popularity":
        weights = item_clicks[1:] ** float(sampling.get("alpha") or 1.0)
        return 1 + rng.choice(n_items, N_NEGATIVES, p=weights / weights.sum())
    return 1 + rng.permutation(n_items)[:N_NEGATIVES]
