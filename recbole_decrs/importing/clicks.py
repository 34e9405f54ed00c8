"""Makes the .inter table of a dataset from a table of clicks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recbole_decrs.counts import are, counted, have
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.cells import ids_of, is_collection, numbers_of
from recbole_decrs.importing.columns import ColumnNames, columns_of_clicks
from recbole_decrs.importing.table import Table
from recbole_decrs.importing.times import EARLIEST, LATEST, Times, read_times

FIELDS = {"rating": "rating:float", "label": "label:float"}
"""The columns of an .inter file that hold numbers of a click, as RecBole calls them."""


def inter_of(table: Table, names: ColumnNames, time_format: str) -> tuple[pd.DataFrame, list[str]]:
    """Make the .inter table, and tell what was read.

    Rows without a user or an item are left out, and so are rows that are there twice, with the time of the first.

    Args:
        table: of clicks.
        names: of its columns, as far as they are given.
        time_format: as :func:`~recbole_decrs.importing.times.read_times` takes it.

    Returns:
        columns named ``name:type``, of text and numbers; and lines for the user, of which the first is about the whole.

    Raises:
        DecRSError: a column is missing or cannot be read, a click has no time where others have, or none is left.
    """
    columns = columns_of_clicks(table, names)
    users, items = ids_of(table, columns["user"]), ids_of(table, columns["item"])
    known = (users.notna() & items.notna()).to_numpy()
    inter = pd.DataFrame({"user_id:token": users, "item_id:token": items})
    for role, field in FIELDS.items():
        if role in columns:
            inter[field] = as_whole(numbers_of(table, columns[role]))
    if "label" in columns and (wrong := ~inter[FIELDS["label"]].isin([0, 1]).to_numpy()).any():
        raise DecRSError(
            f"{table.where(columns['label'])}, {table.first(wrong)}: a label must be 0 or 1; mend it, or give the "
            "column another name if it holds none"
        )
    times = None
    if "time" in columns:
        times = read_times(table, columns["time"], time_format)
        _check_times(table, columns["time"], times, known)
        inter["timestamp:float"] = as_whole(times.seconds)
    elif time_format != "auto":
        raise DecRSError(f"time_format: no column of {table.name} is found that holds times; name it by time")
    inter, told = inter[known], []
    if inter.empty:
        raise DecRSError(f"{table.name} has no rows with a user and an item; check the file and its columns")
    if n_left_out := int((~known).sum()):
        told.append(
            f"{counted(n_left_out, 'row')} without a user or an item left out, the first in {table.first(~known)}"
        )
    if table.n_short:
        told.append(f"{counted(table.n_short, 'line')} with fewer cells than the first, whose last cells are missing")
    inter, again = _once_each(inter, has_time=times is not None)
    used = list(columns.values())
    if others := [column for column in table.frame if column not in used]:
        again.append(f"not taken: {', '.join(others)}")
    if "label" not in columns and (flags := [column for column in others if _is_flag(table.frame[column])]):
        again.append(
            f"each row counts as a click, though {' and '.join(flags)} {have(len(flags))} 0s and 1s "
            f"alone: give --label={flags[0]} where a 0 of it is no click"
        )
    if "rating" in columns:
        again.append(_ratings(inter["rating:float"].astype(np.float64)))
    return inter.reset_index(drop=True), [_sizes(table, columns, inter, times), *told, *again]


def as_whole(numbers: np.ndarray) -> pd.Series:
    """Make whole numbers of floats that are all whole, so that they are written without a point."""
    column = pd.Series(numbers)
    known = column.dropna()
    return column.astype("Int64") if (known.abs() < 2**53).all() and (known % 1 == 0).all() else column


def _check_times(table: Table, column: str, times: Times, known: np.ndarray) -> None:
    missing = np.isnan(times.seconds) & known
    if missing.any():
        raise DecRSError(
            f"{table.name} has {counted(int(missing.sum()), 'row')} without {column}, the first in "
            f"{table.first(missing)}; fill it in, or drop such rows"
        )


def _once_each(inter: pd.DataFrame, has_time: bool) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows that another one equals in everything, time included, and count clicks that are made again."""
    told = []
    if has_time and (twice := inter.duplicated()).any():
        n_twice = int(twice.sum())
        told.append(f"{counted(n_twice, 'row')} left out that {are(n_twice)} there already, time and all")
        inter = inter[~twice]
    again = inter.duplicated(["user_id:token", "item_id:token"])
    if again.any():
        told.append(
            f"{counted(int(again.sum()), 'click')} of a user on an item clicked before "
            f"({'--rm_dup_inter=first keeps the first alone' if has_time else 'each counts'})"
        )
    return inter, told


def _is_flag(cells: pd.Series) -> bool:
    """Tell a column of zeros and ones, of which there are both, be they numbers or text."""
    if cells.dtype == object and cells.map(is_collection).any():
        return False
    return set(pd.to_numeric(cells.drop_duplicates().dropna(), errors="coerce")) == {0, 1}


def _ratings(ratings: pd.Series) -> str:
    missing = f", {int(ratings.isna().sum())} missing" if ratings.isna().any() else ""
    return (
        f"ratings {ratings.min():g} to {ratings.max():g}{missing}: each row counts as a click, unless "
        f"--val_interval=\"{{'rating': '[4,inf)'}}\", for example, leaves out those below 4"
    )


def _sizes(table: Table, columns: dict[str, str], inter: pd.DataFrame, times: Times | None) -> str:
    n_users, n_items = inter["user_id:token"].nunique(), inter["item_id:token"].nunique()
    sizes = f"{counted(len(inter), 'click')} of {counted(n_users, 'user')} on {counted(n_items, 'item')}"
    if times is None:
        return f"{table.name}: {sizes}, without times, so that users have no drift"
    seconds = inter["timestamp:float"].astype(np.float64)
    ends = seconds.min(), seconds.max()
    if ends[0] >= EARLIEST and ends[1] <= LATEST:
        first, last = (str(pd.to_datetime(moment, unit="s").date()) for moment in ends)
    else:  # numbers that are taken as they are, such as the places of the clicks in their order
        first, last = (f"{moment:.15g}" for moment in ends)
    return f"{table.name}: {sizes}, {first} to {last} ({columns['time']}: {times.form})"
