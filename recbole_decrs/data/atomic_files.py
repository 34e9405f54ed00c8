"""Reads RecBole's atomic files whole or not at all: what is not certain is refused with file and line."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from recbole.utils import FeatureType

from recbole_decrs.data.line_widths import blocks, widths
from recbole_decrs.data.plain_files import read_plain
from recbole_decrs.errors import DecRSError, did_you_mean

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""What a file may begin with, and the encoding that it tells."""
NO_NUMBER = ("", "NA", "N/A", "n/a", "<NA>", "nan", "NaN", "NAN", "null", "NULL", "None", "none")
"""How a missing number is written; of text only an empty cell is missing, since a group or a user may be named NA."""
LARGE = 1 << 25
"""Bytes from which on polars is quicker than pandas: at 14 MB it was not, at 57 MB it was (results/benchmarks.md)."""
NEWLINE = b"\n"
TYPES = frozenset(kind.value for kind in FeatureType)


class AtomicFile:
    """Reads an atomic file: its columns from the first line, and its cells when they are asked for.

    Args:
        path: of the file.
        separator: of the columns; RecBole's key ``field_separator``.
        encoding: of the text; RecBole's key of that name. A byte-order mark goes before it.

    Attributes:
        columns: name -> type of the columns, in their order.
        n_short: how many lines have fewer cells than the first; known once the file has been read.

    Raises:
        DecRSError: the file is missing, is not text in this encoding, or its first line does not name columns.
    """

    def __init__(self, path: str, separator: str = "\t", encoding: str | None = None) -> None:
        self.path, self.separator = path, separator
        self.n_short = 0
        if not os.path.isfile(path):
            raise DecRSError(f"there is no file {path}; check data_path, dataset and benchmark_filename")
        with open(path, "rb") as file:
            start = file.read(4)
        mark = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), None)
        self.has_mark = mark is not None
        self.encoding = mark or encoding or "utf-8"
        with self._in_words(), open(path, encoding=self.encoding, newline="") as file:
            header = next(csv.reader(file, delimiter=separator), []) if len(separator) == 1 else None
            header = file.readline().rstrip("\r\n").split(separator) if header is None else header
        if header and header[0].startswith("\ufeff"):
            raise DecRSError(f"{path} begins with two byte-order marks; take one out")
        self.columns = self._columns_of(header)

    def _columns_of(self, header: list[str]) -> dict[str, str]:
        columns = {}
        for cell in header or [""]:
            name, colon, kind = cell.rpartition(":")
            if "\0" in cell:
                raise DecRSError(f"{self.path} is not text in {self.encoding}; set encoding, such as --encoding=utf-16")
            if not colon or kind not in TYPES or ":" in name:
                shown = repr(self.separator.join(header)[:80])
                raise DecRSError(
                    f"{self.path}: the first line must name columns as name:type, with {', '.join(sorted(TYPES))} for "
                    f"types, separated by {self.separator!r} (field_separator), and it is {shown}; mend it"
                )
            if name in columns:
                raise DecRSError(f"{self.path}: the first line names the column {name} twice; take one out")
            columns[name] = kind
        return columns

    def check_columns(self, wanted: Iterable[str], setting: str) -> None:
        """See that columns are there.

        Args:
            wanted: their names.
            setting: the key that asks for them.

        Raises:
            DecRSError: one is not, with near matches.
        """
        for name in wanted:
            if name not in self.columns:
                raise DecRSError(
                    f"{setting}: {self.path} has no column {name}; its columns are {', '.join(self.columns)}"
                    f"{did_you_mean(name, self.columns)}"
                )

    def read(self, names: Iterable[str], numbered: Iterable[str] = ()) -> pd.DataFrame:
        """Read the cells of some columns, in the order of the file.

        Args:
            names: of the columns.
            numbered: names of columns which may come as categories in place of text, as they do where a file is large
                and plain: filters of millions of rows then compare numbers.

        Returns:
            a column for each name: float64 where the type is ``float``, else text; NaN where a cell is empty.

        Raises:
            DecRSError: a line has too many cells, a quotation mark is not closed, or a number is none; with the line.
        """
        wanted = set(names)
        header = {f"{name}:{kind}": name for name, kind in self.columns.items()}
        if self.encoding == "utf-8" and os.path.getsize(self.path) >= LARGE:
            asked = [cell for cell, name in header.items() if name in wanted]
            numbers = [cell for cell, name in header.items() if name in set(numbered)]
            table = read_plain(self.path, self.separator, list(header), asked, numbers)
            if table is not None:
                self.n_short = 0
                return table.rename(columns=header)
        return self._read_by_pandas(wanted)

    def _read_by_pandas(self, wanted: set[str]) -> pd.DataFrame:
        self._check_bytes()
        self._check_lines()
        columns = {f"{name}:{kind}": kind for name, kind in self.columns.items() if name in wanted}
        if not columns:
            return pd.DataFrame()
        simple = len(self.separator) == 1
        options = {"engine": "c", "float_precision": "round_trip"} if simple else {"engine": "python"}
        with self._in_words():
            try:
                table = pd.read_csv(
                    self.path,
                    sep=self.separator,
                    usecols=list(columns),
                    dtype={column: np.float64 if kind == "float" else str for column, kind in columns.items()},
                    encoding=self.encoding,
                    keep_default_na=False,
                    na_values={column: NO_NUMBER if kind == "float" else [""] for column, kind in columns.items()},
                    index_col=False,
                    **options,
                )
            except pd.errors.ParserError as error:
                raise DecRSError(f"{self.path} cannot be read ({' '.join(str(error).split())}); mend it") from error
            except ValueError as error:
                if isinstance(error, UnicodeError):
                    raise
                self._find_no_number([column for column, kind in columns.items() if kind == "float"], error)
        for column, kind in columns.items():
            if kind == "float" and (infinite := np.isinf(table[column].to_numpy())).any():
                raise DecRSError(
                    f"{self.path}, line {int(infinite.argmax()) + 2}: {column.rpartition(':')[0]} is infinite; mend it"
                )
        table.columns = [column.rpartition(":")[0] for column in table.columns]
        return table

    def _find_no_number(self, columns: list[str], error: ValueError) -> None:
        """Raise a DecRSError about the first cell of these columns that is no number."""
        table = pd.read_csv(
            self.path,
            sep=self.separator,
            usecols=columns,
            dtype=str,
            encoding=self.encoding,
            keep_default_na=False,
            skip_blank_lines=False,
            index_col=False,
            engine="c" if len(self.separator) == 1 else "python",
        )
        for column in columns:
            for row, cell in enumerate(table[column].fillna("")):
                if cell not in NO_NUMBER and not _is_number(cell):
                    raise DecRSError(
                        f"{self.path}, line {row + 2}: {column.rpartition(':')[0]} is {cell!r}, which is no number; "
                        "write a number (a time in seconds), or give the column another type in the first line"
                    ) from error
        raise DecRSError(f"{self.path} cannot be read ({error}); mend it") from error

    def _check_bytes(self) -> None:
        """See that there is no byte of zero and no byte-order mark among the letters, neither of which is seen."""
        if "a".encode(self.encoding.removesuffix("-sig")) != b"a":  # of several bytes a letter
            return
        lines = 0
        with open(self.path, "rb") as file:
            for number, block in enumerate(blocks(file)):
                for letter, name in ((b"\0", "a byte of zero"), (BYTE_ORDER_MARKS[0][0], "a byte-order mark")):
                    place = block.find(letter, 1 if number == 0 else 0)
                    if place >= 0:
                        line = lines + block.count(NEWLINE, 0, place) + 1
                        raise DecRSError(f"{self.path}, line {line}: there is {name} in the text; take it out")
                lines += block.count(NEWLINE)

    def _check_lines(self) -> None:
        """See that every line has as many cells as the first, and that what is quoted ends in its cell."""
        if len(self.separator) > 1:
            return
        with open(self.path, "rb") as file:
            # Without quotation marks cells end at separators and lines at line ends, which are quickly counted.
            marks = f'"\r\n{self.separator}'
            plain = marks.encode(self.encoding) == marks.encode() and all(
                b'"' not in block and block.count(b"\r") == block.count(b"\r\n") for block in blocks(file)
            )
            file.seek(0)
            of_lines = widths(file, self.separator.encode()) if plain else self._widths_of_quoted()
            n_columns, n_short, line = len(self.columns), 0, 1
            for some in of_lines:
                if (some > n_columns).any():
                    place = int((some > n_columns).argmax())
                    raise DecRSError(
                        f"{self.path}, line {line + place}: {some[place]} cells under {n_columns} columns; take the "
                        f"separator {self.separator!r} out of the text"
                    )
                n_short += int(((some < n_columns) & (some > 0)).sum())
                line += len(some)
        self.n_short = n_short

    def _widths_of_quoted(self) -> Iterator[np.ndarray]:
        """Count the cells of each line, as the csv module reads them; 0 of an empty one."""
        line = 0
        limit = csv.field_size_limit(sys.maxsize)
        try:
            with self._in_words(), open(self.path, encoding=self.encoding, newline="") as file:
                reader = csv.reader(file, delimiter=self.separator, strict=True)
                for row in reader:
                    n_lines = reader.line_num - line
                    if n_lines > 1 and any(self.separator in cell and "\n" in cell for cell in row):
                        raise csv.Error  # a cell that swallows whole lines
                    yield np.array([len(row)] + [0] * (n_lines - 1))
                    line = reader.line_num
        except csv.Error as error:
            raise DecRSError(
                f"{self.path}, line {line + 1}: a cell begins with a quotation mark and does not end with one; take "
                'the mark out, or quote the cell and write its marks twice, such as """Heroes"" of old"'
            ) from error
        finally:
            csv.field_size_limit(limit)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except LookupError as error:
            raise DecRSError(
                f"encoding: {self.path} cannot be read, since there is no encoding named {self.encoding}; check its "
                "spelling"
            ) from error
        except UnicodeError as error:
            line = self._first_line_in_another_encoding()
            raise DecRSError(
                f"{self.path}{line} is not text in {self.encoding}; set encoding to that of the file, such as "
                "--encoding=latin-1"
            ) from error

    def _first_line_in_another_encoding(self) -> str:
        if self.encoding in ("utf-16", "utf-32"):
            return ""
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode(self.encoding)
                except UnicodeError:
                    return f", line {number},"
        return ""


def atomic_file(config, path: str) -> AtomicFile:
    """Open a file of a dataset with the separator and the encoding that the configuration gives."""
    return AtomicFile(path, config["field_separator"], config["encoding"])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own spelling of large numbers, which nobody else reads
