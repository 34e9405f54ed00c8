"""Writes a dataset's atomic files, and refuses to write over other data."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import recbole

from recbole_decrs.defaults import properties_dir
from recbole_decrs.errors import DecRSError, system_says
from recbole_decrs.files import replaced_whole


def bytes_of(table: pd.DataFrame) -> bytes:
    """Write a table, whose columns are named ``name:type``, as an atomic file is.

    Raises:
        DecRSError: it has letters that are none in Unicode.
    """
    try:
        return table.to_csv(sep="\t", index=False, lineterminator="\n").encode("utf-8")
    except UnicodeEncodeError as error:
        raise DecRSError(
            f"the text {error.object[max(0, error.start - 10) : error.end]!r} holds what is no letter of Unicode; "
            "take it out"
        ) from error


def check_name(dataset: str) -> None:
    """See that a dataset's name can be that of a folder and of files, and that no settings go with it already.

    Raises:
        DecRSError: it cannot, or RecBole or the plugin has settings for a dataset of this name.
    """
    if not re.fullmatch(r"\w[\w.-]*", dataset):
        raise DecRSError(f"dataset must be a name of letters, digits, _, - and ., which files get, not {dataset!r}")
    for folder in (properties_dir(), Path(recbole.__file__).parent / "properties"):
        if (folder / "dataset" / f"{dataset}.yaml").is_file():
            raise DecRSError(
                f"dataset: {dataset} is a dataset with settings of its own, which do not go with columns that are "
                "imported; give another name"
            )


def write_dataset(contents: dict[str, bytes], data_path: str, dataset: str) -> bool:
    """Write the files ``data_path/dataset/dataset.*``, each whole, that of the clicks last.

    Args:
        contents: of the files, by their ending: ``inter``, ``item``, ``user``.
        data_path: the folder of datasets.
        dataset: name of the dataset.

    Returns:
        False where all of them are there already and nothing was to be written.

    Raises:
        DecRSError: other data of this name are there, or the folder cannot be written to.
    """
    folder = Path(data_path, dataset)
    try:
        there = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
        there = {name: path for name, path in there.items() if name.startswith(f"{dataset}.") and ".tmp" not in name}
        wanted = {f"{dataset}.{ending}": content for ending, content in contents.items()}
        same = {name for name, path in there.items() if name in wanted and _holds(path, wanted[name])}
        for name in sorted(there.keys() - same):
            raise DecRSError(
                f"dataset: {folder / name} is there already, with other data; give another --dataset, or delete it"
            )
        missing = [name for name in wanted if name not in same]
        if missing:
            folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(missing, key=lambda name: name.endswith(".inter")):
            with replaced_whole(folder / name) as file:
                file.write(wanted[name])
    except OSError as error:
        raise DecRSError(f"data_path: {folder} cannot be written to ({system_says(error)}); give another") from error
    return bool(missing)


def _holds(path: Path, content: bytes) -> bool:
    return os.path.isfile(path) and path.stat().st_size == len(content) and path.read_bytes() == content
