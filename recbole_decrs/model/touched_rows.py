"""Remembers in which rows the gradient of an embedding table can be other than 0, so that the rest need not be read.

A batch looks up some thousand rows of tables that have millions. That is known only of a gradient that was cleared here
and to which nothing was added since but by :func:`add_to_rows`. Torch counts the changes of a tensor in place, so
whatever else is done to a gradient is seen, and from then on each row counts as touched. Torch does not count what
``torch.distributed`` and ``gradient.data`` change.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

WORTH_IT = 4
"""Rows of a table for each that is named, from which on it is faster to gather them than to go over the table."""


@dataclass
class _Touched:
    """Records the rows of one gradient that were touched; kept as an attribute of it."""

    version: int
    """The gradient's count of changes when it was last cleared or added to here."""
    named: list[torch.Tensor] = field(default_factory=list)
    n_named: int = 0
    each_once: bool = False
    last_place: torch.Tensor | None = None
    """For :func:`_each_once`; what it holds of earlier batches does no harm."""


def clear(gradient: torch.Tensor) -> None:
    """Set a gradient to 0, where it can be other than 0; from then on its touched rows are remembered."""
    record = _record_of(gradient)
    rows = touched_rows(gradient)
    if rows is not None:
        gradient.index_fill_(0, rows, 0)
    elif record is None or record.named:
        gradient.zero_()
    remember(gradient)


def remember(gradient: torch.Tensor) -> None:
    """Remember the touched rows of a gradient from now on, which is 0 now."""
    before = getattr(gradient, "_touched_rows", None)
    gradient._touched_rows = _Touched(gradient._version, last_place=None if before is None else before.last_place)


def add_to_rows(gradient: torch.Tensor, rows: torch.Tensor, values: torch.Tensor) -> None:
    """Add to rows of a gradient, also where a row is named more than once.

    Args:
        gradient: of a table, shape [R, H].
        rows: shape [n].
        values: shape [n, H].
    """
    record = _record_of(gradient)
    gradient.index_add_(0, rows, values)
    if record is not None:
        record.version = gradient._version
        if _is_few(gradient, record, len(rows)):
            record.named.append(rows)


def name_rows(gradient: torch.Tensor, rows: torch.Tensor, ids: torch.Tensor) -> None:
    """Remember that the rows ``rows[ids]``, shape [n, L], of a gradient were added to, which torch has not counted.

    Args:
        gradient: of a table, shape [R, H].
        rows: of every id, shape [N, L].
        ids: shape [n].
    """
    record = _record_of(gradient)
    if record is not None and _is_few(gradient, record, len(ids) * rows.shape[1]):
        record.named.append(rows.index_select(0, ids).flatten())


def _is_few(gradient: torch.Tensor, record: _Touched, more: int) -> bool:
    """Count that so many more rows are named; False, and nothing is remembered any more, if that may be all rows."""
    record.n_named += more
    record.each_once = False
    if record.n_named >= len(gradient):
        del gradient._touched_rows
        return False
    return True


def named_rows(gradient: torch.Tensor) -> list[torch.Tensor] | None:
    """List the rows outside of which a gradient is 0, some of them again and again; None where that can be any row."""
    record = _record_of(gradient)
    return None if record is None else record.named


def touched_rows(gradient: torch.Tensor) -> torch.Tensor | None:
    """List, each once and in any order, the rows outside of which a gradient is 0; None where these may be many."""
    record = _record_of(gradient)
    if record is None or not record.named or record.n_named * WORTH_IT > len(gradient):
        return None
    if not record.each_once:
        if record.last_place is None:
            record.last_place = torch.empty(len(gradient), dtype=torch.int32)
        record.named, record.each_once = [_each_once(torch.cat(record.named), record.last_place)], True
    return record.named[0]


def _record_of(gradient: torch.Tensor) -> _Touched | None:
    record = getattr(gradient, "_touched_rows", None)
    return record if record is not None and record.version == gradient._version else None


def _each_once(rows: torch.Tensor, last_place: torch.Tensor) -> torch.Tensor:
    """Leave out repeated rows in a time that depends on their number alone, which sorting would take three times of.

    Every place writes its number down at its row, and whichever is written last stands for the row.

    Args:
        rows: shape [n].
        last_place: of any content, shape [R]; it is written to.
    """
    places = torch.arange(len(rows), dtype=torch.int32)
    last_place[rows] = places
    return rows[last_place[rows] == places]
