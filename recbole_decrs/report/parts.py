"""Makes the parts of a page: tables, figures, a search for users, and the sections that hold them.

Texts are plain; the template escapes them. Drawings are :class:`~markupsafe.Markup`, which is made of escaped texts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Column:
    """Describes a column of a table."""

    title: str
    about: str = ""
    """An explanation, shown when the pointer or the keyboard is on the title."""
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    """Holds a cell of a table."""

    shown: str | Markup
    sort: float | None = None
    """The number by which the column is sorted; where there is none, the text is."""
    about: str = ""
    """An explanation, shown when the pointer or the keyboard is on the cell."""
    is_best: bool = False


@dataclass(frozen=True)
class Table:
    """Holds a table; the first cell of each row is its heading."""

    kind: ClassVar[str] = "table"
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    is_sortable: bool = False
    remark: str = ""


@dataclass(frozen=True)
class Figure:
    """Holds a drawing, with what it shows in words and in numbers for those who do not see it."""

    kind: ClassVar[str] = "figure"
    title: str
    about: str
    drawing: Markup
    legend: Sequence[tuple[Markup, str]] = ()
    """A sample of each line or marker, and its name."""
    numbers: Table | None = None
    is_wide: bool = False
    """True if it takes the whole width of the page."""


@dataclass(frozen=True)
class Legend:
    """Names what is drawn in the cells of a table."""

    kind: ClassVar[str] = "legend"
    entries: Sequence[tuple[Markup, str]]


@dataclass(frozen=True)
class UserSearch:
    """Holds the users that can be looked up, as plain data for the page's script."""

    kind: ClassVar[str] = "users"
    data: dict[str, Any]
    remark: str


@dataclass(frozen=True)
class Commands:
    """Lists what can be typed, each with what it does."""

    kind: ClassVar[str] = "commands"
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """Holds parts under a heading."""

    title: str
    text: Sequence[str] = ()
    parts: Sequence[Table | Figure | Legend | UserSearch | Commands] = ()


@dataclass(frozen=True)
class Page:
    """Holds everything that a page shows."""

    title: str
    facts: Sequence[tuple[str, str]]
    """Names and values at the top of the page."""
    sections: Sequence[Section] = field(default_factory=list)


def number(value: float, digits: int = 4, sign: bool = False) -> Cell:
    """Write a number with so many digits behind the point; a dash where it is not known."""
    if math.isnan(value):
        return Cell("–")
    shown = round(value, digits) + 0.0  # no minus before a zero
    return Cell(f"{shown:{'+' if sign else ''}.{digits}f}", value)
