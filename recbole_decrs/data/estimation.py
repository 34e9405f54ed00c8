"""Estimates the Confounder of a RecBole Dataset from its training clicks, the groups of its items, and its times."""

from __future__ import annotations

import os
from collections.abc import Iterable
from logging import getLogger

import numpy as np
from scipy import sparse

from recbole_decrs.causal import Confounder, estimate_confounder
from recbole_decrs.causal.history import has_group
from recbole_decrs.data.atomic_files import atomic_file
from recbole_decrs.data.clicks import Clicks
from recbole_decrs.data.demands import check_groups_and_time, item_path
from recbole_decrs.data.group_field import read_membership
from recbole_decrs.data.popularity_field import POPULARITY, popularity_membership
from recbole_decrs.errors import DecRSError


def one_drift_remark(name: str, alphas: Iterable[float]) -> str:
    """Say what follows where all users of a dataset have the same drift, with one of these exponents of Eq. 12."""
    ends = {
        True: "0, and the fused ranking equals the conventional one",
        False: "1 where alpha is 0, and the fused ranking equals the deconfounded one",
    }
    found = sorted({float(alpha) > 0 for alpha in alphas}, reverse=True)
    return (
        f"all users of {name} have the same drift eta_u, as they do where all items have one group, so that by Eq. 12 "
        f"every weight is {'; it is '.join(ends[positive] for positive in found)}"
    )


def estimate(dataset, clicks: list[Clicks], orders: list[np.ndarray] | None) -> Confounder | None:
    """Estimate the Confounder of the training part of a dataset.

    Args:
        dataset: a RecBole Dataset.
        clicks: of its parts: training, validation, test.
        orders: the places of the clicks of each part in the order of time; None where they have no time.

    Returns:
        None where no ``group_field`` is set and none is needed.

    Raises:
        DecRSError: the groups or the time that the configuration needs are not in the data.
    """
    config = dataset.config
    check_groups_and_time(dataset, has_time=orders is not None)
    if config["group_field"] is None:
        return None
    users, items = clicks[0]
    names, membership = _membership(dataset, users, items)
    history = None if orders is None else drift_history(config["drift_history"], clicks, orders)
    try:
        confounder = estimate_confounder(
            names,
            membership,
            users[users > 0],
            items[users > 0],
            dataset.user_num,
            history,
            config["drift_smoothing"],
            config["drift_periods"],
        )
    except ValueError as error:
        raise DecRSError(
            f"{error}: the items of the training part of {dataset.dataset_name} have no value in the group field "
            f"{config['group_field']}, or the part is empty; take another column or split"
        ) from error
    if config.needs_drift and history is not None:
        _check_drift(dataset, confounder)
    return confounder


def _check_drift(dataset, confounder: Confounder) -> None:
    """Refuse fusion by a drift that nobody has, and warn of one that is the same of all."""
    config, name = dataset.config, dataset.dataset_name
    if not confounder.drifting.any():
        raise DecRSError(
            f"no user of {name} has the {config['drift_periods']} training clicks on grouped items that drift_periods "
            "asks for, so nobody has a drift; "
            + ("lower it, or " if config["drift_periods"] > 2 else "take more data, or ")
            + "set fusion_weight"
        )
    if confounder.one_drift:
        alphas = config["drift_alpha_grid"] if config["drift_alpha"] == "auto" else [config["drift_alpha"]]
        getLogger().warning(one_drift_remark(name, alphas))


def _membership(dataset, users: np.ndarray, items: np.ndarray) -> tuple[tuple[str, ...], sparse.csr_matrix]:
    config, path = dataset.config, item_path(dataset)
    if config["group_field"] == POPULARITY:
        return popularity_membership(dataset, users, items)
    if not os.path.isfile(path):
        raise DecRSError(
            f"group_field: the item groups are read from {path}, which is not there; add it, or take "
            f"group_field: {POPULARITY}, or leave out CKL and DecRS"
        )
    names, membership = read_membership(
        atomic_file(config, path),
        dataset.iid_field,
        config["group_field"],
        dataset.field2token_id[dataset.iid_field],
        config["group_format"],
        config["seq_separator"],
    )
    membership = membership[: dataset.item_num]
    groupless = int((~has_group(membership[1:])).sum())
    if groupless:
        getLogger().warning(
            f"{groupless} of {dataset.item_num - 1} items have no value in the group field {config['group_field']}, "
            f"or no row in {os.path.basename(path)}; they are left out of the users' distributions"
        )
    return names, membership


def drift_history(value: str, clicks: list[Clicks], orders: list[np.ndarray]) -> Clicks:
    """Take the clicks that drift is measured on, in the order of time.

    Args:
        value: the key of this name: ``train`` or ``train+valid``.
        clicks: of the parts of a dataset: training, validation.
        orders: the places of the clicks of each part in the order of time.
    """
    n_parts = 2 if value == "train+valid" else 1
    users, items = (np.concatenate(arrays[:n_parts]) for arrays in zip(*clicks, strict=True))
    by_time = np.argsort(np.concatenate(orders[:n_parts]), kind="stable")
    by_time = by_time[users[by_time] > 0]
    return users[by_time], items[by_time]
