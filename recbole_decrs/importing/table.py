"""Holds a table that is imported, with the words by which messages name it and its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Table:
    """Holds columns as they were read: text, numbers, times, or objects of Python such as lists; NaN is missing.

    Attributes:
        frame: the columns, rows numbered from 0.
        name: of the file, or ``clicks``, ``items``, ``users`` of a data frame.
        first_line: of the file that row 0 comes from; None where rows are not lines.
        separator: of a text file; None of others.
        n_short: how many lines have fewer cells than the first, whose last cells are missing.
    """

    frame: pd.DataFrame
    name: str
    first_line: int | None = None
    separator: str | None = None
    n_short: int = 0

    def place(self, row: int) -> str:
        """Name a row: ``line 12`` of a file, ``row 11`` of a data frame, counted from 1."""
        return f"row {row + 1}" if self.first_line is None else f"line {row + self.first_line}"

    def first(self, is_one: np.ndarray) -> str:
        """Name the first of the rows where an array of booleans, shape [n rows], is true."""
        return self.place(int(np.argmax(is_one)))

    def where(self, column: str) -> str:
        """Name a column in a message."""
        return f"column {column} of {self.name}"
