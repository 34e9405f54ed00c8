"""The tests' small datasets, which :mod:`recbole_decrs.testing` ships."""

import numpy as np

from recbole_decrs.testing.tiny_data import GENRES, LOAD_COL, SHORT_SEQUENCES, tiny_settings, tiny_tables, write_tables

__all__ = ["ALL_TYPES", "GENRES", "LOAD_COL", "SHORT_SEQUENCES", "tiny_settings", "tiny_tables", "write_tables"]

ALL_TYPES = {
    "load_col": {
        "inter": ["user_id", "item_id", "timestamp"],
        "user": ["user_id", "gender", "jobs", "height"],
        "item": ["item_id", "genre", "first_genre", "price", "weights"],
    },
    "numerical_features": ["height", "price", "weights"],
}
"""Settings with which features of every type are loaded."""

LABELLED = {"inter": ["user_id", "item_id", "timestamp", "label"], "item": ["item_id", "genre"]}
"""``load_col`` of :func:`labelled_tables`."""


def labelled_tables():
    """The tables of :func:`tiny_tables`, with a quarter of the interactions of label 0."""
    tables = tiny_tables()
    tables["inter"]["label:float"] = (np.random.default_rng(0).permutation(288) >= 72).astype(int)
    return tables


def clicks_in(loaders):
    """(user, item) of the clicks of all loaders, as tokens, sorted."""
    found = []
    for loader in loaders:
        part = loader._dataset
        tokens = [part.id2token(field, part.inter_feat[field].numpy()) for field in ("user_id", "item_id")]
        found += zip(*map(list, tokens), strict=True)
    return sorted(found)


def rows_of(table):
    """(user, item) of the rows of an .inter table, sorted."""
    return sorted(zip(table["user_id:token"], table["item_id:token"], strict=True))
