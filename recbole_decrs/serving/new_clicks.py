"""Reads the clicks of users whom a model has never seen, from a data frame or a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from logging import getLogger
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recbole_decrs.counts import counted, have
from recbole_decrs.data.loading import PADDING
from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.importing.cells import ids_of, numbers_of, texts_of
from recbole_decrs.importing.columns import ColumnNames, columns_of_clicks
from recbole_decrs.importing.files import read_table
from recbole_decrs.importing.frames import table_of_frame
from recbole_decrs.importing.table import Table
from recbole_decrs.importing.times import read_times
from recbole_decrs.serving.counting_rows import rows_that_count


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

    @cached_property
    def by_user(self) -> list[np.ndarray]:
        """Give the items that each user has clicked, in the order of the clicks, by id."""
        order = np.argsort(self.users, kind="stable")
        return np.split(self.items[order], np.cumsum(np.bincount(self.users, minlength=self.n_users))[:-1])

    def counts(self, n_items: int) -> sparse.csr_matrix:
        """Count how often a user has clicked an item, shape [n_users, n_items]."""
        ones = np.ones(len(self.users), dtype=np.float32)
        return sparse.csr_matrix((ones, (self.users, self.items)), shape=(self.n_users, n_items))

    def matrix(self, n_items: int) -> sparse.csr_matrix:
        """Give 1 where a user has clicked an item, however often, shape [n_users, n_items]."""
        clicked = self.counts(n_items)
        clicked.data[:] = 1
        return clicked


READING = ("user", "item", "time", "rating", "label", "time_format", "separator", "encoding")
"""The options of ``import`` that say how clicks are read."""
COUNT = r"(?:0|[1-9]\d{0,4})(?:\.0+)?"
"""Numbers that are taken as they are, and in which no date can be written."""
FIELDS = {
    "user": "USER_ID_FIELD",
    "item": "ITEM_ID_FIELD",
    "time": "TIME_FIELD",
    "rating": "RATING_FIELD",
    "label": "LABEL_FIELD",
}
"""The keys that name the dataset's own columns of clicks, by the option that names one otherwise."""


def read_new_clicks(clicks: Any, dataset, **reading: str) -> NewClicks:
    """Read the clicks of new users.

    Args:
        clicks: a data frame of pandas, polars or another library that narwhals reads, or the path of a file, as
            ``recbole-decrs import`` reads them: text of separated cells, an atomic file, or Parquet. It has a row a
            click, and columns of users and items that are named as those of the dataset, or as such usually are. Where
            there is one of times it puts the clicks in order; else they stand in order. A row is a click where it
            would be one in training; see :func:`~recbole_decrs.serving.counting_rows.rows_that_count`.
        dataset: the training part of the model's dataset.
        reading: how they are read, where that is not found out: options of ``import``, those of :data:`READING`.

    Raises:
        DecRSError: there is no such option, a column is missing, a user is known already or has clicked no item that
            the model knows, or a cell is empty or no number.
    """
    check_reading(reading)
    reading = {option: str(value) for option, value in reading.items() if value is not None}
    time_format = reading.pop("time_format", None)
    table = _table_of(clicks, reading)
    own = {role: dataset.config[key] for role, key in FIELDS.items()}
    names = ColumnNames(**{role: field for role, field in own.items() if field in table.frame} | reading)
    columns, name = columns_of_clicks(table, names), table.name
    tokens_by_field = {own[role]: ids_of(table, columns[role]) for role in ("user", "item")}
    for field, cells in tokens_by_field.items():
        if missing := int(cells.isna().sum()):
            raise DecRSError(f"{name}: {counted(missing, 'row')} {have(missing)} no {field}; fill it in, or drop them")
    if time_format is not None and "time" not in columns:
        raise DecRSError(f"time_format: no column of {name} is found that holds times; name it by time")
    if "label" in columns and "label" not in reading and not _are_labels(table.frame[columns["label"]], dataset):
        del columns["label"]
    order = _order(table, columns["time"], time_format) if "time" in columns else np.arange(len(table.frame))
    is_click = rows_that_count(table, columns, dataset)
    rows = _of_clicks(pd.DataFrame(tokens_by_field).iloc[order], is_click[order], dataset.uid_field, name)
    rows = _of_known_items(_once_each(rows, dataset.config["rm_dup_inter"], name), dataset, name)
    places, tokens = pd.factorize(rows[dataset.uid_field].to_numpy(dtype=object))
    known = dataset.field2token_id[dataset.uid_field]
    trained = set(np.unique(dataset.clicks[0]).tolist())
    for token in tokens:
        if known.get(token) in trained:
            raise DecRSError(
                f"{name}: the model knows {dataset.uid_field} {token} already; give new users other ids, or ask for "
                "known ones by users"
            )
    items = rows[dataset.iid_field].map(dataset.field2token_id[dataset.iid_field]).to_numpy(dtype=np.int64)
    return NewClicks(np.array([PADDING, *tokens], dtype=object), places.astype(np.int64) + 1, items)


