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
        has: columns that the first line names for sure; where one separator alone finds them all, it is that.

    Raises:
        DecRSError: there is none, or more than one.
    """
    widths, names_all = {}, []
    for separator in SEPARATORS:
        file.seek(0)
        with suppress(csv.Error):
            if has and set(has) <= {name.strip() for name in next(_rows(file, separator), ())}:
                names_all.append(separator)
        file.seek(0)
        widths[separator] = []
        with suppress(csv.Error):  # a cell without end, as that of a quotation mark that is another's
            widths[separator].extend(len(row) for row in islice(_rows(file, separator), LINES_LOOKED_AT) if row)
    if len(names_all) == 1:
        return names_all[0]
    splitting = [separator for separator, found in widths.items() if found and found[0] > 1]
    even = [separator for separator in splitting if len(set(widths[separator])) == 1]
    found = even or splitting
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
