"""Reads the cells of the group column: the names of an item's groups, in the forms in which people write them."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from recbole_decrs.data.group_doubts import (
    JOINING,
    SEPARATORS,
    also_joined_by_space,
    joined_names,
    joined_otherwise,
    share_parts,
    shown,
    words_of_one_name,
)
from recbole_decrs.errors import DecRSError

GROUP_FORMATS = ("auto", "single", *SEPARATORS, "list", "json", "quoted")
"""What the key ``group_format`` takes."""
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_NAMES = re.compile(
    rf"\s*(?:(?P<quoted>{_QUOTED})|(?P<bare>[^\s,'\"\[\](){{}}:](?:[^,'\"\[\](){{}}:]*[^\s,'\"\[\](){{}}:])?))\s*"
)
_PLAINLY_QUOTED = re.compile(r"""(?:'[^'\\]*'|"[^"\\]*")(?:, ?(?:'[^'\\]*'|"[^"\\]*"))*""")
_BETWEEN_MARKS = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_CALLED = re.compile(
    r"(?:frozenset|set|array|dict_keys|dict_values|OrderedSet|Index)\((.*?)(?:, *dtype=[^()]*)?\)", re.DOTALL
)
"""How Python and numpy write what is a list in brackets within a name."""
_MISSING = ("None", "null", "nan", "NaN", "<NA>")
"""What stands unquoted among lists and in them where there is nothing."""


Reader = Callable[[str], list[str] | None]
"""Reads the names of a cell, which are None where it is written otherwise."""


class GroupCells(NamedTuple):
    """Holds what the cells of the group column were read as."""

    names: list[list[str]]
    """The groups of each cell, each once, in the order of the cell; none of an empty cell."""
    form: str
    """One of :data:`GROUP_FORMATS`, or ``seq_separator``."""
    doubt: str | None
    """A sentence where the cells might have been meant otherwise."""


def split_cells(
    cells: Sequence[str], kind: str, form: str = "auto", seq_separator: str = " ", where: str = "the group column"
) -> GroupCells:
    """Read the names of groups from cells.

    Args:
        cells: text; empty where an item has no group.
        kind: the type of the column: ``token``, of one name, or ``token_seq``, of several.
        form: how names are written; ``auto`` finds out, where that is certain.
        seq_separator: RecBole's key, which separates the names of a ``token_seq`` unless they are written otherwise.
        where: the file and column, for messages.

    Raises:
        DecRSError: the cells are not written as ``form`` says, or it cannot be told how they are.
    """
    counts = Counter(cell for cell in cells if cell.strip())
    filled, doubt = list(counts), None
    lists = {"list": cache(_listed), "quoted": cache(_quoted)}  # read once to find the form, and once more by it
    is_found = form == "auto"
    if is_found:
        form, doubt = _find_form(filled, kind, seq_separator, where, lists)
        if form == "space" and doubt is None:
            doubt = words_of_one_name(counts, where)
    elif form in SEPARATORS and filled and not any(SEPARATORS[form] in cell for cell in filled):
        doubt = f"group_format: no cell of {where} holds {SEPARATORS[form]!r}, so each is one group; check {form}"
    read = lists.get(form) or _reader(form, seq_separator)
    names: dict[str, list[str]] = {}
    for cell in filled:
        found = read(cell)
        if found is None:
            raise DecRSError(
                f"group_format: {where} has the cell {shown(cell)}, which is not written as {form}; take another of "
                f"{', '.join(GROUP_FORMATS)}"
            )
        names[cell] = list(dict.fromkeys(name for name in found if name))
    if is_found and doubt is None:
        doubt = joined_names({name for of_cell in names.values() for name in of_cell}, where)
    if form == "single" and (n_trimmed := len(names) - len({name for (name,) in names.values()})):
        trimmed = (
            f"{n_trimmed} groups of {where} differ from others in blanks at their ends alone, and are taken for these"
        )
        doubt = f"{doubt}; {trimmed}" if doubt else trimmed
    return GroupCells([names.get(cell, []) for cell in cells], form, doubt)


def _reader(form: str, seq_separator: str) -> Reader:
    if form == "single":
        return lambda cell: [cell.strip()]
    if form == "json":
        return _listed
    separator = seq_separator if form == "seq_separator" else SEPARATORS[form]
    return lambda cell: [name.strip() for name in cell.split(separator)]


def _quoted(cell: str) -> list[str] | None:
    """Read the names of ``'Books', "Children's Books"``; None where a cell is not such a list."""
    if _PLAINLY_QUOTED.fullmatch(cell):  # nearly all; the rest goes name by name
        return [(one or other).strip() for one, other in _BETWEEN_MARKS.findall(cell)]
    return _items(cell, bare=False)


def _listed(cell: str) -> list[str] | None:
    """Read the names of a list, set or tuple as Python, JSON or numpy writes it; None of other text."""
    cell = cell.strip()
    if called := _CALLED.fullmatch(cell):
        cell = called[1].strip() or "[]"
    if cell in ("[]", "()", "{}", *_MISSING):
        return []
    if len(cell) < 2 or _BRACKETS.get(cell[0]) != cell[-1]:
        return None
    if cell[0] == "(" and not set("'\"") & set(cell):  # a name such as (500)
        return None
    return _items(cell[1:-1], bare=True)


