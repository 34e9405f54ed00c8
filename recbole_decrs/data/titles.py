"""Reads the titles of items from a column of the .item file, which the model need not have loaded."""

from __future__ import annotations

import os

import numpy as np

from recbole_decrs.data.atomic_files import atomic_file
from recbole_decrs.errors import DecRSError

NAMES = ("title", "name", "item_name", "product_name")
"""Columns that name items, beside those that end in ``_title``."""


def titles_of_items(config, part) -> np.ndarray:
    """Name each item by its title where the .item file has a column of titles, else by its token.

    Args:
        config: the configuration.
        part: a part of the dataset.

    Returns:
        Texts by item id, shape [n_items].
    """
    titles = read_titles(config, part)
    return _tokens_of(part) if titles is None else titles


def read_titles(config, part) -> np.ndarray | None:
    """Read the titles of items; an item without one has its token.

    Args:
        config, part: as of :func:`titles_of_items`.

    Returns:
        Texts by item id, shape [n_items]; None where there is no column of titles.
    """
    tokens = _tokens_of(part)
    path = os.path.join(part.dataset_path, f"{part.dataset_name}.item")
    try:
        file = atomic_file(config, path)
        column = next((name for name in file.columns if name in NAMES or name.endswith("_title")), None)
        if column is None or part.iid_field not in file.columns:
            return None
        table = file.read([part.iid_field, column])
    except DecRSError:  # the run has read what it needs of the file, if there is one
        return None
    known = table[[part.iid_field, column]].dropna()
    titles = dict(zip(known[part.iid_field], known[column], strict=True))
    return np.array([titles.get(token, token) for token in tokens], dtype=object)


def _tokens_of(part) -> np.ndarray:
    return np.asarray(part.field2id_token[part.iid_field]).astype(object)