def _table_of(clicks: Any, reading: dict[str, str]) -> Table:
    """Read a file or take a data frame; ``reading`` keeps the options that name columns."""
    of_file = {option: reading.pop(option) for option in ("separator", "encoding") if option in reading}
    if isinstance(clicks, str | os.PathLike):
        table = read_table(os.fspath(clicks), tuple(reading.values()), **of_file)
    elif of_file:
        raise DecRSError(f"{next(iter(of_file))} says how a file is written, and clicks are a data frame; leave it out")
    else:
        table = table_of_frame(clicks, "clicks")
    return replace(table, frame=table.frame.rename(columns=lambda column: column.partition(":")[0]))


def check_reading(reading: Iterable[str], others: Iterable[str] = ()) -> None:
    """See that options of reading clicks are some.

    Args:
        reading: names of options.
        others: what may have been meant as well.

    Raises:
        DecRSError: one is none.
    """
    for option in reading:
        if option not in READING:
            hint = did_you_mean(option, [*READING, *others]) or f"; those of clicks are {', '.join(READING)}"
            raise DecRSError(f"there is no option {option}{hint}")


def _are_labels(cells: pd.Series, dataset) -> bool:
    """Tell if a column that is called as labels holds some: where the model's clicks had labels, or all are 0 or 1."""
    return dataset.label_field in dataset.inter_feat or bool(texts_of(cells).isin(["0", "1", "0.0", "1.0"]).all())


def _order(table: Table, column: str, time_format: str | None) -> np.ndarray:
    """Order clicks by time: times that can be read with certainty, or small whole numbers, which count something."""
    cells = table.frame[column]
    missing = (texts_of(cells) if cells.dtype == object else cells).isna().to_numpy()
    if missing.any():
        raise DecRSError(f"{table.where(column)}, {table.first(missing)}: there is no time; fill it in")
    if time_format is None and texts_of(cells).str.fullmatch(COUNT).all():
        times = numbers_of(table, column)
    else:
        times = read_times(table, column, time_format or "auto").seconds
    return np.argsort(times, kind="stable")


def _of_clicks(rows: pd.DataFrame, is_click: np.ndarray, user_field: str, name: str) -> pd.DataFrame:
    """Leave out rows that are no clicks."""
    clicked = rows[is_click]
    without = rows[user_field][~rows[user_field].isin(clicked[user_field])]
    if len(without):
        raise DecRSError(
            f"{name}: no row of {user_field} {without.iloc[0]} counts as a click, as ratings and labels did in "
            "training; leave the user out"
        )
    return clicked


def _once_each(rows: pd.DataFrame, keep: str | None, name: str) -> pd.DataFrame:
    """Leave out clicks that are made again, where ``rm_dup_inter`` did so in training, and count them."""
    again = np.zeros(len(rows), dtype=bool) if keep is None else rows.duplicated(keep=keep).to_numpy()
    if again.any():
        getLogger().warning(
            f"{int(again.sum())} of {len(rows)} rows of {name} are of a user on an item clicked before or later, and "
            f"are left out (rm_dup_inter: {keep})"
        )
    return rows[~again]


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
            f"{n_unknown} of {len(table)} rows of {name} are on items that the model does not know, such as "
            f"{table[dataset.iid_field][~known].iloc[0]}, and are left out"
        )
    return table[known]
