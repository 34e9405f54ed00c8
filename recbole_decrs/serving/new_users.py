"""Lets new users stand in for those of a model: by fold-in, by rows of clicks, or by sequences of clicks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.utils import ModelType

from recbole_decrs.causal import Confounder
from recbole_decrs.causal.drift import interest_drift, scaled_drift
from recbole_decrs.causal.history import grouped_clicks, sparse_user_history
from recbole_decrs.causal.history_before import recent_distribution
from recbole_decrs.errors import DecRSError
from recbole_decrs.model.fused import FusedRecommender
from recbole_decrs.model.other_distribution import in_place_of_d
from recbole_decrs.model.sides import Side
from recbole_decrs.model.two_sided import TwoSided
from recbole_decrs.serving.click_rows import scores_by_click_rows, with_click_rows
from recbole_decrs.serving.new_clicks import NewClicks
from recbole_decrs.serving.two_sided import folded_sides


def confounder_of(clicks: NewClicks, confounder: Confounder, config) -> Confounder:
    """Compute d_u (Eq. 3) and eta_u (Eq. 10) of new users; groups and d-bar are those of the model.

    Args:
        clicks: of the new users.
        confounder: of the users that the model was trained on.
        config: the configuration.

    Returns:
        Its users are the new ones, row 0 for padding.
    """
    membership = confounder.sparse_membership
    clicked = clicks.matrix(membership.shape[0])
    drift = drifting = None
    if confounder.drift is not None:
        measured_by = config["drift_smoothing"], config["drift_periods"]
        drift, drifting = interest_drift(clicks.users, clicks.items, membership, clicks.n_users, *measured_by)
    return dataclasses.replace(
        confounder,
        sparse_user_distribution=sparse_user_history(clicked, membership),
        n_clicks=grouped_clicks(clicked, membership),
        drift=drift,
        drifting=drifting,
    )


def weights_of(new: Confounder, known: Confounder, config, alpha: float | None) -> np.ndarray | None:
    """Weigh the deconfounded scores of new users, by ``fusion_weight`` or by Eq. 12 with the known users' extremes.

    Args:
        new, known: of the new users, and of those that the model was trained on.
        config: the configuration.
        alpha: of Eq. 12; None where there is no drift.

    Returns:
        Shape [n_users], row 0 for padding; None without drift.
    """
    if config["fusion_weight"] is not None:
        return np.full(len(new.n_clicks), float(config["fusion_weight"]))
    if alpha is None or new.drift is None:
        return None
    of_known = known.drift[known.drifting]
    return scaled_drift(new.drift, alpha, of_known.min(initial=np.inf), of_known.max(initial=-np.inf))


@contextmanager
def standing_in(config, model, part, clicks: NewClicks, seed: int) -> Iterator[Confounder | None]:
    """Let a model take the ids of new users, and back.

    Args:
        config: the configuration.
        model: in evaluation mode.
        part: the training part of its dataset.
        clicks: of the new users.
        seed: of the draw of negatives.

    Yields:
        The Confounder of the new users, where the model's users have one.

    Raises:
        DecRSError: the model cannot score users that it was not trained on.
    """
    confounder = None if part.confounder is None else confounder_of(clicks, part.confounder, config)
    is_fused = isinstance(model, FusedRecommender)
    with ExitStack() as stack:
        for half in (model.conventional, model.deconfounded) if is_fused else (model,):
            if hasattr(half, "backbone") and (of_users := _distributions(config, clicks, confounder)) is not None:
                stack.enter_context(in_place_of_d(half, of_users))
            stack.enter_context(_half_standing_in(half, part, clicks, seed))
        if is_fused:
            before, weights = model.weight, weights_of(confounder, part.confounder, config, model.drift_alpha)
            model.set_weight(weights)
            stack.callback(model.set_weight, before)
        yield confounder


def _distributions(config, clicks: NewClicks, confounder: Confounder) -> np.ndarray | None:
    """Give what stands for d in M(d, u) of new users where each user has a d, shape [n_users, N]; else None."""
    if config["confounder_prior"] == "user":
        return confounder.user_distribution
    if config["confounder_prior"] == "recent":
        about = confounder.sparse_membership, confounder.prior, clicks.n_users, config["confounder_smoothing"]
        return recent_distribution(clicks.users, clicks.items, *about)
    return None


def _half_standing_in(model, part, clicks: NewClicks, seed: int):
    """Make the context in which one model takes the ids of new users."""
    if isinstance(model, TwoSided):
        return _with_sides(model, folded_sides(model, part, clicks, seed))
    if model.type == ModelType.SEQUENTIAL:
        return nullcontext()  # the interaction brings all that there is of a user
    if scores_by_click_rows(model):
        return with_click_rows(model, clicks.counts(part.item_num))
    raise DecRSError(
        f"{type(model).__name__} scores only users that it was trained on; for new ones train FM, NFM, DecFM, DecNFM, "
        "a model of item-item weights such as EASE, an autoencoder such as MultiDAE, or a sequential one such as SASRec"
    )


@contextmanager
def _with_sides(model: TwoSided, sides: Side) -> Iterator[None]:
    model.user_side = lambda users, rows=None: Side(*(values[users] for values in sides))
    try:
        yield
    finally:
        del model.user_side


def interaction_of(config, clicks: NewClicks, users: torch.Tensor, by_id: bool) -> Interaction:
    """Describe new users to a model.

    Args:
        config: the configuration.
        clicks: of the new users.
        users: the ids of some, shape [B].
        by_id: True to name the id too where the model is sequential, as one with a d for each user needs it.

    Returns:
        The id, or the sequence of the latest clicks.
    """
    of_ids = {config["USER_ID_FIELD"]: users}
    if config["MODEL_TYPE"] != ModelType.SEQUENTIAL:
        return Interaction(of_ids)
    longest = config["MAX_ITEM_LIST_LENGTH"]
    sequences = [clicks.by_user[user][-longest:] for user in users.tolist()]
    listed = torch.zeros(len(users), longest, dtype=torch.int64)
    for row, items in enumerate(sequences):
        listed[row, : len(items)] = torch.from_numpy(items)
    lengths = torch.tensor(list(map(len, sequences)))
    of_sequences = {
        config["ITEM_ID_FIELD"] + config["LIST_SUFFIX"]: listed,
        config["ITEM_LIST_LENGTH_FIELD"]: lengths,
    }
    return Interaction(of_sequences | (of_ids if by_id else {}))
