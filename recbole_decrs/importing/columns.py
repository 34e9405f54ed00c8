"""Finds the columns of a table that hold users, items, times, groups, ... by their names, or takes those given."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from recbole_decrs.errors import DecRSError, did_you_mean
from recbole_decrs.importing.cells import is_collection
from recbole_decrs.importing.table import Table

NAMES: dict[str, tuple[str, ...]] = {
    "user": ("user", "userid", "uid", "customer", "customerid", "reviewer", "reviewerid", "visitorid", "memberid"),
    "item": (
        *("item", "itemid", "iid", "movieid", "bookid", "productid", "articleid", "songid", "trackid", "gameid"),
        *("asin", "isbn", "businessid", "videoid"),
    ),
    "time": ("time", "timestamp", "ts", "date", "datetime", "when", "unixreviewtime", "createdat", "eventtime"),
    "rating": ("rating", "ratings", "stars", "score", "overall"),
    "label": ("label",),
    "groups": ("genre", "genres", "category", "categories", "class", "topic", "topics", "tags", "group", "groups"),
    "title": ("title", "name", "itemname", "productname", "movietitle", "booktitle"),
}
"""What columns are called, in small letters and without other signs, by what they hold."""
NEEDED = ("user", "item")
"""What each table of clicks must hold."""


OF_LISTS_TOO = ("groups", "user", "item")
"""What may be lists, or has a sentence of its own where it is."""


@dataclass(frozen=True)
class ColumnNames:
    """Names the columns of the tables that are imported; one that is None is found by its name.

    Attributes:
        user, item, time, rating, label: of the clicks. A label of 0 is no click.
        groups, title: of the items.
        item_in_items, user_in_users: the ids in the tables of items and users, where they are called otherwise than
            among the clicks.
    """

    user: str | None = None
    item: str | None = None
    time: str | None = None
    rating: str | None = None
    label: str | None = None
    groups: str | None = None
    title: str | None = None
    item_in_items: str | None = None
    user_in_users: str | None = None

    def given(self, *names: str) -> list[str]:
        """List the columns that are given of these."""
        return [column for name in names if (column := getattr(self, name)) is not None]


OPTIONS = tuple(field.name for field in fields(ColumnNames))
"""The options that name columns."""


def columns_of_clicks(table: Table, names: ColumnNames) -> dict[str, str]:
    """Find the columns of clicks: ``user`` and ``item``, and as far as there are any ``time``, ``rating``, ``label``.

    Raises:
        DecRSError: a column that is given is not there, users or items are not found, or several columns may be meant.
    """
    wanted = {role: getattr(names, role) for role in ("user", "item", "time", "rating", "label")}
    return _each_its_own(
        table, {role: _find(table, role, role, given, role in NEEDED) for role, given in wanted.items()}
    )


def columns_of_items(table: Table, names: ColumnNames) -> dict[str, str]:
    """Find the columns of items: ``item``, and where there are any ``groups`` and ``title``; errors as of clicks."""
    found = {"item": _find_id(table, "item", "item_in_items", names)}
    for role in ("groups", "title"):
        found[role] = _find(table, role, role, getattr(names, role), is_needed=False)
    return _each_its_own(table, found)


def column_of_users(table: Table, names: ColumnNames) -> str:
    """Find the column of ids in a table of users; errors as of clicks."""
    return _find_id(table, "user", "user_in_users", names)


def _find_id(table: Table, role: str, option: str, names: ColumnNames) -> str:
    of_clicks = getattr(names, role)
    given = getattr(names, option) or (of_clicks if of_clicks in table.frame else None)
    return _find(table, role, option, given, is_needed=True)


def _find(table: Table, role: str, option: str, given: str | None, is_needed: bool) -> str | None:
    there = list(table.frame.columns)
    if given is not None:
        if given not in there:
            raise DecRSError(
                f"{option}: {table.name} has no column {given}; its columns are {', '.join(there)}"
                f"{did_you_mean(given, there)}"
            )
        return given
    found = [column for column in there if re.sub(r"[\W_]", "", column.lower()) in NAMES[role]]
    if len(found) > 1:
        raise DecRSError(
            f"{option}: {' and '.join(found)} of {table.name} may {'both' if len(found) == 2 else 'all'} be meant; "
            f"give the one that is, such as --{option}={found[0]}"
        )
    if found or not is_needed:
        return found[0] if found else None
    how = f"such as --{option}={there[0]}"
    if table.separator is not None:
        how += f", or its number, such as --{option}=1, where the first line holds no names"
    raise DecRSError(
        f"{option}: no column of {table.name} is named as one of {role}s usually is; give the one that holds them of "
        f"{', '.join(there)}, {how}"
    )


def _each_its_own(table: Table, found: dict[str, str | None]) -> dict[str, str]:
    known = {role: column for role, column in found.items() if column is not None}
    for role, column in known.items():
        cells = table.frame[column]
        if role not in OF_LISTS_TOO and cells.dtype == object and cells.map(is_collection).any():
            raise DecRSError(f"{role}: {table.where(column)} holds lists; name another column")
    for role, column in known.items():
        other = next(one for one, name in known.items() if name == column)
        if other != role:
            raise DecRSError(f"{role}: {table.where(column)} is given as {other} already; give another column")
    return known
