"""Makes the .item and .user tables of a dataset: groups, titles, and all other columns as features."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from recbole_decrs.counts import counted
from recbole_decrs.data.group_field import check_one_row_an_id
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.cells import holds_fractions, ids_of, in_one_line, is_collection, numbers_of, texts_of
from recbole_decrs.importing.clicks import as_whole
from recbole_decrs.importing.columns import ColumnNames, column_of_users, columns_of_items
from recbole_decrs.importing.item_groups import ItemGroups, joined, read_groups, written
from recbole_decrs.importing.table import Table

SHOWN = 3
"""How many names of groups are shown."""
OF_CLICKS = ("user_id", "item_id", "timestamp", "rating", "label")
"""What columns of clicks are called in a dataset; RecBole would put a feature of such a name in their place."""


class Features(NamedTuple):
    """Holds an .item or .user table, and what to tell of it."""

    table: pd.DataFrame
    """Columns named ``name:type``, one row an id."""
    told: list[str]
    """Lines for the user, of which the first is about the whole."""
    group_field: str | None = None
    """The column of the groups; None where there is none."""


def items_of(table: Table, names: ColumnNames, group_separator: str) -> Features:
    """Make the .item table: ids, the title, the groups, and the other columns.

    Where an item has several rows, its groups are those of all; in all else its rows must be the same.

    Args:
        table: of items.
        names: of its columns, as far as they are given.
        group_separator: as :func:`~recbole_decrs.importing.item_groups.read_groups` takes it.

    Raises:
        DecRSError: a column is missing or cannot be read, or two rows of an item differ.
    """
    columns = columns_of_items(table, names)
    ids = ids_of(table, columns["item"])
    others = [column for column in table.frame if column not in columns.values()]
    features, told = _features(table, ids, others, "item_id", columns.get("title"))
    if "groups" not in columns:
        if group_separator != "auto":
            raise DecRSError(
                f"group_separator: no column of {table.name} is found that holds groups; name it by groups"
            )
        sizes = f"{table.name}: {counted(len(features), 'item')} without groups"
        return Features(features, [sizes, *told])
    column = columns["groups"]
    found = read_groups(table, column, group_separator)
    of_items = joined(ids, found.names)
    groups = [of_items[item] for item in features["item_id:token"]]
    if not any(groups):
        raise DecRSError(f"{table.where(column)} names no group of an item; name another column as groups")
    kind, cells = written(groups, table.where(column))
    field = _free_name(column, _names_of(features))
    features[f"{field}:{kind}"] = cells
    told += _renamed({column: field})
    doubts = [found.doubt] if found.doubt else []
    return Features(features, [_about_groups(table, column, found, groups), *doubts, *told], field)


def users_of(table: Table, names: ColumnNames, taken: Iterable[str] = ()) -> Features:
    """Make the .user table: ids, and the other columns.

    Args:
        table: of users.
        names: of its columns, as far as they are given.
        taken: columns of the .item table, of whose names there can be no other.

    Raises:
        DecRSError: users are not found or cannot be read, or two rows of a user differ.
    """
    column = column_of_users(table, names)
    others = [other for other in table.frame if other != column]
    features, told = _features(table, ids_of(table, column), others, "user_id", taken=taken)
    return Features(features, [f"{table.name}: {counted(len(features), 'user')}", *told])


def _features(
    table: Table,
    ids: pd.Series,
    others: list[str],
    id_field: str,
    title: str | None = None,
    taken: Iterable[str] = (),
) -> tuple[pd.DataFrame, list[str]]:
    """Make a table of one row an id, and lines about what was left out or changed."""
    columns, fields, told, n_mended = {f"{id_field}:token": ids}, {}, [], 0
    if title is not None:
        columns["title:token"], n_mended = in_one_line(texts_of(table.frame[title]))
    lists = [column for column in others if _holds_lists(table.frame[column])]
    for column in others:
        if column in lists:
            continue
        field = fields[column] = _free_name(column, {"title", *_names_of([*taken, *columns])})
        texts = texts_of(table.frame[column])
        if holds_fractions(texts):
            columns[f"{field}:float"] = as_whole(numbers_of(table, column))
        else:
            columns[f"{field}:token"], n_changed = in_one_line(texts)
            n_mended += n_changed
    features = pd.DataFrame(columns)
    known = ids.notna().to_numpy()
    by_id = features.rename(columns={f"{id_field}:token": id_field})
    again = check_one_row_an_id(by_id, id_field, table.name, table.place)
    features = features[known & ~again].reset_index(drop=True)
    if features.empty:
        raise DecRSError(f"{table.name} has no rows with an id; check the file and its columns")
    if not known.all():
        told.append(f"{counted(int((~known).sum()), 'row')} without an id left out, the first in {table.first(~known)}")
    if again.any():
        told.append(f"{counted(int(again.sum()), 'row')} of ids that have a row already, joined with it")
    if n_mended:
        told.append(f"{counted(n_mended, 'cell')} with tabs or line ends, which are blanks now")
    if table.n_short:
        told.append(f"{counted(table.n_short, 'line')} with fewer cells than the first, whose last cells are missing")
    told += _renamed(fields)
    if lists:
        told.append(f"not taken, since they hold lists: {', '.join(lists)}")
    return features, told


def _holds_lists(cells: pd.Series) -> bool:
    return cells.dtype == object and bool(cells.map(is_collection).any())


def _names_of(columns: Iterable[str]) -> set[str]:
    """Take the types off the names of columns."""
    return {column.rpartition(":")[0] for column in columns}


def _free_name(column: str, taken: set[str]) -> str:
    """Make a name that the first line of an atomic file can hold, and that no other column has."""
    name, taken = _plain_name(column), {*taken, *OF_CLICKS}
    return (
        name
        if name not in taken
        else next(f"{name}_{n}" for n in range(2, len(taken) + 3) if f"{name}_{n}" not in taken)
    )


def _plain_name(column: str) -> str:
    name = re.sub(r"\W+", "_", column).strip("_") or "column"
    return f"column_{name}" if name.isdecimal() else name


def _renamed(fields: dict[str, str]) -> list[str]:
    """Tell of columns that have another name because another column has theirs."""
    other = ", ".join(f"{column} as {field}" for column, field in fields.items() if field != _plain_name(column))
    why = "since clicks, items or RecBole itself have a column of theirs"
    return [f"written under another name, {why}: {other}"] if other else []


def _about_groups(table: Table, column: str, found: ItemGroups, groups: list[list[str]]) -> str:
    names = list(dict.fromkeys(name for some in groups for name in some))
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    numbers = np.array([len(some) for some in groups])
    each, without = numbers[numbers > 0], int((numbers == 0).sum())
    rest = f"; {counted(without, 'item')} without" if without else ""
    return (
        f"{table.name}: {counted(len(groups), 'item')}, {counted(len(names), 'group')} ({column}, {found.form}): "
        f"{shown}; an item has {each.min()} to {each.max()}{rest}"
    )
