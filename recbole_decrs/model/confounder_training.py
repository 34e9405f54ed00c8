"""Chooses the distributions that M sees when ranking, and perhaps others in training (``confounder_training``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse

from recbole_decrs.causal import BackdoorOperator
from recbole_decrs.causal.history_before import history_before, recent_distribution
from recbole_decrs.data.clicks import clicks_in_order_of_time


class Distributions(NamedTuple):
    """Holds what stands for d in M(d, u)."""

    ranking: np.ndarray | sparse.csr_matrix
    """When ranking: one distribution, [N], or one a user, [n_users, N]."""
    training: np.ndarray | sparse.csr_matrix | None
    """In training: [n_users, N], or [n_rows, N] where each click names its row; None: as when ranking."""
    click_rows: torch.Tensor | None
    """The row of ``training`` that goes with each click of the training part, [n_clicks]; None: that of its user."""


def distributions_for(config, dataset) -> Distributions:
    """Choose the distributions by the keys ``confounder_prior`` and ``confounder_training``.

    Args:
        config: the configuration.
        dataset: the training part of its dataset.

    Raises:
        DecRSError: a key needs the time of the clicks, which is unknown.
    """
    kind, confounder = config["confounder_prior"], dataset.confounder
    if kind == "recent":
        clicks = clicks_in_order_of_time(dataset, f"confounder_prior: {kind}")[:2]
        ranking = recent_distribution(*clicks, *_about(dataset), config["confounder_smoothing"])
    else:
        ranking = confounder.prior_for(kind)
    training = click_rows = None
    if config["confounder_training"] == "user":
        training = confounder.prior_for("user")
    elif config["confounder_training"] == "history":
        training, click_rows = _before_each_click(config, dataset)
    return Distributions(ranking, training, click_rows)


def operator_for(config, dataset, embedding_size: int) -> tuple[BackdoorOperator, torch.Tensor | None]:
    """Make the operator of a model by its keys, and name the row that goes with each click, if clicks have rows.

    Args:
        config, dataset: as of :func:`distributions_for`.
        embedding_size: H, of the users' features.

    Raises:
        DecRSError: a key needs the time of the clicks, which is unknown.
    """
    ranking, training, click_rows = distributions_for(config, dataset)
    operator = BackdoorOperator(
        ranking,
        embedding_size,
        config["backdoor_operator"],
        config["group_init_std"],
        training,
        by_click=click_rows is not None,
    )
    return operator, click_rows


def _before_each_click(config, dataset) -> tuple[np.ndarray, torch.Tensor]:
    users, items, order = clicks_in_order_of_time(dataset, "confounder_training: history")
    before, period = history_before(
        users, items, *_about(dataset), config["confounder_periods"], config["confounder_smoothing"]
    )
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = period * dataset.user_num + users
    return before.reshape(-1, before.shape[-1]), torch.from_numpy(rows)


def _about(dataset) -> tuple[sparse.csr_matrix, np.ndarray, int]:
    return dataset.confounder.sparse_membership, dataset.confounder.prior, dataset.user_num
