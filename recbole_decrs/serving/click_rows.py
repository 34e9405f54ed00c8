"""Lets models that score a user by a row of clicks score new users: by item-item weights, or by an autoencoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from recbole.model.abstract_recommender import AbstractRecommender, AutoEncoderMixin
from scipy import sparse


def scores_by_click_rows(model: AbstractRecommender) -> bool:
    """Tell if a model's scores of a user follow from the items that the user has clicked, whoever that is."""
    if getattr(model, "item_similarity", None) is not None:  # EASE, SLIMElastic, ADMMSLIM
        return hasattr(model, "interaction_matrix")
    if hasattr(model, "pred_mat"):  # ItemKNN
        return getattr(model, "method", None) == "item"
    if not isinstance(model, AutoEncoderMixin) or getattr(model, "time_aware", False):  # DiffRec, by times of clicks
        return False
    return not any(parameter.shape[:1] == (model.n_users,) for parameter in model.parameters())  # CDAE has a table


@contextmanager
def with_click_rows(model: AbstractRecommender, counts: sparse.csr_matrix) -> Iterator[None]:
    """Let a model take other users' clicks for those of its users, and back.

    An item that is clicked twice counts twice in RecBole's matrices, by which item-item weights score, and once in the
    row of an autoencoder.

    Args:
        model: one of :func:`scores_by_click_rows`.
        counts: how often a user has clicked an item, shape [n_users, n_items].
    """
    name = next(name for name in ("pred_mat", "interaction_matrix", "get_rating_matrix") if hasattr(model, name))
    own = vars(model).get(name)
    if name == "pred_mat":
        model.pred_mat = counts.dot(model.w).tolil()
    elif name == "interaction_matrix":
        model.interaction_matrix = counts.asformat(own.format)
    else:
        rows = torch.from_numpy(counts.toarray()).clamp(max=1).to(model.device)
        model.get_rating_matrix = lambda users: rows[users]
    try:
        yield
    finally:
        if own is None:
            delattr(model, name)
        else:
            setattr(model, name, own)
