"""Imports a dataset: reads clicks, items and users, holds them against each other, and writes atomic files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from recbole_decrs.counts import counted
from recbole_decrs.data.rows import without_row
from recbole_decrs.errors import DecRSError, alternatives, did_you_mean
from recbole_decrs.importing.clicks import inter_of
from recbole_decrs.importing.columns import OPTIONS, ColumnNames, columns_of_clicks
from recbole_decrs.importing.features import Features, items_of, users_of
from recbole_decrs.importing.files import read_table
from recbole_decrs.importing.frames import table_of_frame
from recbole_decrs.importing.table import Table
from recbole_decrs.importing.write import bytes_of, check_name, write_dataset


class Imported(NamedTuple):
    """Names a dataset that was imported."""

    dataset: str
    data_path: str
    group_field: str | None
    """The column of the .item file that holds the groups; None where there is none."""
    has_times: bool
    told: list[str]
    """Lines that tell what was read, left out and written."""


OF_TABLE = {
    "clicks": ("user", "item", "time", "rating", "label"),
    "items": ("item", "item_in_items", "groups", "title"),
    "users": ("user", "user_in_users"),
}
"""The options that name columns of each table."""


def import_data(
    clicks: Any,
    items: Any = None,
    users: Any = None,
    dataset: str | None = None,
    data_path: str = "dataset",
    time_format: str = "auto",
    group_separator: str = "auto",
    separator: str | None = None,
    encoding: str | None = None,
    **columns: str | None,
) -> Imported:
    """Make a dataset of tables: write ``data_path/dataset/dataset.inter``, and ``.item`` and ``.user`` where given.

    Args:
        clicks, items, users: data frames of pandas, polars or another library that narwhals reads, or paths of files:
            text of separated cells, packed by gzip or not, or Parquet.
        dataset: its name; if none, one of the content, so that the same data have the same name.
        data_path: the folder of datasets, as RecBole's key of this name.
        time_format: how times are written; see :func:`~recbole_decrs.importing.times.read_times`.
        group_separator: how a cell names several groups; see :func:`~recbole_decrs.importing.item_groups.read_groups`.
        separator, encoding: of text files; if none, the separator is found out, and the encoding is UTF-8.
        columns: names of columns that are not found by themselves, by the fields of
            :class:`~recbole_decrs.importing.columns.ColumnNames`.

    Raises:
        DecRSError: what is given cannot be read with certainty, or other data of this name are there; nothing has been
            written then.
    """
    for name in columns:
        if name not in OPTIONS:
            hint = did_you_mean(name, OPTIONS) or (
                f"; columns are named by {alternatives(OPTIONS)}, and settings of a run go into config_dict"
            )
            raise DecRSError(f"there is no option {name} of data that are imported{hint}")
    names = ColumnNames(**columns)
    if clicks is None:
        raise DecRSError("clicks must be a data frame or the path of a file, and there is none; give it")
    if dataset is not None:
        check_name(dataset)
    given = {"clicks": clicks, "items": items, "users": users}
    tables = {
        what: _table(source, what, names.given(*OF_TABLE[what]), separator, encoding)
        for what, source in given.items()
        if source is not None
    }
    found = columns_of_clicks(tables["clicks"], names)
    names = replace(names, user=found["user"], item=found["item"])  # of these names they are in other tables first
    inter, told = inter_of(tables["clicks"], names, time_format)
    of_items = items_of(tables["items"], names, group_separator) if "items" in tables else None
    of_users = users_of(tables["users"], names, of_items.table if of_items else ()) if "users" in tables else None
    made, lines = {"inter": inter}, [_with_more(told)]
    for ending, features, field in (("item", of_items, "item_id"), ("user", of_users, "user_id")):
        if features is not None:
            more = _matches(inter, features, f"{field}:token", tables["clicks"], tables[f"{ending}s"])
            made[ending] = features.table
            lines.append(_with_more([*features.told, *more]))
    contents = {ending: bytes_of(table) for ending, table in made.items()}
    dataset = dataset or f"data-{hashlib.sha256(b''.join(contents.values())).hexdigest()[:8]}"
    is_new = write_dataset(contents, data_path, dataset)
    files = ", ".join(os.path.join(data_path, dataset, f"{dataset}.{ending}") for ending in contents)
    lines.append([f"{'written' if is_new else 'there already, and the same'}: {files}"])
    group_field = of_items.group_field if of_items else None
    has_times = "timestamp:float" in inter
    return Imported(dataset, data_path, group_field, has_times, [line for some in lines for line in some])


def _table(source: Any, what: str, given: list[str], separator: str | None, encoding: str | None) -> Table:
    if isinstance(source, str | Path):
        return read_table(str(source), given, separator, encoding)
    return table_of_frame(source, what)


def _with_more(told: list[str]) -> list[str]:
    return [told[0], *(f"  {line}" for line in told[1:])]


def _matches(inter: pd.DataFrame, features: Features, column: str, clicks: Table, table: Table) -> list[str]:
    """Count clicks without a row of their item or user, which a run leaves out, and rows without a click."""
    clicked, known = inter[column], features.table[column]
    what = column.partition("_")[0]
    without = without_row(clicked, known, what, clicks.name, table.name)
    told = []
    if without.any():
        told.append(
            f"{counted(int(without.sum()), 'click')} of {clicks.name} {'on' if what == 'item' else 'by'} {what}s that "
            f"are not in {table.name}, such as {clicked[without].iloc[0]}; runs that load {table.name} leave them out"
        )
    if n_idle := int((~known.isin(clicked)).sum()):
        told.append(f"{counted(n_idle, what)} without a click")
    return told
