"""Loads the files of a RecBole Dataset: what cannot be read with certainty is refused, with file and line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from logging import getLogger

import numpy as np
import pandas as pd
from recbole.utils import FeatureSource, FeatureType

from recbole_decrs.counts import counted, have
from recbole_decrs.data.atomic_files import AtomicFile, atomic_file
from recbole_decrs.data.columns import (
    check_columns_of_clicks,
    check_features_have_names_of_their_own,
    check_ids_are_tokens,
    check_loaded_columns,
    check_types_are_those_of_other_parts,
)
from recbole_decrs.data.download import download
from recbole_decrs.data.group_cells import split_cells
from recbole_decrs.data.group_field import check_one_row_an_id
from recbole_decrs.errors import DecRSError

PADDING = "[PAD]"
"""RecBole's token of id 0, of no user and no item."""


class CheckedFilesMixin:
    """Lets a RecBole Dataset load files by :class:`~recbole_decrs.data.atomic_files.AtomicFile`, which refuses guesses.

    It goes over these methods of RecBole's:

    - ``_download``, which waits for other processes where there are none, and leaves an empty folder when it fails;
    - ``_load_feat``, which reads a file by pandas, and so takes a user named NA for missing, passes over columns that
      are not there, and reads groups in other words than those that are measured;
    - ``_load_user_or_item_feat``, which passes over a file that ``load_col`` names and that is not there.
    """

    def _download(self) -> None:
        download(self, super()._download)

    def _load_feat(self, filepath: str, source: FeatureSource | str) -> pd.DataFrame | None:
        """Read the columns of a file, sequences as arrays, and set the properties of its fields, as RecBole does."""
        load_col, unload_col = self._get_load_and_unload_col(source)
        if load_col == set():
            return None
        file = atomic_file(self.config, filepath)
        check_ids_are_tokens(file, self.config)
        if source == FeatureSource.INTERACTION:
            check_columns_of_clicks(file, load_col, unload_col, self.config)
        check_loaded_columns(file, load_col, unload_col, self.config)
        names = [
            name for name in file.columns if (load_col is None or name in load_col) and name not in (unload_col or ())
        ]
        if not names:
            self.logger.warning(f"load_col: no column of {filepath} is loaded")
            return None
        if source == FeatureSource.INTERACTION:
            check_types_are_those_of_other_parts(self, file, names)
        own_id = {FeatureSource.USER: self.uid_field, FeatureSource.ITEM: self.iid_field}.get(source)
        if own_id is not None:
            check_features_have_names_of_their_own(self, file, names, own_id)
        # Of several files, categories would differ.
        table = file.read(names, () if self.benchmark_filename_list else (self.uid_field, self.iid_field))
        check_rows(table, [self.uid_field, self.iid_field], filepath, file.place)
        tell_how_it_was_read(file)
        for name in names:
            self._load_column(table, name, FeatureType(file.columns[name]), source, f"column {name} of {filepath}")
        return with_one_row_an_id(table, own_id, file)

    def _load_column(
        self, table: pd.DataFrame, name: str, kind: FeatureType, source: FeatureSource | str, where: str
    ) -> None:
        """Make arrays of the cells that are sequences, and set the properties of the field."""
        groups = None
        if source == FeatureSource.ITEM and name == self.config["group_field"]:
            groups = groups_unlike_recboles(table[name], kind, self.config, where)
        if groups is not None:
            kind, table[name] = FeatureType.TOKEN_SEQ, groups
        elif kind.value.endswith("seq"):
            table[name] = sequences(table[name], kind, self.config["seq_separator"], where)
        if source != "link":  # its columns are those of other files
            self._set_properties(name, kind, source)
        if kind.value.endswith("seq"):
            table[name] = self._cut(name, table[name])

    def _set_properties(self, name: str, kind: FeatureType, source: FeatureSource | str) -> None:
        self.field2source[name], self.field2type[name] = source, kind
        if not kind.value.endswith("seq"):
            self.field2seqlen[name] = 1
        if "float" in kind.value:
            self.field2bucketnum[name] = 2

    def _cut(self, name: str, cells: pd.Series) -> list[Sequence]:
        longest = int(cells.map(len).max())
        wanted = (self.config["seq_len"] or {}).get(name)
        self.field2seqlen[name] = min(wanted, longest) if wanted else longest
        longest = self.field2seqlen[name]
        return [cell if len(cell) <= longest else cell[:longest] for cell in cells]

    def _load_user_or_item_feat(self, token: str, dataset_path: str, source: FeatureSource, field_name: str):
        path = os.path.join(dataset_path, f"{token}.{source.value}")
        wanted = (self.config["load_col"] or {}).get(source.value)
        if wanted and self.config.names_columns and not os.path.isfile(path):
            raise DecRSError(f"load_col: there is no file {path}; leave {source.value} out of load_col")
        field = getattr(self, field_name)
        if wanted and wanted != "*" and field not in wanted and os.path.isfile(path):
            raise DecRSError(f"load_col: {source.value} must have {field} among its columns; add it")
        return super()._load_user_or_item_feat(token, dataset_path, source, field_name)


