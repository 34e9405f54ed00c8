"""Describes an output: one table or figure of a comparison, and all that writing it must know."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from recbole_decrs.compare.results import Results
from recbole_decrs.errors import DecRSError
from recbole_decrs.names import check_name_is_free
from recbole_decrs.signatures import check_takes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


TAKES = {
    "numbers": ("results",),
    "text": ("results", "numbers"),
    "draw": ("numbers",),
    "lacks": ("results",),
}
"""The arguments with which the functions of an output are called, by the field that has the function."""


@dataclass(frozen=True)
class Output:
    """Describes a table or a figure: numbers as CSV, and perhaps a text as Markdown or a drawing as PNG.

    Raises:
        DecRSError: a function does not take what it is called with.
    """

    name: str
    """The name of its files without their ending."""
    _: KW_ONLY
    about: str = ""
    """What it shows, in a few words, for the table of outputs in the README."""
    numbers: Callable[[Results], pd.DataFrame]
    """Makes the numbers."""
    text: Callable[[Results, pd.DataFrame], str | None] | None = None
    """Makes the text from the numbers; None where these results need none."""
    draw: Callable[[pd.DataFrame], Figure] | None = None
    """Draws the numbers. A figure, unlike a table, has this; it is not called where matplotlib is not installed."""
    lacks: Callable[[Results], str | None] = lambda results: None
    """Says why the output cannot be made from these results; None where it can."""

    def __post_init__(self) -> None:
        for field, arguments in TAKES.items():
            if field not in ("text", "draw") or getattr(self, field) is not None:
                check_takes(f"{field} of the output {self.name}", getattr(self, field), *arguments)


OUTPUTS: dict[str, Output] = {}
"""The outputs by name, in the order in which they are made: those of this package, and then one's own."""


def register_output(output: Output) -> None:
    """Add a table or figure of one's own to those of every comparison from now on.

    One whose function is defined once more, as when a notebook runs a cell again, takes the place of the former.
    ``del OUTPUTS[name]`` takes it out again.

    Raises:
        DecRSError: it is no Output, another one has its name, or the name has other characters than letters, digits,
            underscores and hyphens.
    """
    if not isinstance(output, Output):
        raise DecRSError(f"register_output takes an Output, such as Output('mine', numbers=...), not {output!r}")
    if not isinstance(output.name, str) or not re.fullmatch(r"[\w-]+", output.name):
        raise DecRSError(f"outputs: {output.name!r} is no name of a file; take letters, digits, _ and - alone")
    for name, known in OUTPUTS.items():
        if name.lower() == output.name.lower():
            check_name_is_free(name, "table or figure", output.numbers, known.numbers)
    OUTPUTS[output.name] = output
