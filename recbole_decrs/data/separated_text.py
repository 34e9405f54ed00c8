"""Opens text files of separated cells, and refuses those that are not certain to be read as they were written."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import numpy as np

from recbole_decrs.data.line_widths import blocks, widths
from recbole_decrs.errors import DecRSError

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""What a file may begin with, and the encoding that it tells."""
UTF_16 = {(True, False, True, False): "utf-16-le", (False, True, False, True): "utf-16-be"}
"""Which of the first four bytes are not zero in UTF-16 without a byte-order mark, by the order of its bytes."""
NEWLINE = b"\n"
LINES_AT_ONCE = 1 << 16
"""How many lines are counted at once."""


class SeparatedText:
    """Knows the encoding of a text file whose lines are cells with separators between, and checks its bytes and lines.

    Args:
        path: of the file, as messages name it.
        separator: of the cells.
        encoding: of the text; a byte-order mark goes before it.
        text_path: of the file that is read, where it is another, such as the text of one that is compressed.

    Attributes:
        lines_in_cells: of a class, whether a cell in quotation marks may hold separators and line ends at once.
        has_mark: whether the file begins with a byte-order mark.
        n_short: how many lines have fewer cells than the first; known once the lines are checked.

    Raises:
        DecRSError: the file is not text in this encoding.
    """

    lines_in_cells = False

    def __init__(
        self, path: str, separator: str = "\t", encoding: str | None = None, text_path: str | None = None
    ) -> None:
        self.path, self.separator, self.text_path = path, separator, text_path or path
        self.n_short = 0
        with open(self.text_path, "rb") as file:
            start = file.read(4)
        mark = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), None)
        self.has_mark = mark is not None
        self.encoding = mark or encoding or "utf-8"

    @property
    def pattern(self) -> str:
        """Give the separator as pandas takes it: one of several signs as a pattern, in which each stands for itself."""
        return self.separator if len(self.separator) == 1 else re.escape(self.separator)

    def first_cells(self) -> list[str]:
        """Read the cells of the first line; none of an empty file.

        Raises:
            DecRSError: they are not text in this encoding.
        """
        with self.in_words(), open(self.text_path, encoding=self.encoding, newline="") as file:
            if len(self.separator) == 1:
                header = next(csv.reader(file, delimiter=self.separator), [])
            else:
                header = file.readline().rstrip("\r\n").split(self.separator)
        if header and header[0].startswith("\ufeff"):
            raise DecRSError(f"{self.path} begins with two byte-order marks; take one out")
        return header

    def check_bytes(self) -> None:
        """See that there is no byte of zero and no byte-order mark among the letters, neither of which is seen.

        Raises:
            DecRSError: there is one; with the line, or with the encoding that begins in this way.
        """
        if "a".encode(self.encoding.removesuffix("-sig")) != b"a":  # of several bytes a letter
            return
        lines = 0
        with open(self.text_path, "rb") as file:
            if order := UTF_16.get(tuple(byte > 0 for byte in file.read(4))):
                raise DecRSError(f"{self.path} seems to be text in {order}; set --encoding={order}, or save it anew")
            file.seek(0)
            for number, block in enumerate(blocks(file)):
                for letter, name in ((b"\0", "a byte of zero"), (BYTE_ORDER_MARKS[0][0], "a byte-order mark")):
                    place = block.find(letter, 1 if number == 0 else 0)
                    if place >= 0:
                        line = lines + block.count(NEWLINE, 0, place) + 1
                        raise DecRSError(f"{self.path}, line {line}: there is {name} in the text; take it out")
                lines += block.count(NEWLINE)

    def check_lines(self, n_columns: int) -> None:
        """See that no line has more cells than there are columns, and that what is quoted ends in its cell.

        Raises:
            DecRSError: a line has, or it does not end; with the line.
        """
        n_short, line = 0, 1
        for some in self._widths(n_columns):
            if (some > n_columns).any():
                place = int((some > n_columns).argmax())
                raise DecRSError(
                    f"{self.path}, line {line + place}: {some[place]} cells under {n_columns} columns; take the "
                    f"separator {self.separator!r} out of the text"
                )
            n_short += int(((some < n_columns) & (some > 0)).sum())
            line += len(some)
        self.n_short = n_short

    def place(self, row: int) -> str:
        """Name the line of a row of the table, which lies further down where lines above it are empty.

        Args:
            row: counted from 0, without the first line, in a file whose lines are checked.

        Returns:
            ``line 12``, counted from 1; ``row 11`` where lines are not as their cells tell.
        """
        line, passed = 1, -1  # the first line is row -1
        for some in self._widths(len(self.first_cells())):
            rows = np.flatnonzero(some)
            if row < passed + len(rows):
                return f"line {line + int(rows[row - passed])}"
            line, passed = line + len(some), passed + len(rows)
        return f"row {row + 1}"

    def _widths(self, n_columns: int) -> Iterator[np.ndarray]:
        """Count the cells of each line, some lines at a time; 0 of an empty one, and of one that goes on with a row."""
        if len(self.separator) > 1:
            yield from self._widths_by_text()
            return
        with open(self.text_path, "rb") as file:
            # Without quotation marks cells end at separators and lines at line ends, which are quickly counted.
            marks = f'"\r\n{self.separator}'
            plain = marks.encode(self.encoding) == marks.encode() and all(
                b'"' not in block and block.count(b"\r") == block.count(b"\r\n") for block in blocks(file)
            )
            file.seek(0)
            yield from widths(file, self.separator.encode()) if plain else self._widths_of_quoted(n_columns)

    def _widths_by_text(self) -> Iterator[np.ndarray]:
        """Count the cells of each line, where several signs are between two; 0 of an empty one."""
        with self.in_words(), open(self.text_path, encoding=self.encoding, newline="") as file:
            while lines := list(islice(file, LINES_AT_ONCE)):
                yield np.array(
                    [line.count(self.separator) + 1 if not _is_blank(line, self.separator) else 0 for line in lines]
                )

    def _widths_of_quoted(self, n_columns: int) -> Iterator[np.ndarray]:
        """Count the cells of each line, as the csv module reads them; 0 of an empty one."""
        line = 0
        limit = csv.field_size_limit(sys.maxsize)
        try:
            with self.in_words(), open(self.text_path, encoding=self.encoding, newline="") as file:
                reader = csv.reader(file, delimiter=self.separator, strict=True)
                for row in reader:
                    n_lines = reader.line_num - line
                    swallows = any(self.separator in cell and "\n" in cell for cell in row)
                    if n_lines > 1 and swallows and not (self.lines_in_cells and len(row) == n_columns):
                        raise csv.Error  # a quotation mark that is closed in another line
                    first = 0 if len(row) == 1 and _is_blank(row[0], self.separator) else len(row)
                    yield np.array([first] + [0] * (n_lines - 1))
                    line = reader.line_num
        except csv.Error as error:
            raise DecRSError(
                f"{self.path}, line {line + 1}: a cell begins with a quotation mark and does not end with one; take "
                'the mark out, or quote the cell and write its marks twice, such as """Heroes"" of old"'
            ) from error
        finally:
            csv.field_size_limit(limit)

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Say in one sentence that the file is not text in its encoding, where whatever reads it finds out."""
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
        with open(self.text_path, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode(self.encoding)
                except UnicodeError:
                    return f", line {number},"
        return ""


def _is_blank(line: str, separator: str) -> bool:
    """Tell a line that pandas passes over: of blanks and tabs alone, of which none is a separator."""
    return separator not in line and not line.strip(" \t\r\n")
