"""Lets a run take its data as data frames: writes them as a dataset, and sets the keys by which the run reads it."""

from __future__ import annotations

from typing import Any

from recbole_decrs.config_files import PlainLoader, read_config_files
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing.dataset import import_data
from recbole_decrs.plain_values import UNDO

DATA_PATH = "dataset"
"""The folder of datasets where nobody names one, as RecBole's."""


def dataset_of_run(
    dataset: str | None, settings: dict[str, Any], config_file_list: list[str] | None, frames: dict[str, Any]
) -> tuple[str, dict[str, Any], list[str]]:
    """Write the data frames of a run into the folder that its settings name.

    Args:
        dataset: its name; if none, the key ``dataset``, else one of the content.
        settings: of the run by key, without those of the files.
        config_file_list: paths of YAML files.
        frames: what :func:`~recbole_decrs.importing.dataset.import_data` takes.

    Returns:
        the name of the dataset, settings that are to lie below those of the run, and lines that tell what was read.

    Raises:
        DecRSError: the frames cannot be used, or ``benchmark_filename`` asks for other files.
    """
    known = {**read_config_files(config_file_list or [], PlainLoader), **settings}
    known = {key: value for key, value in known.items() if value is not None and str(value).lower() not in UNDO}
    if "benchmark_filename" in known:
        raise DecRSError("benchmark_filename: clicks that come as a data frame are split by eval_args; leave it out")
    name = dataset or known.get("dataset")
    imported = import_data(
        dataset=None if name is None else str(name), data_path=str(known.get("data_path", DATA_PATH)), **frames
    )
    found = {"data_path": imported.data_path, "group_field": imported.group_field}
    below = {key: value for key, value in found.items() if key not in known and value is not None}
    return imported.dataset, below, imported.told