def _items(text: str, bare: bool) -> list[str] | None:
    """Read names with commas between them; between quoted ones blanks will do."""
    names, place, text = [], 0, text.strip()
    while place < len(text):
        found = _NAMES.match(text, place)
        if found is None or (found["bare"] and not bare):
            return None
        if found["quoted"]:
            names.append(_unquoted(found["quoted"]))
        elif found["bare"] not in _MISSING:
            names.append(found["bare"])
        place = found.end()
        if place < len(text):
            if text[place] == ",":
                place += 1
            elif not (found["quoted"] and text[place] in "'\"" and text[place - 1].isspace()):
                return None
    if len(names) == 1 and text[:1] not in ("'", '"') and " " in names[0]:
        numbers = names[0].split()
        return numbers if all(map(_is_number, numbers)) else None  # as numpy prints them, else perhaps one name
    return names


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?\d*\.?\d*", text) is not None


@lru_cache(maxsize=1 << 16)  # the same names stand in many cells
def _unquoted(text: str) -> str:
    for read in (json.loads, ast.literal_eval):
        try:
            return str(read(text)).strip()
        except (ValueError, SyntaxError):
            continue
    return text[1:-1].strip()


def _find_form(
    cells: list[str], kind: str, seq_separator: str, where: str, lists: Mapping[str, Reader]
) -> tuple[str, str | None]:
    """Find out how names are written, and what is in doubt; refuse where it is not certain."""
    plain = "single" if kind == "token" else "space" if seq_separator == " " else "seq_separator"
    if marked := _marked_form(cells, where, lists):
        return marked, None
    if plain == "seq_separator":
        return plain, None
    separated, doubts = _separated_form(cells, kind, plain, where)
    if separated:
        return separated, None
    if plain == "space":
        _check_words(cells, where)
    if not doubts and (joined := joined_otherwise(cells, plain)):
        doubts.append(
            f"groups of {where} such as {shown(joined[0])} and {shown(joined[1])} have parts in common; where these "
            "are groups of their own, write the cells in a form that group_format knows"
        )
    return plain, "; ".join(doubts) or None


def _marked_form(cells: list[str], where: str, lists: Mapping[str, Reader]) -> str | None:
    """Find out if names stand in brackets or quotation marks; refuse where some cells look so and others do not."""
    for form, begins in (("list", "[{"), ("quoted", "'\"")):
        read = lists[form]
        unread = next((c for c in cells if read(c) is None or (form == "quoted" and c.strip()[0] not in begins)), None)
        begun = any(cell.strip()[0] in begins + "(" or _CALLED.fullmatch(cell.strip()) for cell in cells)
        if begun and unread is None:
            return form
        odd = next((cell for cell in cells if _looks_like(form, cell)), None)
        if odd:
            raise DecRSError(
                f"group_format: {where} has cells such as {shown(odd)} and such as {shown(unread or cells[0])}, and "
                f"it is not certain how names are written; set it to one of {', '.join(GROUP_FORMATS[1:])}"
            )
    return None


def _separated_form(cells: list[str], kind: str, plain: str, where: str) -> tuple[str | None, list[str]]:
    """Find the sign that separates names, and what is in doubt where there is none; refuse where it is not certain."""
    doubts, possible = [], []
    for form in JOINING:
        separator = SEPARATORS[form]
        joined = [cell for cell in cells if separator in cell]
        if not joined:
            continue
        shared = share_parts(cells, separator)
        if form == "pipe" and (shared or kind == "token_seq") and not also_joined_by_space(cells, kind):
            return form, []
        ends = form != "slash" and any(word.endswith(separator) for cell in joined for word in cell.split())
        if form == "pipe" or (kind == "token_seq" and (shared or ends)):
            possible.append((form, joined))
            continue
        doubts.append(
            f"{len(joined)} different cells of {where} hold {separator!r}, such as {shown(joined[0])}, which is read "
            f"as a part of a group's name; where it separates groups, set group_format: {form}"
        )
    if possible:
        signs, forms = " or ".join(repr(SEPARATORS[form]) for form, _ in possible), [form for form, _ in possible]
        raise DecRSError(
            f"group_format: {where} has cells such as {shown(possible[0][1][0])}, and it is not certain that {signs} "
            f"separates the names of groups; set it to {' or '.join(forms)}, or to {plain} where it belongs to them"
        )
    return None, doubts


def _looks_like(form: str, cell: str) -> bool:
    """Tell if a cell is in brackets, or in quotation marks with commas between, and perhaps not meant as a name."""
    cell = cell.strip()
    if form == "list":
        return _CALLED.fullmatch(cell) is not None or (cell[0] in "[{" and cell[-1] == _BRACKETS[cell[0]])
    return cell[0] in "'\"" and _quoted(cell) is not None


def _check_words(cells: list[str], where: str) -> None:
    """Refuse cells that a split at blanks would leave with a word such as ``&``."""
    for cell in cells:
        for word in cell.split():
            if not any(letter.isalnum() for letter in word):
                raise DecRSError(
                    f"group_format: {where} has cells such as {shown(cell)}, in which {word!r} would be a group; "
                    "set it to single where the whole cell is one name, or to the way in which names are separated"
                )
