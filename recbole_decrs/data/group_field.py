"""Reads the group field of the .item file into q^i, whatever RecBole itself loads of that file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from logging import getLogger

import numpy as np
import pandas as pd
from scipy import sparse

from recbole_decrs.causal import membership_from_weights
from recbole_decrs.causal.groups import sparse_membership
from recbole_decrs.console import tell
from recbole_decrs.counts import counted
from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.group_cells import split_cells
from recbole_decrs.errors import DecRSError

NAMES_SHOWN = 5
LETTERS_SHOWN = 30
"""How much of a name is shown."""


def read_membership(
    file: AtomicFile,
    item_field: str,
    group_field: str,
    item_ids: Mapping[str, int],
    group_format: str = "auto",
    seq_separator: str = " ",
) -> tuple[tuple[str, ...], sparse.csr_matrix]:
    """Read the names of the groups and q^i of every item from the column ``group_field`` of an .item file.

    A ``token`` column gives each item one group, ``token_seq`` several of equal probability, ``float_seq`` the
    weights of groups named 0 ... N-1. Groups stand in the order in which they first appear. One line of the log tells
    what was read.

    Args:
        file: the .item file.
        item_field, group_field: columns of it.
        item_ids: id of each item token, the padding token at 0.
        group_format: how a cell names groups; see :func:`~recbole_decrs.data.group_cells.split_cells`.
        seq_separator: as in RecBole's setting of that name.

    Returns:
        group names, and the membership, CSR, shape [n_items, N]; a row is 0 where the item has no group.

    Raises:
        DecRSError: the file or a column is missing, the column's type cannot define groups, a value cannot be
            read, or no item has a group.
    """
    file.check_columns([item_field], "ITEM_ID_FIELD")
    file.check_columns([group_field], "group_field")
    kind, where = file.columns[group_field], f"column {group_field} of {file.path}"
    told = f"{group_field} of {os.path.basename(file.path)}"
    if kind not in ("token", "token_seq", "float_seq"):
        raise DecRSError(f"group_field: {where} is {kind}, not token, token_seq or float_seq")
    table = file.read([item_field, group_field])
    check_one_row_an_id(table, item_field, file.path, file.place)
    table = table.drop_duplicates(subset=[item_field], keep="first")
    ids = table[item_field].map(item_ids)
    known = ids.notna().to_numpy()
    if not known.any():
        others = [str(token) for token, number in item_ids.items() if number]
        raise DecRSError(
            f"no {item_field} of the clicks, such as {others[0]!r}, has a row in {file.path}, which has such as "
            f"{table[item_field].iloc[0]!r}; write ids in the same way in both"
        )
    all_cells = table[group_field].fillna("").tolist()
    cells = list(compress(all_cells, known))
    items = ids[known].to_numpy(dtype=np.int64)
    nothing = f"group_field: no item of {file.path} has a value in column {group_field}; take another column"
    if not any(cell.strip() for cell in cells):
        raise DecRSError(nothing)
    if kind == "float_seq":
        names, membership = _from_weights(
            items, [cell.split(seq_separator) for cell in cells], len(item_ids), where, seq_separator
        )
        tell_groups(names, np.diff(membership.indptr)[items].tolist(), f"{told}, weights")
        return names, membership
    found = split_cells(all_cells, kind, group_format, seq_separator, where)  # as the model reads its feature
    if found.doubt:
        getLogger().warning(found.doubt)
    of_items = list(compress(found.names, known))
    lengths = [len(names) for names in of_items]
    groups, names = pd.factorize(np.array([name for some in of_items for name in some], dtype=object))
    if not len(names):
        raise DecRSError(nothing)
    membership = sparse_membership(np.repeat(items, lengths), groups, len(item_ids), len(names))
    tell_groups(names, lengths, f"{told}, {found.form}")
    return tuple(map(str, names)), membership


def check_one_row_an_id(table: pd.DataFrame, field: str, path: str, place: Callable[[int], str]) -> np.ndarray:
    """See that rows with the same id are the same in all columns.

    Args:
        table: columns of a file, cells of sequences as arrays or lists.
        field: of the ids.
        path: of the file, for the message.
        place: names a row of the table, for the message.

    Returns:
        whether a row is there again, shape [n rows].

    Raises:
        DecRSError: two differ, and which of them counts is not certain; with the line.
    """
    again = table.duplicated(subset=[field]) & table[field].notna()
    if not again.any():
        return again.to_numpy()
    texts = table.map(lambda cell: tuple(cell) if isinstance(cell, np.ndarray | list) else cell)
    differing = again & ~texts.duplicated()
    if differing.any():
        row = int(np.argmax(differing))
        raise DecRSError(
            f"{path}, {place(row)}: {field} {table[field].iloc[row]} has another row with other values; keep one "
            "row, with several groups in one cell"
        )
    return again.to_numpy()


def tell_groups(names: Sequence[str], lengths: Sequence[int], where: str) -> None:
    """Log one line by which a user sees whether the groups were read as they were meant.

    Args:
        names: of all groups.
        lengths: how many groups each item has.
        where: they come from.
    """
    short = [name if len(name) <= LETTERS_SHOWN else f"{name[: LETTERS_SHOWN - 3]}..." for name in names[:NAMES_SHOWN]]
    shown = ", ".join(short) + (", ..." if len(names) > NAMES_SHOWN else "")
    each = np.array([length for length in lengths if length])
    tell(
        f"{counted(len(names), 'group')} read ({where}): {shown}; an item has {each.min()} to {each.max()}, "
        f"{each.mean():.2f} on average"
    )


def _without_end(cell: list[str]) -> list[str]:
    """Leave out what is empty at the end of a cell."""
    filled = [place for place, part in enumerate(cell) if part.strip()]
    return cell[: filled[-1] + 1] if filled else []


def _from_weights(
    items: np.ndarray, cells: list[list[str]], n_items: int, where: str, seq_separator: str
) -> tuple[tuple[str, ...], sparse.csr_matrix]:
    blank = [cell for cell in cells if seq_separator.strip() and "" in _without_end(cell)]
    if blank:
        raise DecRSError(
            f"group_field: {where} has a cell {seq_separator.join(blank[0])!r}, with nothing before a weight, so that "
            "it is not certain whose the weight is; write 0 there"
        )
    lengths = {sum(map(bool, cell)) for cell in cells} - {0}
    if len(lengths) > 1:
        getLogger().warning(
            f"{where} has {min(lengths)} to {max(lengths)} weights in a cell; those that are missing at its end are 0"
        )
    values = pd.DataFrame({"item": items, "value": cells}).explode("value")
    values = values[values["value"].astype(bool) & values["value"].notna()]
    group = values.groupby("item").cumcount().to_numpy()
    try:
        places = values["item"].to_numpy(dtype=np.int64), group
        weights = sparse.csr_matrix((values["value"].to_numpy(dtype=np.float64), places), (n_items, group.max() + 1))
        membership = membership_from_weights(weights)
    except ValueError as error:
        raise DecRSError(f"group_field: {where} must hold finite numbers >= 0, the weights of groups") from error
    if not membership.nnz:
        raise DecRSError(f"group_field: no item has a weight above 0 in {where}; take another column")
    return tuple(map(str, range(membership.shape[1]))), membership
