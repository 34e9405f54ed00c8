"""Gives the items of a dataset groups by popularity among the training clicks, where ``group_field`` says so."""

from __future__ import annotations

import os

import numpy as np
from scipy import sparse

from recbole_decrs.causal.groups import sparse_membership
from recbole_decrs.causal.popularity import GROUPS, popularity_groups
from recbole_decrs.data.atomic_files import atomic_file
from recbole_decrs.data.demands import item_path
from recbole_decrs.data.group_field import tell_groups
from recbole_decrs.errors import DecRSError

POPULARITY = "popularity"
"""The value of ``group_field`` that names no column of the .item file."""


def popularity_membership(dataset, users: np.ndarray, items: np.ndarray) -> tuple[tuple[str, ...], sparse.csr_matrix]:
    """Make the groups and q^i of every item from the training clicks alone; an item without any is of the tail.

    Args:
        dataset: a RecBole Dataset.
        users, items: of the training clicks, shape [n_clicks] each; user 0 marks what is no click.

    Returns:
        the names of the groups that have items, and the membership, CSR, shape [n_items, N]; row 0 is 0.

    Raises:
        DecRSError: there is no training click, or the .item file has a column of this name, which may be meant.
    """
    path = item_path(dataset)
    if os.path.isfile(path) and POPULARITY in atomic_file(dataset.config, path).columns:
        raise DecRSError(
            f"group_field: {POPULARITY} means groups by the training clicks, and {path} has a column of this name; "
            "give the column another name"
        )
    clicked = items[users > 0]
    if not len(clicked):
        raise DecRSError(f"group_field: {dataset.dataset_name} has no training click to tell popularity by")
    counts = np.bincount(clicked, minlength=dataset.item_num)[1:]
    found, groups = np.unique(popularity_groups(counts), return_inverse=True)
    names = tuple(GROUPS[place] for place in found)
    tell_groups(names, [1] * len(groups), f"{POPULARITY} of the training clicks of {dataset.dataset_name}")
    return names, sparse_membership(np.arange(1, dataset.item_num), groups, dataset.item_num, len(names))
