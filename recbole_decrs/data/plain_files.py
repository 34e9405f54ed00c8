"""Reads plain atomic files by polars, where it is installed: the table that pandas reads, sooner if it is large."""

from __future__ import annotations

import codecs
import io
from collections.abc import Sequence
from itertools import count

import numpy as np
import pandas as pd

from recbole_decrs.data.line_widths import blocks

SEPARATORS = frozenset("\t,;|")
"""Separators that can be no part of a number."""
WITH_CARE = (b"\r", b"\0")
"""What makes a file one that is not plain: other line ends, bytes that are no text; and cells that begin with ``"``."""
NEWLINE = ord("\n")


def read_plain(
    path: str, separator: str, header: Sequence[str], wanted: Sequence[str], numbered: Sequence[str] = ()
) -> pd.DataFrame | None:
    """Read columns of a plain file: UTF-8 without quoted cells, and as many cells in each line as in the first.

    Args:
        path: of the file.
        separator: of the columns.
        header: the cells of the first line, ``name:type`` each.
        wanted: those of them that are read.
        numbered: those of them whose texts are numbered, as pandas' categories are.

    Returns:
        the columns in the order of the file: float64 where the type is ``float``, categories where the column is
        ``numbered``, else text as pandas keeps it; NaN where a cell is empty. None where polars is not installed or
        nothing is wanted, where the file is not plain, and where a number is infinite, none, or written as pandas alone
        reads it: whoever asks reads the file by pandas then, and is told there what is wrong.
    """
    try:
        import polars as pl
    except ImportError:
        return None
    if not wanted or not is_plain(path, separator, len(header)):
        return None
    kinds = {cell: pl.Float64 if cell in wanted and cell.endswith(":float") else pl.String for cell in header}
    try:
        table = pl.read_csv(
            path,
            separator=separator,
            quote_char=None,
            schema=kinds,
            columns=[cell for cell in header if cell in wanted],
            glob=False,
        )
    except pl.exceptions.PolarsError:
        return None
    columns = {}
    for cell in table.columns:
        column = table.drop_in_place(cell)  # so that it is gone before the next is made
        if kinds[cell] == pl.String:
            columns[cell] = (_categories if cell in numbered else _text)(column)
        elif column.is_finite().all():  # of those that are not null
            columns[cell] = column.fill_null(np.nan).to_numpy(writable=True)
        else:
            return None
    return pd.DataFrame(columns)


def is_plain(path: str, separator: str, n_columns: int) -> bool:
    """Tell if a file is UTF-8 without letters that need care, and has ``n_columns`` cells in each of its lines."""
    if separator not in SEPARATORS or n_columns < 2:  # of a single column pandas passes over empty lines
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = np.array([ord(separator)] * (n_columns - 1) + [NEWLINE], dtype=np.uint8)
    quoted = [before + b'"' for before in (separator.encode(), b"\n")]
    ends, is_open = np.empty(0, dtype=np.uint8), True  # of the cells of a line that has only begun
    last = b"\n"
    with open(path, "rb") as file:
        for block in blocks(file):
            if any(letters in block for letters in (*WITH_CARE, *quoted)) or last + block[:1] in quoted:
                return False
            if not _is_text(decoder, block):
                return False
            last = block[-1:]
            letters = np.frombuffer(block, dtype=np.uint8)
            ends = np.concatenate([ends, letters[(letters == line[0]) | (letters == NEWLINE)]])
            whole = len(ends) // n_columns * n_columns
            if (ends[:whole].reshape(-1, n_columns) != line).any():
                return False
            ends, is_open = ends[whole:], letters[-1] != NEWLINE
    ends = np.append(ends, NEWLINE) if is_open else ends
    return _is_text(decoder, b"", final=True) and len(ends) in (0, n_columns) and (ends == line[: len(ends)]).all()


def _is_text(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        return "\ufeff" not in decoder.decode(block, final)
    except UnicodeDecodeError:
        return False


def _text(column) -> pd.Series:
    """Make a column of pandas' text of one of polars', each text once in memory however many cells have it."""
    texts, codes = _numbered(column)
    return pd.Series(np.array([*texts, np.nan], dtype=object)[codes], dtype=TEXT)


def _categories(column) -> pd.Categorical:
    """Make a column of pandas' categories of one of polars'."""
    texts, codes = _numbered(column)
    return pd.Categorical.from_codes(codes, pd.Index(texts, dtype=TEXT), validate=False)


def _numbered(column) -> tuple[list[str], np.ndarray]:
    """List the texts of a column, each once, and the place of each cell's among them; -1 of an empty cell.

    Numbers of 64 bits, which stand for texts, are told apart in a third of the time that texts take; should two texts
    have the same, others are drawn.
    """
    filled = column.drop_nulls()
    for seed in count():
        places, hashes = pd.factorize(filled.hash(seed).to_numpy())
        first = np.empty(len(hashes), dtype=np.int64)
        first[places[::-1]] = np.arange(len(places))[::-1]
        texts = filled.gather(first)
        if (texts.gather(places) == filled).all():
            break
    codes = np.full(len(column), -1, dtype=np.int32)
    codes[column.is_not_null().to_numpy()] = places
    return texts.to_list(), codes


TEXT = pd.read_csv(io.StringIO("cell\nx\n"), dtype=str)["cell"].dtype
"""The type in which the installed pandas reads text."""
