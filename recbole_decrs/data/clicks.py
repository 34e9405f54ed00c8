"""Finds the clicks of a part of the dataset, and those by users of whom nothing is learnt."""

from __future__ import annotations

from logging import getLogger

import numpy as np
from recbole.utils import ModelType
from scipy import sparse

from recbole_decrs.errors import DecRSError

Clicks = tuple[np.ndarray, np.ndarray]
"""Users and items of clicks, shape [n_clicks] each; user 0 marks what is no click."""


def clicks_of(part) -> Clicks:
    """Give the users and items of the positive interactions of a part; what is no click is marked by user 0."""
    users, items = part.inter_feat[part.uid_field].numpy(), part.inter_feat[part.iid_field].numpy()
    if part.label_field in part.inter_feat:
        users = np.where(part.inter_feat[part.label_field].numpy() > 0, users, 0)
    return users, items


def click_matrix(part) -> sparse.csr_matrix:
    """Count the training clicks of each user on each item, CSR, shape [n_users, n_items].

    Args:
        part: the training part of a dataset, whose ``clicks`` also has those that a sequential model has no row of.
    """
    users, items = part.clicks
    known = users > 0
    return sparse.csr_matrix((np.ones(known.sum()), (users[known], items[known])), (part.user_num, part.item_num))


def count_clicks_of_the_unknown(dataset, clicks: list[Clicks]) -> None:
    """Count clicks of the other parts by users of whom the training part has none.

    Args:
        dataset: a RecBole Dataset.
        clicks: of its parts: training, validation, test.
    """
    if dataset.config["MODEL_TYPE"] == ModelType.SEQUENTIAL:  # it learns of users from the sequences before a click
        return
    known = np.bincount(clicks[0][0], minlength=dataset.user_num) > 0
    for name, (users, _) in zip(("validation", "test"), clicks[1:], strict=False):
        n_clicks, n_unknown = int((users > 0).sum()), int((~known[users[users > 0]]).sum())
        if n_unknown:
            getLogger().warning(
                f"{n_unknown} of {n_clicks} {name} clicks of {dataset.dataset_name} are by users without a training "
                "click, of whom nothing has been learnt"
            )


def clicks_in_order_of_time(dataset, key: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Get users and items of the training clicks in the order of time, and the place of each among the training clicks.

    These are the rows of the training part, and for a sequential model the first click of each user as well.

    Args:
        dataset: the training part.
        key: what needs the order, for the message.

    Raises:
        DecRSError: the clicks have no times.
    """
    if dataset.click_order is None:
        raise DecRSError(
            f"{key} needs the order of the clicks, and {dataset.dataset_name} has no times; load the column that "
            "TIME_FIELD names, or leave the key out"
        )
    order = np.argsort(dataset.click_order, kind="stable")
    users, items = dataset.clicks
    return users[order], items[order], order
