"""Takes data frames of pandas, polars and any other library that narwhals reads."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.table import Table

NO_ARRAY = (nw.Decimal, nw.Int128, nw.UInt128)
"""Numbers of which polars makes no array of numpy's, but Python's own numbers."""


def table_of_frame(frame: Any, name: str) -> Table:
    """Take the columns of a data frame; the frame itself is not changed.

    Args:
        frame: of pandas, polars, PyArrow, Modin, ...
        name: of the table, for messages.

    Returns:
        the table: text and objects as they are, numbers as numbers, times as UTC.

    Raises:
        DecRSError: it is no such frame, is lazy, or has two columns of one name, or a name that is no text.
    """
    try:
        columns = nw.from_native(frame, eager_only=True)
        names = columns.columns
    except nw.exceptions.DuplicateError as error:
        raise DecRSError(f"{name}: two columns of the data frame have the same name; rename one") from error
    except TypeError as error:
        kind = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
        lazy = "; call its collect() first" if hasattr(frame, "collect") else ""
        raise DecRSError(
            f"{name} must be a data frame of pandas, polars or another library that narwhals reads, or the path of a "
            f"file, not a {kind}{lazy}"
        ) from error
    if not len(names):
        raise DecRSError(f"{name}: the data frame has no columns; its index is none, unless reset_index() makes it one")
    for column in names:
        if not isinstance(column, str):
            raise DecRSError(f"{name}: a column of the data frame is named {column!r}, which is no text; rename it")
    cells = {column: _cells(columns[column]) for column in names}
    return Table(pd.DataFrame({column: _without_bytes(some, column, name) for column, some in cells.items()}), name)


def _cells(column: nw.Series) -> pd.Series:
    if column.dtype.is_temporal() and column.dtype in (nw.Date, nw.Datetime):
        microseconds = pd.Series(column.dt.timestamp("us").to_list(), dtype="object")
        known = pd.to_numeric(microseconds).astype("Int64")
        return pd.to_datetime(known, unit="us", utc=True)
    if column.dtype.is_numeric() and column.null_count() == 0 and column.dtype not in NO_ARRAY:
        return pd.Series(column.to_numpy())
    # Ids in floats of 32 bits have fewer digits than they would seem to as Python's floats.
    kind = "float32" if column.dtype == nw.Float32 else object
    return pd.Series([np.nan if _is_missing(cell) else cell for cell in column.to_list()], dtype=kind)


def _without_bytes(cells: pd.Series, column: str, name: str) -> pd.Series:
    """Read bytes, as which some programs write text into Parquet files, as text in UTF-8."""
    if cells.dtype != object or not cells.map(_has_bytes).any():
        return cells
    try:
        return cells.map(_decoded)
    except UnicodeDecodeError as error:
        raise DecRSError(
            f"column {column} of {name} holds bytes that are not text in utf-8; make them text, or leave it out"
        ) from error


def _has_bytes(cell: Any) -> bool:
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()  # of one without dimensions no list
    return isinstance(cell, bytes) or (isinstance(cell, list | tuple | set | frozenset) and any(map(_has_bytes, cell)))


def _decoded(cell: Any) -> Any:
    if isinstance(cell, bytes):
        return cell.decode()
    return list(map(_decoded, cell)) if _has_bytes(cell) else cell


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)
