"""Reads tables from files: text of separated cells, packed by gzip or not, and Parquet."""

from __future__ import annotations

import csv
import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pandas as pd

from recbole_decrs.data.line_widths import blocks
from recbole_decrs.data.separated_text import SeparatedText
from recbole_decrs.errors import DecRSError, system_says, told_as
from recbole_decrs.importing.frames import table_of_frame
from recbole_decrs.importing.separators import find_separator
from recbole_decrs.importing.table import Table

PARQUET = b"PAR1"
"""What a Parquet file begins with."""
ROW_NUMBER = "\0"
"""What a column is called that has no name; no column of a file is."""
GZIP = b"\x1f\x8b"
"""What a file begins with that gzip has packed."""
PACKED = {b"BZh": "bzip2", b"\xfd7zX": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""What files begin with that other programs have packed, which are not unpacked here."""


def name_of_dataset(path: str) -> str:
    """Make the name of a dataset of that of a file, without its endings: ``clicks`` of ``data/clicks.csv.gz``."""
    return os.path.basename(path).partition(".")[0].replace(" ", "_")


class CsvFile(SeparatedText):
    """Reads a text file in whose first line columns have names without types, or that has no such line."""

    lines_in_cells = True


def read_table(
    path: str,
    given: Collection[str] = (),
    separator: str | None = None,
    encoding: str | None = None,
    has: Collection[str] = (),
) -> Table:
    """Read a table from a file.

    Args:
        path: of a Parquet file, or of a text file, which may be packed by gzip.
        given: the columns that somebody names. Where all of them are numbers, the file has no line of names, and
            its columns are named 1, 2, ...
        separator: of the cells of a text file; found out if none.
        encoding: of a text file; UTF-8 if none. A byte-order mark goes before it.
        has: columns that it has for sure, which settles what separates cells where several signs might.

    Returns:
        the table; cells of a text file are text, and missing where they are empty.

    Raises:
        DecRSError: the file is not there, or is not certain to be read as it was written.
    """
    path, name = os.fspath(path), os.path.basename(path)
    for option, value in (("separator", separator), ("encoding", encoding)):
        if not isinstance(value, str | None):
            raise DecRSError(f"{option} must be text, not {value!r}")
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except OSError as error:
        raise DecRSError(f"{path} cannot be read ({system_says(error)}); check its path") from error
    if not start:
        raise DecRSError(f"{path} is empty; check the file")
    if start == PARQUET:
        return _read_parquet(path, name)
    if start.startswith(b"PK\x03\x04"):
        raise DecRSError(f"{path} is a zip archive or a spreadsheet; unzip it, or save it as CSV, and give that file")
    for mark, program in PACKED.items():
        if start.startswith(mark):
            raise DecRSError(f"{path} is packed by {program}; unpack it, or pack it by gzip")
    with _unpacked(path, start) as text_path:
        return _read_text(path, text_path, given, separator, encoding, has)


@contextmanager
def _unpacked(path: str, start: bytes) -> Iterator[str]:
    """Give the path of the text that gzip has packed, in a file that is gone afterwards; else the path itself."""
    if not start.startswith(GZIP):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        unpacked = os.path.join(folder, "text")
        try:
            with gzip.open(path) as packed, open(unpacked, "wb") as file:
                shutil.copyfileobj(packed, file)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DecRSError(f"{path} is damaged: gzip cannot unpack it ({error}); fetch it again") from error
        yield unpacked


def _read_text(
    path: str,
    text_path: str,
    given: Collection[str],
    separator: str | None,
    encoding: str | None,
    has: Collection[str],
) -> Table:
    file = CsvFile(path, separator or ",", encoding, text_path)
    with file.in_words(), open(text_path, encoding=file.encoding, newline="") as text:
        file.check_bytes()
        file.separator = separator or find_separator(text, path, has)
    header = file.first_cells()
    if not header or header == [""]:
        raise DecRSError(f"{path}: the first line is empty, and should name the columns; take it out")
    of_a_frame = header == list(map(str, range(len(header))))  # whose columns pandas has numbered from 0
    numbered = bool(given) and all(name.isdecimal() for name in given) and not of_a_frame
    names = [str(place) for place in range(1, len(header) + 1)] if numbered else [name.strip() for name in header]
    if len(names) == 1:
        raise DecRSError(f"separator: there is no {file.separator!r} in the first line of {path}; give what is")
    names[0] = names[0] or ROW_NUMBER
    for place, column in enumerate(names):
        if not column or column in names[:place]:
            what = f"names the column {column} twice" if column else "has an empty cell, which names no column"
            raise DecRSError(f"{path}: the first line {what}; mend it")
    file.check_lines(len(names))
    simple = len(file.separator) == 1
    options = {"engine": "c"} if simple else {"engine": "python", "quoting": csv.QUOTE_NONE}
    with file.in_words():
        try:
            frame = pd.read_csv(
                text_path,
                sep=file.pattern,
                header=None if numbered else 0,
                names=names,
                dtype=str,
                encoding=file.encoding,
                keep_default_na=False,
                na_values=[""],
                index_col=False,
                compression=None,  # whatever the name ends with
                **options,
            )
        except pd.errors.ParserError as error:
            raise DecRSError(f"{path} cannot be read ({' '.join(str(error).split())}); mend it") from error
    if names[0] == ROW_NUMBER:
        frame = _without_row_numbers(frame, path)
    first_line = 1 if numbered else 2
    with open(text_path, "rb") as text:
        ends = [(block.count(b"\n"), block[-1:]) for block in blocks(text)]
    n_lines = sum(count for count, _ in ends) + (ends[-1][1] not in (b"\n", b"\0"))  # the last may have no end
    is_by_line = len(frame) + first_line - 1 == n_lines  # no cell has several lines, and none is empty
    return Table(frame, os.path.basename(path), first_line if is_by_line else None, file.separator, file.n_short)


def _without_row_numbers(frame: pd.DataFrame, path: str) -> pd.DataFrame:
    """Leave out a first column without a name, which pandas writes of the numbers of rows."""
    if frame[ROW_NUMBER].tolist() != list(map(str, range(len(frame)))):
        raise DecRSError(f"{path}: the first line has an empty cell, which names no column; mend it")
    return frame.drop(columns=ROW_NUMBER)


def _read_parquet(path: str, name: str) -> Table:
    with told_as(f"{path} cannot be read as Parquet", "fetch it again", also=(Exception,)):
        try:
            import polars as pl

            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)  # this file, whatever signs its name has
        except ModuleNotFoundError:
            try:
                frame = pd.read_parquet(path)
            except ImportError as error:
                raise DecRSError(f"{path} is Parquet, which needs polars; pip install polars") from error
        return table_of_frame(frame, name)
