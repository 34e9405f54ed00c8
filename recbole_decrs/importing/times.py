"""Reads times as seconds since 1970, whatever unit or form they are in, where it is certain which."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from recbole_decrs.data.atomic_files import NO_NUMBER
from recbole_decrs.errors import DecRSError, alternatives
from recbole_decrs.importing.cells import all_digits_below, numbers_of, texts_of
from recbole_decrs.importing.table import Table

UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
"""The units of numbers, and how many of them a second has."""
FORMATS = ("auto", *UNITS, "iso")
"""What ``time_format`` takes, beside a format of strptime such as ``%d.%m.%Y``."""
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
"""Clicks are of these years; so a number is a time in one unit at most, of which each is a thousandth of the last."""
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<zone>Z| ?[+-]\d\d:?\d\d)?)?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


class Times(NamedTuple):
    """Holds times, and what they were read as."""

    seconds: np.ndarray
    """Since 1970 in UTC, float64, shape [n rows]; NaN where one is missing."""
    form: str
    """Words such as ``milliseconds`` or ``dates in ISO 8601, as UTC``."""


def read_times(table: Table, column: str, time_format: str = "auto") -> Times:
    """Read a column of times.

    Args:
        table: holds the column.
        column: of numbers, dates as text, or times of the data frame's own type.
        time_format: one of :data:`FORMATS`, or a format of strptime, which has a ``%``.

    Raises:
        DecRSError: the times are not written so, or it is not certain how; the sentence names the option.
    """
    cells = table.frame[column]
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        if time_format != "auto":
            raise DecRSError(f"time_format: {table.where(column)} holds times already; leave it out")
        return Times(_seconds(cells), "times, as UTC")
    if time_format not in FORMATS and "%" not in time_format:
        raise DecRSError(
            f"time_format must be {alternatives(FORMATS)}, or a format such as %d.%m.%Y, not {time_format!r}"
        )
    is_number = pd.api.types.is_numeric_dtype(cells.dtype)
    if (largest := all_digits_below(cells.dtype)) < 2**53 and cells.abs().max() >= largest:
        raise DecRSError(
            f"{table.where(column)} is {cells.dtype}, which does not hold all digits of its times; read it as float64 "
            "or as whole numbers where it is read first"
        )
    if is_number and cells.notna().any() and time_format in ("auto", *UNITS):
        return _by_unit(table, column, numbers_of(table, column), time_format)
    texts = texts_of(cells).dropna()
    texts = texts[~texts.isin(NO_NUMBER)]
    if texts.empty:
        raise DecRSError(f"{table.where(column)} holds no time; name another column as time")
    if "%" in time_format:
        return _by_format(table, column, texts, time_format)
    if time_format == "iso" or (time_format == "auto" and texts.iloc[0][4:5] == "-"):
        return _by_iso(table, column, texts)
    wrong = next((text for text in texts if not _NUMBER.fullmatch(text)), None)
    if time_format == "auto" and wrong is not None:
        raise DecRSError(
            f"{table.where(column)} has times such as {wrong!r}, and it is not certain how to read them; give their "
            "form, such as --time_format='%d.%m.%Y %H:%M', in the signs of Python's strptime"
        )
    return _by_unit(table, column, numbers_of(table, column), time_format)


def _by_unit(table: Table, column: str, numbers: np.ndarray, unit: str) -> Times:
    known = numbers[~np.isnan(numbers)]
    if unit == "auto":
        low, high = known.min(), known.max()
        unit = next((name for name, n in UNITS.items() if EARLIEST * n <= low and high <= LATEST * n), None)
        if unit is None:
            span = f"{low:.15g}" if low == high else f"{low:.15g} to {high:.15g}"
            raise DecRSError(
                f"{table.where(column)} has times from {span}, which are no {alternatives(UNITS)} since 1970 of the "
                "years 1980 to 2100; give --time_format=seconds to take the numbers as they are, or their form, such "
                "as --time_format=%Y%m%d"
            )
    return Times(numbers / UNITS[unit], unit)


def _by_iso(table: Table, column: str, texts: pd.Series) -> Times:
    found = {text: ISO.fullmatch(text) for text in texts.unique()}
    wrong = next((text for text, match in found.items() if not match), None)
    if wrong is not None:
        raise DecRSError(
            f"{table.where(column)}, {table.place(_row_of(texts, wrong))}: {wrong!r} is no date in ISO 8601 such as "
            "2024-01-31 or 2024-01-31 23:59:00; mend it, or give the form of all, such as --time_format=%d/%m/%Y"
        )
    zoned = {text for text, match in found.items() if match["zone"]}
    if zoned and len(zoned) < len(found):
        plain = next(text for text in found if text not in zoned)
        raise DecRSError(
            f"{table.where(column)} has times with a time zone, such as {min(zoned)!r}, and without, "
            f"such as {plain!r}; write all in one way"
        )
    moments = _parsed(table, column, texts, "ISO8601")
    return Times(_in_rows(table, texts, moments), "dates in ISO 8601" + ("" if zoned else ", as UTC"))


def _by_format(table: Table, column: str, texts: pd.Series, time_format: str) -> Times:
    moments = _parsed(table, column, texts, time_format)
    return Times(_in_rows(table, texts, moments), f"{time_format}, as UTC" if "%z" not in time_format else time_format)


def _parsed(table: Table, column: str, texts: pd.Series, form: str) -> pd.Series:
    try:
        moments = pd.to_datetime(texts, format=form, utc=True, errors="coerce")
    except ValueError as error:
        raise DecRSError(f"time_format: {form} cannot be used ({error}); see Python's strptime") from error
    if moments.isna().any():
        wrong = texts[moments.isna()].iloc[0]
        raise DecRSError(
            f"{table.where(column)}, {table.place(_row_of(texts, wrong))}: {wrong!r} is no time"
            + (f" as {form} writes it" if "%" in form else " that there is")
            + "; mend it, or give --time_format"
        )
    return moments


def _row_of(texts: pd.Series, text: str) -> int:
    return int(texts.index[(texts == text).to_numpy()][0])


def _in_rows(table: Table, texts: pd.Series, moments: pd.Series) -> np.ndarray:
    seconds = np.full(len(table.frame), np.nan)
    seconds[texts.index] = _seconds(moments)
    return seconds


def _seconds(moments: pd.Series) -> np.ndarray:
    known = moments.notna().to_numpy()
    seconds = np.full(len(moments), np.nan)
    seconds[known] = moments[known].dt.as_unit("us").astype("int64").to_numpy() / 10**6
    return seconds
