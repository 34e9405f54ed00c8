"""Chooses the columns that are loaded of a dataset where nobody names them, by what its files have."""

from __future__ import annotations

from logging import getLogger
from pathlib import Path
from typing import Any

from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.popularity_field import POPULARITY


def clicks_path(dataset: str, settings: dict[str, Any]) -> Path:
    """Give the path of the .inter file, or of the first of ``benchmark_filename`` where clicks are split already.

    Args:
        dataset: name of the dataset.
        settings: by key; ``data_path`` is the folder in which the dataset's folder lies.
    """
    parts = settings.get("benchmark_filename")
    return Path(settings["data_path"], dataset, f"{dataset}.{parts[0]}.inter" if parts else f"{dataset}.inter")


def usual_columns(dataset: str, defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, list[str]]:
    """Choose what is loaded of a dataset without a YAML of its own: ids, rating, time, and the groups as item feature.

    Of rating and time it is what the file has; before a download, both. Labels are loaded where the file has them.

    Args:
        dataset: name of the dataset.
        defaults: settings by key.
        given: settings of the user's, which go over the defaults.

    Returns:
        ``load_col``: file ending -> columns.

    Raises:
        DecRSError: the .inter file cannot be read, or has no column that a given key names.
    """
    settings = {**defaults, **given}
    inter, item = clicks_path(dataset, settings), Path(settings["data_path"], dataset, f"{dataset}.item")
    columns = {"inter": [settings[key] for key in ("USER_ID_FIELD", "ITEM_ID_FIELD", "RATING_FIELD", "TIME_FIELD")]}
    if inter.is_file():
        file = _atomic_file(inter, settings)
        for key in ("RATING_FIELD", "TIME_FIELD"):
            if settings[key] not in (None, defaults[key]):
                file.check_columns([settings[key]], key)
        columns["inter"] = [*columns["inter"][:2], *(name for name in columns["inter"][2:] if name in file.columns)]
        if file.columns.get(settings["LABEL_FIELD"]) == "float" and not settings.get("threshold"):
            columns["inter"].append(settings["LABEL_FIELD"])
    if settings.get("group_field") not in (None, POPULARITY) and (item.is_file() or not inter.is_file()):
        columns["item"] = [settings["ITEM_ID_FIELD"]]
        group_field = settings["group_field"]
        if group_field in (*columns["inter"], settings["LABEL_FIELD"]):
            getLogger().warning(
                f"group_field: {group_field} of {item} is called as a column of the clicks or as LABEL_FIELD, so it is "
                "read as the groups, and is no feature of the model"
            )
        else:
            columns["item"].append(group_field)
    return columns


def columns_of_split_clicks(dataset: str, columns: list[str], settings: dict[str, Any]) -> list[str]:
    """Leave out what files that are split already lack of the columns that the plugin's YAML names of the whole.

    The paper's split of ML-1M has no ratings, by which its clicks were chosen before.

    Args:
        dataset: name of the dataset.
        columns: of the whole .inter file.
        settings: by key, with ``benchmark_filename``.
    """
    path = clicks_path(dataset, settings)
    if not path.is_file():
        return columns
    needed = (settings["USER_ID_FIELD"], settings["ITEM_ID_FIELD"])
    there = _atomic_file(path, settings).columns
    return [name for name in columns if name in needed or name in there]


def _atomic_file(path: Path, settings: dict[str, Any]) -> AtomicFile:
    return AtomicFile(str(path), settings["field_separator"], settings.get("encoding"))