def as_recbole_reads(table: pd.DataFrame) -> None:
    """Put text in the place of categories, and arrays in the place of lists, in the columns of a table."""
    for name, cells in table.items():
        if isinstance(cells.dtype, pd.CategoricalDtype):
            table[name] = cells.astype(cells.cat.categories.dtype)
        elif len(cells) and isinstance(cells.iloc[0], list):
            table[name] = [np.array(cell) for cell in cells]


def check_rows(table: pd.DataFrame, id_fields: list[str], path: str, place: Callable[[int], str]) -> None:
    """See that a file has rows, and that none of its users and items has RecBole's name for nobody.

    Args:
        table: the columns of the file.
        id_fields: users and items.
        path: of the file.
        place: names a row of the table.

    Raises:
        DecRSError: it has none, or one has; with the line.
    """
    if table.empty:
        raise DecRSError(f"{path} has no rows; check the file")
    for field in id_fields:
        if field in table and (table[field] == PADDING).any():
            row = int((table[field] == PADDING).to_numpy().argmax())
            raise DecRSError(f"{path}, {place(row)}: {field} is {PADDING}, which RecBole takes for nobody; rename it")


def tell_how_it_was_read(file: AtomicFile) -> None:
    """Log what a reader of the file does not see: a byte-order mark, and lines with too few cells."""
    if file.has_mark:
        getLogger().info(f"{file.path} begins with a byte-order mark and is read as {file.encoding}")
    if file.n_short:
        getLogger().warning(f"{file.n_short} lines of {file.path} have fewer cells than the first; the rest is empty")


def sequences(cells: pd.Series, kind: FeatureType, separator: str, where: str) -> list[np.ndarray]:
    """Split the cells of a column of type ``token_seq`` or ``float_seq``.

    Args:
        cells: text; NaN where there is none.
        kind: of the two types.
        separator: between the parts of a cell.
        where: the cells come from, for the message.

    Returns:
        an array for each cell, of text or of float64, without parts that are empty.

    Raises:
        DecRSError: a number is none.
    """
    parts = [[part for part in cell.split(separator) if part] for cell in cells.fillna("")]
    if kind == FeatureType.TOKEN_SEQ:
        return [np.array(part) for part in parts]
    try:
        return [np.array([float(value) for value in part]) for part in parts]
    except ValueError as error:
        raise DecRSError(f"{where} is float_seq, and holds what is no number ({error}); mend it") from error


def groups_unlike_recboles(cells: pd.Series, kind: FeatureType, config, where: str) -> list[list[str]] | None:
    """Name each item's groups where RecBole would split the cells of the group field otherwise; else give None.

    Lists take less than arrays, which are made of those that filters leave.
    """
    separator = config["seq_separator"]
    # By a separator other than the blank RecBole keeps the blanks beside it.
    as_recbole = {FeatureType.TOKEN: "single", FeatureType.TOKEN_SEQ: "space" if separator == " " else None}
    if kind not in as_recbole:
        return None
    found = split_cells(cells.fillna("").tolist(), kind.value, config["group_format"], separator, where)
    return None if found.form == as_recbole[kind] else found.names


def with_one_row_an_id(table: pd.DataFrame, field: str | None, file: AtomicFile) -> pd.DataFrame:
    """Leave out rows that are there twice, and refuse those that differ, of which RecBole would take the first.

    Args:
        table: columns of a file.
        field: of the ids of which each has one row; None where a file has several rows of an id.
        file: whose rows they are.

    Raises:
        DecRSError: two rows of an id differ.
    """
    if field is None or field not in table:
        return table
    again = check_one_row_an_id(table, field, file.path, file.place)
    if not again.any():
        return table
    getLogger().warning(
        f"{counted(n := int(again.sum()), 'row')} of {file.path} {have(n)} the {field} of another row, and the same in "
        f"all columns that are loaded; {'it is' if n == 1 else 'they are'} left out"
    )
    return table[~again]  # whose index goes on counting the rows of the file
