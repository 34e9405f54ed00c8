"""Counts the cells of each line of a file without quotation marks, by its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

BYTES_AT_ONCE = 1 << 24
BLANKS = np.frombuffer(b" \t\r\n", dtype=np.uint8)
"""What a line begins with that pandas passes over, as it holds nothing else."""


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Read a file some megabytes at a time."""
    while block := file.read(BYTES_AT_ONCE):
        yield block


def widths(file: BinaryIO, separator: bytes) -> Iterator[np.ndarray]:
    """Count the cells of each line of a file without quotation marks, some lines at a time; 0 of an empty one."""
    rest = b""
    for block in blocks(file):
        lines, newline, after = (rest + block).rpartition(b"\n")
        rest = after
        if newline:
            yield _widths_of(lines + newline, separator)
    if rest:
        yield _widths_of(rest + b"\n", separator)


def _widths_of(lines: bytes, separator: bytes) -> np.ndarray:
    letters = np.frombuffer(lines, dtype=np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    before = np.searchsorted(np.flatnonzero(letters == ord(separator)), ends)
    found = np.diff(before, prepend=0) + 1
    of_one = np.flatnonzero(found == 1)
    for place in of_one[np.isin(letters[starts[of_one]], BLANKS)]:
        if not lines[starts[place] : ends[place]].strip(b" \t\r"):
            found[place] = 0
    return found
