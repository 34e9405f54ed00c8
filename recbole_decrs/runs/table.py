"""Puts the records of several runs into one table."""

from __future__ import annotations

import json
import os
from typing import Any

import pandas as pd
from recbole.evaluator import metrics_dict, smaller_metrics

from recbole_decrs.errors import DecRSError, did_you_mean, unreadable
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.key_facts import CHANGE_NO_NUMBER
from recbole_decrs.plain_values import UNDO, read_literal
from recbole_decrs.runs.record import FORMAT
from recbole_decrs.tables import in_width

FIELDS = {"model": str, "dataset": str, "settings": dict, "config": dict, "test_result": dict}
"""The parts of a record that the table is made of, and their types."""


def read_runs(paths: list[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Read the records of runs.

    Args:
        paths: of files and folders; those that end in ``.json`` are read, and in folders as well.

    Returns:
        The records by path, in the order of the paths and of the names in a folder; and a sentence for each file that
        is damaged or is no record, and left out.

    Raises:
        DecRSError: there is no such file or folder.
    """
    runs, left_out = {}, []
    for path in paths:
        if not os.path.exists(path):
            raise DecRSError(f"table: there is no file or folder {path}; check its path")
        for file in _files(path):
            try:
                runs[file] = read_record(file)
            except DecRSError as error:
                left_out.append(f"{error}; it is left out")
    return runs, left_out


def _files(path: str) -> list[str]:
    files = [os.path.join(path, name) for name in sorted(os.listdir(path))] if os.path.isdir(path) else [path]
    return [os.path.normpath(file) for file in files if file.endswith(".json")]


def read_record(path: str) -> dict[str, Any]:
    """Read the record of a run.

    Raises:
        DecRSError: the file cannot be read, or is damaged or no record.
    """
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, UnicodeDecodeError) as error:
        raise DecRSError(unreadable(path, error).partition(";")[0]) from error
    except (ValueError, RecursionError) as error:
        raise DecRSError(f"{path} is damaged, or no JSON") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise DecRSError(f"{path} is no result of a run")
    for field, kind in FIELDS.items():
        if not isinstance(record.get(field), kind):
            raise DecRSError(f"{path} is damaged: it has no {field}")
    if not all(isinstance(value, int | float | None) for value in record["test_result"].values()):
        raise DecRSError(f"{path} is damaged: its test_result has what is no number")
    return record


def only(runs: dict[str, dict[str, Any]], wanted: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Take the runs whose settings have the wanted values.

    Args:
        runs: records by path.
        wanted: values by configuration key, as typed.

    Raises:
        DecRSError: no run has the key, or none has these values.
    """
    known = set().union(*(record["config"] for record in runs.values()))
    for key in wanted:
        if key not in known:
            raise DecRSError(f"table: none of the runs has the key {key}{did_you_mean(key, known)}")
    found = {
        path: record
        for path, record in runs.items()
        if all(_is(record["config"].get(key), text) for key, text in wanted.items())
    }
    if not found:
        pairs = " and ".join(f"{key}={text}" for key, text in wanted.items())
        raise DecRSError(f"table: none of {len(runs)} runs has {pairs}; leave one out")
    return found


def _is(value: Any, text: str) -> bool:
    if text.lower() in UNDO:
        return value is None
    return value == read_literal(text) or str(value).lower() == text.lower()


def frame_of_runs(runs: dict[str, dict[str, Any]], sort: str | None = None) -> pd.DataFrame:
    """Make a row for each run: its model, the settings in which the runs differ, and its metrics on test.

    Args:
        runs: records by path.
        sort: the metric by which the rows are sorted, the best first; if none, they stay in order.

    Returns:
        The columns ``run``, ``model``, keys, and metrics as in RecBole's results.

    Raises:
        DecRSError: no run has the metric.
    """
    metrics = list(dict.fromkeys(metric for record in runs.values() for metric in record["test_result"]))
    keys = ["model", *_differing(list(runs.values()))]
    rows = [
        [os.path.splitext(path)[0], *(record["config"].get(key) for key in keys)]
        + [record["test_result"].get(metric) for metric in metrics]
        for path, record in runs.items()
    ]
    frame = pd.DataFrame(rows, columns=["run", *keys, *metrics], dtype=object).astype(dict.fromkeys(metrics, float))
    if sort is None:
        return frame
    if sort.lower() not in metrics:
        known = list(map(title_of, metrics))
        raise DecRSError(
            f"table: no run has the metric {sort}{did_you_mean(sort, known) or '; there are ' + ', '.join(known)}"
        )
    name = sort.lower().partition("@")[0]
    smaller = name in smaller_metrics or any(name in record.get("smaller_is_better", ()) for record in runs.values())
    return frame.sort_values(sort.lower(), ascending=smaller, kind="stable", ignore_index=True)


def _differing(records: list[dict[str, Any]]) -> list[str]:
    """List the keys that somebody has set in one of the runs, and that have several values among them."""
    chosen = dict.fromkeys(["dataset", "seed", *(key for record in records for key in record["settings"])])
    first = records[0]["config"]
    several = (key for key in chosen if any(record["config"].get(key) != first.get(key) for record in records))
    return [key for key in several if key not in CHANGE_NO_NUMBER]


def text_of_runs(frame: pd.DataFrame) -> str:
    """Write the table in Markdown, in parts where it is wider than a console."""
    headers = [title_of(column) if _is_metric(column) else column for column in frame]
    rows = [list(map(_cell, frame, row)) for row in frame.itertuples(index=False, name=None)]
    return in_width(rows, headers)


def _is_metric(column: str) -> bool:
    return "@" in column or column in metrics_dict


def _cell(column: str, value: Any) -> str:
    if not _is_metric(column):
        return "none" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)
    return "-" if value != value else f"{value:.4f}"
