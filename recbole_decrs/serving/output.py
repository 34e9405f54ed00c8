"""Writes lists to a file, and shows those of a few users."""

from __future__ import annotations

import os

import pandas as pd

from recbole_decrs.counts import counted
from recbole_decrs.errors import DecRSError, how_to_install
from recbole_decrs.files import replaced_whole
from recbole_decrs.tables import WIDTH, in_width

ENDINGS = (".csv", ".parquet")
USERS_SHOWN = 5
"""The lists of so many users are shown whole."""
ROWS_SHOWN = 3
"""So many rows are shown of what is written."""
LONGEST_CELL = 32


def check_output(path: str) -> None:
    """See that lists can be written to a file, before anything is loaded.

    Raises:
        DecRSError: its ending is another, its folder is not there, or what writes it is not installed.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise DecRSError(f"output: {path} must end in {' or '.join(ENDINGS)}; give it another name")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise DecRSError(f"output: there is no folder {folder}; make it first, or write to another")
    if os.path.isdir(path):
        raise DecRSError(f"output: {path} is a folder; name a file")
    if ending == ".parquet":
        try:
            import polars  # noqa: F401
        except ImportError as error:
            raise DecRSError(f"output: {how_to_install('polars')}; else write a .csv file") from error


def write_lists(frame: pd.DataFrame, path: str) -> None:
    """Write lists, whole or not at all, as the ending of the path says.

    Raises:
        OSError: it cannot be written.
    """
    with replaced_whole(path) as file:
        if path.lower().endswith(".csv"):
            file.write(frame.to_csv(index=False).encode())
            return
        import polars

        polars.DataFrame({name: frame[name].to_list() for name in frame.columns}).write_parquet(file)


def text_of_lists(frame: pd.DataFrame, output: str | None = None) -> str:
    """Write what the console shows: where the lists are, and some of them.

    Args:
        frame: the lists.
        output: the file that they have been written to; None where they are shown alone.
    """
    n_users = frame["user_id"].nunique()
    users = counted(n_users, "user")
    if output is not None:
        shown = frame.head(ROWS_SHOWN)
        return f"lists of {users}, {len(frame)} rows: {output}\n\n{_table(shown)}"
    shown = frame[frame["user_id"].isin(frame["user_id"].drop_duplicates().head(USERS_SHOWN))]
    more = n_users - USERS_SHOWN
    rest = f"\n\nand the lists of {counted(more, 'more user')}, which --output=lists.csv writes" if more > 0 else ""
    return f"{_table(shown)}{rest}"


def _table(frame: pd.DataFrame) -> str:
    texts = frame.map(lambda cell: f"{cell:.4f}" if isinstance(cell, float) else _cut(str(cell)))
    n_labels = frame.columns.get_loc("item_id") + 1
    return in_width(texts.to_numpy(dtype=object).tolist(), list(frame.columns), n_labels, WIDTH)


def _cut(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else f"{cell[: LONGEST_CELL - 3]}..."
