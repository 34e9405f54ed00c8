"""Reads the cells of a column as ids, numbers or text, of what a file or a data frame has there."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from numbers import Integral, Real
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from recbole_decrs.data.atomic_files import NO_NUMBER, is_number
from recbole_decrs.data.loading import PADDING
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.table import Table

CONTROL = re.compile("[\x00-\x1f\x7f\ufeff]")
"""Letters that an atomic file cannot hold: tabs and line ends among them, which end cells and lines."""
UNSEEN = re.compile("[\x00-\x1f\x7f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
"""Letters that nobody sees, by which an id is another than it looks; not the joiners of some scripts."""
RUNS = re.compile("[\x00-\x20\x7f\ufeff]*[\x00-\x1f\x7f\ufeff][\x00-\x20\x7f\ufeff]*")
"""Several letters of white space of which one is no blank."""


def text_of(cell: Any) -> str:
    """Write a value as text: whole numbers without a point, times as in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, date | pd.Timestamp):
        return cell.isoformat()
    if isinstance(cell, bool | np.bool_):
        return str(cell)
    if isinstance(cell, Integral) or (isinstance(cell, Real | Decimal) and float(cell).is_integer()):
        return str(int(cell))
    return str(cell)


def is_collection(cell: Any) -> bool:
    """Tell a cell that holds several values."""
    return isinstance(cell, list | tuple | set | frozenset | dict | np.ndarray)


def texts_of(cells: pd.Series, stripped: bool = True) -> pd.Series:
    """Write the cells of a column as text, NaN where one is missing or blank, with or without blanks at their ends."""
    codes, values = pd.factorize(cells)  # the same values stand in many cells
    texts = [text_of(value) for value in values]
    texts = [(text.strip() if stripped else text) if text.strip() else np.nan for text in texts]
    return pd.Series(np.array([*texts, np.nan], dtype=object)[codes], index=cells.index, dtype=object)


def ids_of(table: Table, column: str, stripped: bool = True) -> pd.Series:
    """Read a column of ids as text: 7, ``7`` and 7.0 are the same.

    Args:
        table: with the column.
        column: its name.
        stripped: whether blanks at the ends are none of an id's; in RecBole's files they are.

    Returns:
        text, NaN where an id is missing, shape [n rows].

    Raises:
        DecRSError: an id is a list, a number with a fraction or without all of its digits, RecBole's name for nobody,
            or has letters in it that an atomic file cannot hold.
    """
    cells = table.frame[column]
    try:
        values = pd.Series(cells.unique(), dtype=object).dropna()
        largest = all_digits_below(cells.dtype)
        odd = next((value for value in values if not _is_id(value, largest)), None)
    except TypeError:  # a list has no hash
        odd = next(cell for cell in cells if is_collection(cell) or cell.__hash__ is None)
    if odd is not None:
        row = next(place for place, cell in enumerate(cells) if cell is odd or str(cell) == str(odd))
        if isinstance(odd, Real | Decimal) and float(odd).is_integer():
            raise DecRSError(
                f"{table.where(column)}, {table.place(row)}: {odd:.0f} is too large for a float to hold all digits of "
                "an id; read the column as text, or as whole numbers (Int64), where it is read first"
            )
        raise DecRSError(
            f"{table.where(column)}, {table.place(row)}: {odd!s} is no id, which is text or a whole number; name "
            "another column, or mend it"
        )
    texts = texts_of(cells, stripped)
    unwritable = next((text for text in texts.dropna().unique() if UNSEEN.search(text)), None)
    if unwritable is not None:
        place = table.first((texts == unwritable).to_numpy())
        raise DecRSError(
            f"{table.where(column)}, {place}: the id {unwritable!r} has a tab, a line end or another letter in it that "
            "nobody sees; take it out"
        )
    if (nobody := (texts == PADDING).to_numpy()).any():
        raise DecRSError(
            f"{table.where(column)}, {table.first(nobody)}: the id {PADDING} is RecBole's word for nobody; rename it"
        )
    return texts


def numbers_of(table: Table, column: str) -> np.ndarray:
    """Read a column of numbers as float64, NaN where one is missing.

    Raises:
        DecRSError: a cell is no number, or infinite.
    """
    cells = table.frame[column]
    if pd.api.types.is_bool_dtype(cells.dtype) or pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = cells.to_numpy(dtype=np.float64)
    else:
        texts = texts_of(cells)
        texts = texts.where(~texts.isin(NO_NUMBER))
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
        wrong = np.isnan(numbers) & texts.notna().to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DecRSError(
                f"{table.where(column)}, {table.place(row)}: {texts.iloc[row]!r} is no number; mend it, or name "
                "another column"
            )
    if np.isinf(numbers).any():
        raise DecRSError(
            f"{table.where(column)}, {table.first(np.isinf(numbers))}: a number is infinite; mend it, or name another "
            "column"
        )
    return numbers


def in_one_line(texts: pd.Series) -> tuple[pd.Series, int]:
    """Put a blank in the place of tabs, line ends and letters that nobody sees, which an atomic file cannot hold.

    Returns:
        the text, and how many cells were changed.
    """
    odd = texts.str.contains(CONTROL, na=False).to_numpy(dtype=bool)
    if not odd.any():
        return texts, 0
    mended = texts.copy()
    mended[odd] = texts[odd].map(lambda text: RUNS.sub(" ", text).strip() or np.nan)
    return mended, int(odd.sum())


def holds_fractions(texts: pd.Series) -> bool:
    """Tell a column of numbers of which one is not whole; whole ones are as likely codes, and stay text."""
    known = texts.dropna()
    known = known[~known.isin(NO_NUMBER)]
    if known.empty or not known.map(is_number).all():
        return False
    values = known.astype(np.float64)
    return bool(np.isfinite(values).all() and (values % 1 != 0).any())


def all_digits_below(dtype: Any) -> int:
    """Give the number below which a column of floats holds each whole number: less where they have 32 bits."""
    if not pd.api.types.is_float_dtype(dtype):
        return 2**53  # of Python's floats, should there be some among other objects
    return 2 ** min(53, np.finfo(getattr(dtype, "numpy_dtype", dtype)).nmant + 1)


def _is_id(cell: Any, largest: int) -> bool:
    """Tell text, dates and whole numbers of which no digit can be lost, and what is missing, from all else."""
    if isinstance(cell, str | date | UUID | bool | np.bool_ | Integral | pd.Period | pd.Timedelta) or cell != cell:
        return True
    return isinstance(cell, Real | Decimal) and abs(cell) < largest and float(cell).is_integer()
