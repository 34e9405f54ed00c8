"""Reads RecBole's atomic files whole or not at all: what is not certain is refused with file and line."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import pandas as pd
from recbole.utils import FeatureType

from recbole_decrs.data.plain_files import read_plain
from recbole_decrs.data.separated_text import SeparatedText
from recbole_decrs.errors import DecRSError, did_you_mean

NO_NUMBER = ("", "NA", "N/A", "n/a", "<NA>", "nan", "NaN", "NAN", "null", "NULL", "None", "none")
"""How a missing number is written; of text only an empty cell is missing, since a group or a user may be named NA."""
LARGE = 1 << 25
"""Bytes from which on polars is quicker than pandas: at 14 MB it was not, at 57 MB it was (results/benchmarks.md)."""
TYPES = frozenset(kind.value for kind in FeatureType)


class AtomicFile(SeparatedText):
    """Reads an atomic file: its columns from the first line, and its cells when they are asked for.

    Args:
        path: of the file.
        separator: of the columns; RecBole's key ``field_separator``.
        encoding: of the text; RecBole's key of that name. A byte-order mark goes before it.

    Attributes:
        columns: name -> type of the columns, in their order; beside those of its base.

    Raises:
        DecRSError: the file is missing, is not text in this encoding, or its first line does not name columns.
    """

    def __init__(self, path: str, separator: str = "\t", encoding: str | None = None) -> None:
        if not os.path.isfile(path):
            raise DecRSError(f"there is no file {path}; check data_path, dataset and benchmark_filename")
        super().__init__(path, separator, encoding)
        self.columns = self._columns_of(self.first_cells())

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
        self.check_bytes()
        self.check_lines(len(self.columns))
        columns = {f"{name}:{kind}": kind for name, kind in self.columns.items() if name in wanted}
        if not columns:
            return pd.DataFrame()
        simple = len(self.separator) == 1
        options = {"engine": "c", "float_precision": "round_trip"} if simple else {"engine": "python"}
        with self.in_words():
            try:
                table = pd.read_csv(
                    self.path,
                    sep=self.pattern,
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
                place, name = self.place(int(infinite.argmax())), column.rpartition(":")[0]
                raise DecRSError(f"{self.path}, {place}: {name} is infinite; mend it")
        table.columns = [column.rpartition(":")[0] for column in table.columns]
        return table

    def _find_no_number(self, columns: list[str], error: ValueError) -> None:
        """Raise a DecRSError about the first cell of these columns that is no number."""
        table = pd.read_csv(
            self.path,
            sep=self.pattern,
            usecols=columns,
            dtype=str,
            encoding=self.encoding,
            keep_default_na=False,
            index_col=False,
            engine="c" if len(self.separator) == 1 else "python",
        )
        for column in columns:
            for row, cell in enumerate(table[column].fillna("")):
                if cell not in NO_NUMBER and not is_number(cell):
                    raise DecRSError(
                        f"{self.path}, {self.place(row)}: {column.rpartition(':')[0]} is {cell!r}, which is no number; "
                        "write a number (a time in seconds), or give the column another type in the first line"
                    ) from error
        raise DecRSError(f"{self.path} cannot be read ({error}); mend it") from error


def atomic_file(config, path: str) -> AtomicFile:
    """Open a file of a dataset with the separator and the encoding that the configuration gives."""
    return AtomicFile(path, config["field_separator"], config["encoding"])


def is_number(cell: str) -> bool:
    """Tell text that spells a number, be it infinite or none."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own spelling of large numbers, which nobody else reads
