"""Finds out what separates the cells of a text file, or refuses to guess."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from typing import TextIO

from recbole_decrs.errors import DecRSError

SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon", "::": "::", "|": "pipe"}
"""What may separate cells, and what it is called."""
LINES_LOOKED_AT = 200


def find_separator(file: TextIO, name: str, has: Collection[str] = ()) -> str:
    """Find the separator that gives all of the first lines as many cells, two or more.

    Args:
        file: text, read from its beginning.
        name: of the file, for messages.
        has: columns that the first line names for sure; of the separators those count by which it does.

    Raises:
        DecRSError: there is none, or more than one.
    """
    rows: dict[str, list[list[str]]] = {}
    for separator in SEPARATORS:
        file.seek(0)
        rows[separator] = []
        with suppress(csv.Error):  # a cell without end, as that of a quotation mark that is another's
            rows[separator].extend(row for row in islice(_rows(file, separator), LINES_LOOKED_AT) if row)
    splitting = [separator for separator, found in rows.items() if found and len(found[0]) > 1]
    even = [separator for separator in splitting if len(set(map(len, rows[separator]))) == 1]
    naming = [one for one in splitting if has and set(has) <= {cell.strip() for cell in rows[one][0]}]
    found = naming or even or splitting
    if len(found) == 1:
        return found[0]
    if not found:
        raise DecRSError(
            f"separator: the first line of {name} has no {', '.join(SEPARATORS.values())} between cells; give what "
            "there is, such as --separator=' '"
        )
    names = " and ".join(SEPARATORS[separator] for separator in found)
    raise DecRSError(
        f"separator: the cells of {name} may be separated by {names}; give the one that does it, such as "
        f"--separator='{found[0]}'"
    )


def _rows(file: TextIO, separator: str) -> Iterator[list[str]]:
    if len(separator) > 1:
        return (line.rstrip("\r\n").split(separator) if line.strip() else [] for line in file)
    return csv.reader(file, delimiter=separator)
