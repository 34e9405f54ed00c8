"""Tells which rows of new users' clicks count as clicks, by the settings that said so in training."""

from __future__ import annotations

from logging import getLogger

import numpy as np
from recbole.utils import FeatureSource, FeatureType

from recbole_decrs.data.inter_counts import within
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.cells import numbers_of, texts_of
from recbole_decrs.importing.table import Table


def rows_that_count(table: Table, columns: dict[str, str], dataset) -> np.ndarray:
    """Tell which rows are clicks: those whose label is not 0, and which ``val_interval`` leaves in.

    Rows that are none are counted in a warning, and so is a column that a setting needs and that is not there.

    Args:
        table: of clicks.
        columns: of users, items, and as far as there are any of times, ratings and labels, by their roles.
        dataset: the training part of the model's dataset.

    Returns:
        booleans, shape [n rows].

    Raises:
        DecRSError: a label is not 0 or 1, or a cell is no number.
    """
    is_click = np.ones(len(table.frame), dtype=bool)
    if "label" in columns:
        is_click &= _labelled_1(table, columns["label"])
    for field, wanted in _conditions(dataset).items():
        column = columns.get("rating") if field == dataset.config["RATING_FIELD"] else None
        column = field if column is None and field in table.frame else column
        if column is None:
            getLogger().warning(
                f"val_interval: the model's clicks are those with {field} {_in_words(wanted)}, and {table.name} has no "
                f"column {field}, so each of its rows counts as a click"
            )
            continue
        if isinstance(wanted, list):
            fits = texts_of(table.frame[column]).isin(list(map(str, wanted))).to_numpy()
        else:
            fits = within(numbers_of(table, column), dataset._parse_intervals_str(wanted))
        if n_left_out := int((is_click & ~fits).sum()):
            getLogger().warning(
                f"{n_left_out} of {len(fits)} rows of {table.name} have a {field} that is not {_in_words(wanted)} "
                "(val_interval): as in training they are no clicks and are left out"
            )
        is_click &= fits
    return is_click


def _labelled_1(table: Table, column: str) -> np.ndarray:
    labels = numbers_of(table, column)
    wrong = ~np.isin(labels, [0, 1])
    if wrong.any():
        raise DecRSError(f"{table.where(column)}, {table.first(wrong)}: a label must be 0 or 1; mend it")
    if n_left_out := int((labels == 0).sum()):
        getLogger().warning(
            f"{n_left_out} of {len(labels)} rows of {table.name} have {column} 0: they are no clicks and are left out"
        )
    return labels == 1


def _conditions(dataset) -> dict[str, str | list]:
    """Give the columns of the clicks that ``val_interval`` names, and the intervals or values that it leaves in.

    One on features of users or items is no matter of a click, and one on time is about the period of the training.
    """
    config = dataset.config
    return {
        field: list(wanted) if dataset.field2type[field] == FeatureType.TOKEN else wanted
        for field, wanted in ({} if config["benchmark_filename"] else config["val_interval"] or {}).items()
        if dataset.field2source.get(field) == FeatureSource.INTERACTION and field != dataset.time_field
    }


def _in_words(wanted: str | list) -> str:
    return f"one of {', '.join(map(str, wanted))}" if isinstance(wanted, list) else f"in {wanted}"
