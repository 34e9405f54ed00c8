"""Reads the group field of the .item file into q^i, whatever RecBole itself loads of that file."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
from recbole.utils import FeatureType

from recbole_decrs.causal import membership_from_labels, membership_from_weights
from recbole_decrs.errors import DecRSError


def read_membership(
    path: str,
    item_field: str,
    group_field: str,
    item_ids: Mapping[str, int],
    field_separator: str = "\t",
    seq_separator: str = " ",
    encoding: str = "utf-8",
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the groups and q^i of every item, from the column ``group_field`` of an .item file.

    A ``token`` column gives each item one group, ``token_seq`` several of equal probability, ``float_seq`` the
    weights of groups named 0 ... N-1. Groups stand in the order in which they first appear.

    Args:
        path: the .item file.
        item_field, group_field: columns of it.
        item_ids: id of each item token, the padding token at 0.
        field_separator, seq_separator, encoding: as in RecBole's settings of the same names.

    Returns:
        group names, and the membership, shape [n_items, N]; a row is 0 where the item has no group.

    Raises:
        DecRSError: the file or a column is missing, the column's type cannot define groups, a value cannot be
            read, or no item has a group.
    """
    types = column_types(path, field_separator, encoding)
    for field in (item_field, group_field):
        if field not in types:
            setting = "group_field" if field == group_field else "ITEM_ID_FIELD"
            others = [name for name in types if name != item_field]
            raise DecRSError(f"{setting}: {path} has no column {field}; its columns are {', '.join(others)}")
    kind = types[group_field]
    if kind not in ("token", "token_seq", "float_seq"):
        raise DecRSError(f"group_field: column {group_field} of {path} is {kind}, not token, token_seq or float_seq")
    table = pd.read_csv(
        path,
        sep=field_separator,
        usecols=[f"{item_field}:{types[item_field]}", f"{group_field}:{kind}"],
        dtype=str,
        encoding=encoding,
        engine="python",
    )
    table.columns = [name.rpartition(":")[0] for name in table.columns]
    table = table.drop_duplicates(subset=[item_field], keep="first")
    table["item"] = table[item_field].map(item_ids)
    table = table.dropna(subset=["item", group_field])
    items, cells = table["item"].to_numpy(dtype=np.int64), table[group_field]
    cells = [[cell] for cell in cells] if kind == "token" else [cell.split(seq_separator) for cell in cells]
    values = pd.DataFrame({"item": items, "value": cells}).explode("value")
    values = values[values["value"].astype(bool) & values["value"].notna()]
    if values.empty:
        raise DecRSError(f"group_field: no item of {path} has a value in column {group_field}; take another column")
    if kind == "float_seq":
        return _from_weights(values, len(item_ids), f"{path}, column {group_field}")
    groups, names = pd.factorize(values["value"].to_numpy())
    membership = membership_from_labels(values["item"].to_numpy(), groups, len(item_ids), len(names))
    return tuple(map(str, names)), membership


def _from_weights(values: pd.DataFrame, n_items: int, where: str) -> tuple[tuple[str, ...], np.ndarray]:
    group = values.groupby("item").cumcount().to_numpy()
    weights = np.zeros((n_items, group.max() + 1))
    try:
        weights[values["item"].to_numpy(), group] = values["value"].astype(np.float64)
        membership = membership_from_weights(weights)
    except ValueError as error:
        raise DecRSError(f"group_field: {where} must hold finite numbers >= 0, the weights of groups") from error
    if not membership.any():
        raise DecRSError(f"group_field: no item has a weight above 0 in {where}; take another column")
    return tuple(map(str, range(weights.shape[1]))), membership


def column_types(path: str, field_separator: str, encoding: str) -> dict[str, str]:
    """Name -> type of the columns of an atomic file.

    Raises:
        DecRSError: the file is missing, or its first line does not name them.
    """
    if not os.path.isfile(path):
        raise DecRSError(f"the item groups are read from {path}, which is not there; add it or leave out CKL and DecRS")
    try:
        with open(path, encoding=encoding) as file:
            header = file.readline().rstrip("\r\n")
    except (LookupError, UnicodeDecodeError) as error:
        raise DecRSError(f"{path} cannot be read as {encoding}; set encoding to that of the file") from error
    types = dict(column.rpartition(":")[::2] for column in header.split(field_separator))
    unknown = [kind for kind in types.values() if kind not in {item.value for item in FeatureType}]
    if unknown:
        raise DecRSError(f"{path}: the first line must name columns as 'name:type', separated by {field_separator!r}")
    return types
