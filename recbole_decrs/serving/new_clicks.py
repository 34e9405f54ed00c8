"""Reads the clicks of users whom a model has never seen, from a data frame or a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from logging import getLogger
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recbole_decrs.data.loading import PADDING
from recbole_decrs.errors import DecRSError, in_words, unreadable
from recbole_decrs.importing.frames import table_of_frame


@dataclass(frozen=True)
class NewClicks:
    """Holds the clicks of new users, who have the ids 1, 2, ... among themselves; id 0 is padding, as in RecBole."""

    tokens: np.ndarray
    """The names of the users, by id, shape [n_users]."""
    users: np.ndarray
    """The user of each click, shape [n_clicks]."""
    items: np.ndarray
    """The item of each click, shape [n_clicks]; of a user, in the order of time."""

    @property
    def n_users(self) -> int:
        """Count the users, the padding included."""
        return len(self.tokens)

    def matrix(self, n_items: int) -> sparse.csr_matrix:
        """Give 1 where a user has clicked an item, however often, shape [n_users, n_items]."""
        ones = np.ones(len(self.users), dtype=np.float32)
        clicked = sparse.csr_matrix((ones, (self.users, self.items)), shape=(self.n_users, n_items))
        clicked.data[:] = 1
        return clicked


def read_new_clicks(clicks: Any, dataset) -> NewClicks:
    """Read the clicks of new users.

    Args:
        clicks: a data frame of pandas, polars or another library that narwhals reads, or the path of a CSV file or an
            atomic file. It has a row a click, and the columns that USER_ID_FIELD and ITEM_ID_FIELD name, with or
            without ``:token`` behind them. Where there is the column that TIME_FIELD names, it puts the clicks in
            order; else they stand in order.
        dataset: the training part of the model's dataset.

    Raises:
        DecRSError: a column is missing, a user is known already or has clicked no item that the model knows, or a cell
            is empty or no number.
    """
    is_path = isinstance(clicks, str | os.PathLike)
    name = os.fspath(clicks) if is_path else "clicks"
    table = _read_file(name) if is_path else table_of_frame(clicks, name).frame
    table = table.rename(columns=lambda column: str(column).partition(":")[0])
    for field in (dataset.uid_field, dataset.iid_field):
        if field not in table.columns:
            raise DecRSError(
                f"{name} has no column {field}; its columns are {', '.join(map(str, table.columns))}; name those of "
                f"users and items {dataset.uid_field} and {dataset.iid_field}"
            )
        if missing := int(table[field].isna().sum()):
            raise DecRSError(f"{name}: {missing} rows have no {field}; fill it in, or drop them")
    table = _in_order(table, dataset.time_field, name)
    table = _of_known_items(table.astype({dataset.uid_field: str, dataset.iid_field: str}), dataset, name)
    places, tokens = pd.factorize(table[dataset.uid_field].to_numpy(dtype=object))
    ids = dataset.field2token_id[dataset.uid_field]
    trained = set(np.unique(dataset.clicks[0]).tolist())
    for token in tokens:
        if ids.get(token) in trained:
            raise DecRSError(
                f"{name}: the model knows {dataset.uid_field} {token} already; give new users other ids, or ask for "
                "known ones by users"
            )
    items = table[dataset.iid_field].map(dataset.field2token_id[dataset.iid_field]).to_numpy(dtype=np.int64)
    return NewClicks(np.array([PADDING, *tokens], dtype=object), places.astype(np.int64) + 1, items)


def _read_file(path: str) -> pd.DataFrame:
    try:
        with open(path, encoding="utf-8-sig") as file:
            separator = "\t" if "\t" in file.readline() else ","
        return pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    except (OSError, UnicodeDecodeError) as error:
        raise DecRSError(f"clicks: {unreadable(path, error)}") from error
    except ValueError as error:  # pandas' parser raises its own
        raise DecRSError(f"clicks: {path} cannot be read ({in_words(error)}); write user_id,item_id rows") from error


def _in_order(table: pd.DataFrame, time_field: str, name: str) -> pd.DataFrame:
    if time_field not in table.columns:
        return table
    times = pd.to_numeric(table[time_field], errors="coerce")
    if times.isna().any():
        cell = table[time_field][times.isna()].iloc[0]
        raise DecRSError(f"{name}: {time_field} is {cell!r} in a row, which is no number; write a time in seconds")
    return table.iloc[np.argsort(times.to_numpy(), kind="stable")]


def _of_known_items(table: pd.DataFrame, dataset, name: str) -> pd.DataFrame:
    """Leave out clicks on items that the model does not know, and count them."""
    known = table[dataset.iid_field].isin(dataset.field2token_id[dataset.iid_field].keys() - {PADDING})
    users = table[dataset.uid_field]
    without = users[~users.isin(users[known])]
    if table.empty:
        raise DecRSError(f"{name} has no rows; give each new user a few clicks")
    if len(without):
        raise DecRSError(
            f"{name}: {dataset.uid_field} {without.iloc[0]} has no click on an item that the model knows; write "
            f"{dataset.iid_field} as in {dataset.dataset_name}, or leave the user out"
        )
    if n_unknown := int((~known).sum()):
        getLogger().warning(
            f"{n_unknown} of {len(table)} clicks of {name} are on items that the model does not know, such as "
            f"{table[dataset.iid_field][~known].iloc[0]}, and are left out"
        )
    return table[known]
