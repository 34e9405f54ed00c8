"""Reads the groups of items from a column of any form, and writes them in one that is read back as they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from recbole_decrs.data.group_cells import GROUP_FORMATS, shown, split_cells
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.cells import RUNS, is_collection, text_of, texts_of
from recbole_decrs.importing.table import Table

NO_GROUPS = ("(no genres listed)",)
"""Cells of well-known data sets that say in words that there is nothing: MovieLens."""
UNCERTAIN = (",", ";", "/")
"""Signs that may separate names of groups or belong to them."""


class ItemGroups(NamedTuple):
    """Holds the names of groups that the cells of a column have."""

    names: list[list[str]]
    """Of each row, each once, in the order of the cell; none of an empty cell."""
    form: str
    """Words for the form that the cells were read in: one of ``group_format``, ``lists``, or a separator."""
    doubt: str | None
    """A sentence where cells may have been meant otherwise."""


def read_groups(table: Table, column: str, separator: str = "auto") -> ItemGroups:
    """Read the groups of each row.

    Args:
        table: holds the column.
        column: of text, or of Python's lists.
        separator: ``auto``, a form that the key ``group_format`` takes, or the text between two names.

    Raises:
        DecRSError: the cells are not written as that says, or it is not certain how they are.
    """
    cells = table.frame[column]
    known = cells.dropna()
    if cells.dtype == object and known.map(is_collection).any():
        odd = ~cells.map(lambda cell: is_collection(cell) or cell != cell)
        if odd.any():
            raise DecRSError(
                f"{table.where(column)} has lists, and in {table.first(odd.to_numpy())} {cells[odd].iloc[0]!r}, which "
                "is none; write all as lists"
            )
        keyed = next((cell for cell in known if isinstance(cell, dict) or any(map(is_collection, cell))), None)
        if keyed is not None:
            raise DecRSError(
                f"{table.where(column)} has cells such as {shown(str(keyed))}, which hold keys and values or lists; "
                "make them lists of the names of groups"
            )
        return ItemGroups([_names(cell) if is_collection(cell) else [] for cell in cells], "lists", None)
    texts = texts_of(cells).fillna("")
    texts = texts.where(~texts.isin(NO_GROUPS), "")
    filled = [text for text in texts.unique() if text]
    if not filled:
        raise DecRSError(f"{table.where(column)} is empty; name another column as groups, or leave it out")
    form = separator if separator in GROUP_FORMATS else "seq_separator"
    try:
        found = split_cells(texts.tolist(), "token", form, separator, table.where(column))
    except DecRSError as error:
        if form != "auto":
            raise
        raise _uncertain(table, column, filled) from error
    if form == "auto" and found.form == "single" and _may_be_joined(filled):
        raise _uncertain(table, column, filled)
    doubt = found.doubt
    if form == "seq_separator" and not any(separator in text for text in filled):
        doubt = f"no cell of {table.where(column)} holds {separator!r}, so each is one group; check group_separator"
    elif form == "auto" and doubt is None:
        doubt = _doubt_of(filled, found.form, table.where(column))
    told = repr(separator) if form == "seq_separator" else found.form
    return ItemGroups([_names(names) for names in found.names], told, doubt)


def _names(cell) -> list[str]:
    """Clean the names of a cell: no blanks at the ends, no line ends within, each once and none that is empty."""
    names = (RUNS.sub(" ", text_of(name)).strip() for name in cell if name is not None and name == name)
    return [name for name in dict.fromkeys(names) if name]


def _may_be_joined(cells: list[str]) -> bool:
    """Tell if cells that were read as a name each may hold several: by a sign, or words that are cells of their own."""
    if any(sign in cell for sign in UNCERTAIN for cell in cells):
        return True
    names = set(cells)
    return any(" " in cell and set(cell.split()) <= names for cell in cells)


def _doubt_of(cells: list[str], form: str, where: str) -> str | None:
    """Say what in cells may have been meant as a separator, where it is rather likely that it was not."""
    if form == "pipe":
        mixed = next((cell for cell in cells if "," in cell and "|" not in cell), None)
        return (
            mixed
            and f"groups of {where} are separated by '|', so {shown(mixed)} is one; where it is not, mend the cell"
        )
    words = Counter(word for cell in cells for word in set(cell.split()))
    shared = next((cell for cell in cells if " " in cell and any(words[word] > 1 for word in cell.split())), None)
    if form != "single" or shared is None:
        return None
    return (
        f"cells of {where} such as {shown(shared)} are one group each, and share words; where blanks separate groups, "
        "give --group_separator=' '"
    )


def _uncertain(table: Table, column: str, cells: list[str]) -> DecRSError:
    keyed = next((cell for cell in cells if "{" in cell and ":" in cell), None)
    if keyed:
        return DecRSError(
            f"{table.where(column)} has cells such as {shown(keyed)}, which hold keys and values; make them lists "
            "of the names of groups"
        )
    signs = ("|", *UNCERTAIN, "[", "'", " ")
    signed = next((cell for sign in signs for cell in cells if sign in cell), cells[0])
    return DecRSError(
        f"{table.where(column)} has cells such as {shown(signed)}, and it is not certain how groups are separated; "
        "give the text between them, such as --group_separator=',', or list, json or quoted, or single where a cell is "
        "one name"
    )


def written(names: list[list[str]], where: str) -> tuple[str, list[str]]:
    """Write groups as the cells of a column that a run reads back as these groups, without a doubt where that can be.

    Args:
        names: of the groups of each item.
        where: the groups come from, for the message.

    Returns:
        the type of the column, ``token`` or ``token_seq``, and its cells: names with blanks between, which RecBole
        reads too, if they have none themselves; else with ``|`` between, or as JSON.

    Raises:
        DecRSError: no form holds these names.
    """
    forms: list[tuple[str, Callable[[list[str]], str]]] = [
        ("token_seq", " ".join),
        ("token_seq", "|".join),
        ("token_seq", lambda some: json.dumps(some, ensure_ascii=False) if some else ""),
    ]
    if all(len(some) < 2 for some in names):
        forms.insert(0, ("token", "".join))
    doubted = None
    for kind, write in forms:
        cells = [write(some) for some in names]
        try:
            found = split_cells(cells, kind)
        except DecRSError:
            continue
        if found.names == names:
            if found.doubt is None:
                return kind, cells
            doubted = kind, cells
    if doubted:
        return doubted
    raise DecRSError(f"{where} has names of groups that cannot be written; take brackets and quotation marks out")


def joined(ids: pd.Series, names: list[list[str]]) -> dict[str, list[str]]:
    """Join the groups of rows that are of one item, each group once; rows without an id are of none."""
    of_items: dict[str, dict[str, None]] = {}
    for item, some in zip(ids, names, strict=True):
        if item == item:
            of_items.setdefault(item, {}).update(dict.fromkeys(some))
    return {item: list(some) for item, some in of_items.items()}
