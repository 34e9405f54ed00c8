"""Finds signs in the cells of a group column that its names may be meant otherwise than they are read."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

SEPARATORS = {"space": " ", "pipe": "|", "comma": ",", "semicolon": ";", "slash": "/"}
"""What may stand between the names of groups, by the value of ``group_format``."""
JOINING = ("pipe", "comma", "semicolon", "slash")
"""The separators that seldom stand within a name, the surest first."""


def words_of_one_name(counts: Counter[str], where: str) -> str | None:
    """Find a doubt if blanks may stand within names: two words that are always neighbours, or two blanks in a row."""
    occurrences, neighbours = Counter(), Counter()
    for cell, count in counts.items():
        words = cell.split()
        occurrences.update(dict.fromkeys(words, count))
        neighbours.update(dict.fromkeys(pairwise(words), count))
    together = [
        f"{one} {other}"
        for (one, other), count in neighbours.items()
        if count > 1 and occurrences[one] == occurrences[other] == count
    ]
    apart = next((cell for cell in counts if "  " in cell.strip()), None)
    if not together and apart is None:
        return None
    such = f"cells such as {shown(apart)}" if apart else f"words that only stand side by side, such as {together[0]!r}"
    return (
        f"{where} has {such}, and each word is read as a group; where blanks stand within names, write the cells in "
        "another form that group_format knows"
    )


def joined_otherwise(cells: list[str], plain: str) -> tuple[str, str] | None:
    """Find two names with a part in common, of names that ``+`` or ``::`` joins; None if there are none."""
    names = {name for cell in cells for name in (cell.split(" ") if plain == "space" else [cell.strip()]) if name}
    parts = {name: {part for part in re.split(r"[^\w ']+|_", name) if part.strip()} for name in sorted(names)}
    seen: dict[str, str] = {}
    for name, of_name in sorted(parts.items(), key=lambda item: -len(item[1])):  # those of several parts first
        for part in sorted(of_name):
            if part in seen:
                return seen[part], name
        if len(of_name) > 1:
            seen |= dict.fromkeys(of_name, name)
    return None


def joined_names(names: set[str], where: str) -> str | None:
    """Find a doubt if a name consists of parts, between signs that may separate groups, which all stand elsewhere too.

    Names in lists or between ``|`` may be such, where somebody has written cells in two ways.
    """
    for form in JOINING:
        separator = SEPARATORS[form]
        if not any(separator in name for name in names):
            continue
        parts = {name: {part.strip() for part in name.split(separator) if part.strip()} for name in sorted(names)}
        counts = Counter(part for of_name in parts.values() for part in of_name)
        joined = [
            name for name, of_name in parts.items() if len(of_name) > 1 and all(counts[one] > 1 for one in of_name)
        ]
        if joined:
            return (
                f"{len(joined)} groups of {where}, such as {shown(joined[0])}, consist of parts that stand in others "
                f"too; where {separator!r} separates groups of their own, write all cells in one form"
            )
    return None


def share_parts(cells: list[str], separator: str) -> bool:
    """Tell if cells that are joined have a part that is another cell, or a part of another cell."""
    counts = Counter(part for cell in cells for part in {name.strip() for name in cell.split(separator)} if part)
    return any(count > 1 for count in counts.values())


def also_joined_by_space(cells: list[str], kind: str) -> bool:
    """Tell if a cell without ``|`` consists of words that are groups of other cells."""
    if kind == "token":
        return False
    names = {name.strip() for cell in cells for name in cell.split("|")}
    return any("|" not in cell and " " in cell.strip() and set(cell.split()) <= names for cell in cells)


def shown(cell: str) -> str:
    """Quote a cell for a message, cut where it is long."""
    return repr(cell if len(cell) <= 60 else f"{cell[:57]}...")
